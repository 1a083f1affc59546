using System.IO.Hashing;
using System.Runtime.InteropServices;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Engines;

/// <summary>
/// An acceptor's payload: in the log, and in memory while it is not durable yet or the cache has room.
/// Changed by the replica's loop only.
/// </summary>
internal sealed class StoredPayload : Payload
{
    private volatile PayloadBytes? _inMemory;

    private StoredPayload(PayloadBytes? inMemory, int length, ulong checksum, JournalPosition position)
    {
        _inMemory = inMemory;
        Length = length;
        Checksum = checksum;
        Position = position;
    }

    public int Length { get; }

    /// <summary>XxHash3 of the bytes: what comes back from the log has to match it.</summary>
    public ulong Checksum { get; }

    /// <summary>Where the bytes are in the log; segment 0 until they are durable.</summary>
    public JournalPosition Position { get; private set; }

    /// <summary>The bytes, if they are in memory: always until <see cref="Landed"/>.</summary>
    public PayloadBytes? InMemory => _inMemory;

    /// <summary>Bytes of memory that stay in use for it while it is cached, with what they are a slice of.</summary>
    public long Held { get; private set; }

    public static StoredPayload Pending(PayloadBytes payload) =>
        new(payload, payload.Bytes.Length, XxHash3.HashToUInt64(payload.Bytes.Span), default);

    public static StoredPayload InLog(JournalPosition position, int length, ulong checksum) =>
        new(null, length, checksum, position);

    /// <summary>The bytes are durable at <paramref name="position"/>.</summary>
    public void Landed(JournalPosition position) => Position = position;

    /// <summary>
    /// Gets ready to be kept: a small part of a large message is copied, for it would keep all of the message.
    /// </summary>
    public void Detach()
    {
        var bytes = _inMemory!.Bytes;
        if (MemoryMarshal.TryGetArray(bytes, out var slice) && slice.Array!.Length / 2 <= bytes.Length)
        {
            Held = slice.Array.Length;
            return;
        }

        _inMemory = new(bytes.ToArray());
        Held = bytes.Length;
    }

    /// <summary>Forgets the bytes in memory. Only after <see cref="Landed"/>.</summary>
    public void Evict() => _inMemory = null;

    /// <summary>The bytes, from memory or from <paramref name="journal"/>.</summary>
    /// <exception cref="JournalCorruptException">The log returned other bytes than were written.</exception>
    public async ValueTask<PayloadBytes> LoadAsync(IJournal journal, CancellationToken cancellationToken)
    {
        if (_inMemory is { } inMemory)
        {
            return inMemory;
        }

        var read = await journal.ReadAsync(Position, Length, cancellationToken);
        if (read.Length != Length || XxHash3.HashToUInt64(read.Span) != Checksum)
        {
            throw new JournalCorruptException(
                $"The log of replica {journal.Identity.Replica} returned damaged state bytes at {Position}.");
        }

        return new(read);
    }
}

/// <summary>
/// Keeps the payloads written last in memory, up to a number of bytes; the oldest go first. Single-threaded.
/// </summary>
internal sealed class PayloadCache(long capacity)
{
    /// <summary>Stands for the objects that a payload is made of.</summary>
    private const int Overhead = 256;

    private readonly Queue<StoredPayload> _payloads = new();
    private long _bytes;

    /// <summary>All that is held in memory for what is kept.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public void Add(StoredPayload payload)
    {
        if (payload.Length + Overhead > capacity)
        {
            payload.Evict();
            return;
        }

        payload.Detach();
        _payloads.Enqueue(payload);
        _bytes += payload.Held + Overhead;
        while (_bytes > capacity && _payloads.TryDequeue(out var oldest))
        {
            _bytes -= oldest.Held + Overhead;
            oldest.Evict();
        }
    }
}
