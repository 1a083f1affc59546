using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>A record as it was appended or replayed.</summary>
internal sealed record TestRecord(byte Kind, JournalPosition Position, byte[] Bytes)
{
    public bool Equals(TestRecord? other) =>
        other is not null
        && Kind == other.Kind
        && Position == other.Position
        && Bytes.AsSpan().SequenceEqual(other.Bytes);

    public override int GetHashCode() => HashCode.Combine(Kind, Position);

    public override string ToString() => $"kind {Kind} at {Position}: {Bytes.Length} bytes";
}

/// <summary>Opens logs on a file layer and remembers what was replayed. Small segments, fixed clock.</summary>
internal sealed class TestLog(IFileLayer files, string root = "/logs", int seed = 1)
{
    public const string Silo = "127.0.0.1:11111@1";

    public static readonly JournalOptions SmallSegments = new() { FirstSegmentBytes = 8192, SegmentBytes = 16384 };

    public static readonly JournalIdentity DefaultIdentity = new(
        "service", "Default", new("a"), "a,b,c", 16, 1, new(new(0x0123456789ABCDEF, 0xFEDCBA9876543210)));

    public static readonly JournalOwner DefaultOwner = new("cluster", Silo);

    private readonly Random _random = new(seed);

    public List<TestRecord> Replayed { get; } = [];

    public JournalOptions Options { get; init; } = SmallSegments;

    public JournalIdentity Expected { get; init; } = DefaultIdentity;

    public JournalOwner Owner { get; init; } = DefaultOwner;

    public FakeTimeProvider Time { get; } = new(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    /// <summary>What the log goes by, if not <see cref="Time"/>.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Other machines have its directory, too.</summary>
    public bool IsShared { get; init; }

    /// <summary>The directory of the log.</summary>
    public string Directory => Path.Combine(root, Expected.Replica.Name);

    public ValueTask<IJournal> OpenAsync(JournalPosition? from = null)
    {
        Replayed.Clear();
        return new FileJournalStore(files, root, Options, Clock ?? Time, _random, IsShared).OpenAsync(
            Expected,
            Owner,
            from,
            (kind, position, record) => Replayed.Add(new(kind, position, record.ToArray())),
            CancellationToken.None);
    }

    /// <summary>Opens the log, closes it, and returns its records.</summary>
    public async Task<IReadOnlyList<TestRecord>> ReplayAsync()
    {
        await using var journal = await OpenAsync();
        return [.. Replayed];
    }

    /// <summary>Appends records as one batch.</summary>
    public static async Task<IReadOnlyList<TestRecord>> AppendAsync(IJournal journal, params byte[][] records)
    {
        var batch = new JournalBatch();
        var offsets = records.Select((bytes, i) => batch.Add((byte)(16 + i % 4), bytes)).ToList();
        var start = await journal.AppendAsync(batch, CancellationToken.None);
        return [.. records.Select((bytes, i) => new TestRecord((byte)(16 + i % 4), start.Plus(offsets[i]), bytes))];
    }

    public static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
