using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>
/// One append blob as the service keeps it: blocks that are appended whole, under a condition, and never changed.
/// </summary>
internal sealed class AppendBlob
{
    /// <summary>As the service has it.</summary>
    public const int MostBlocks = 50_000;

    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(15);

    private readonly GrowingBytes _bytes = new([]);
    private (Guid Id, DateTimeOffset Until)? _hold;

    public int Blocks { get; private set; }

    public long Length => _bytes.Length;

    /// <summary>A lease on the blob.</summary>
    /// <returns>False if another one is on it.</returns>
    public bool Hold(Guid hold, DateTimeOffset now)
    {
        if (HoldAt(now) is { } other && other != hold)
        {
            return false;
        }

        _hold = (hold, now + HoldTime);
        return true;
    }

    public bool Release(Guid hold)
    {
        if (_hold?.Id != hold)
        {
            return false;
        }

        _hold = null;
        return true;
    }

    public bool Break()
    {
        var hadOne = _hold is not null;
        _hold = null;
        return hadOne;
    }

    public AppendOutcome Append(long position, ReadOnlySpan<byte> bytes, Guid? hold, DateTimeOffset now)
    {
        if (HoldAt(now) != hold)
        {
            return AppendOutcome.Held;
        }

        if (position != _bytes.Length)
        {
            return AppendOutcome.WrongPosition;
        }

        if (Blocks == MostBlocks)
        {
            throw new IOException("409 BlockCountExceedsLimit");
        }

        _bytes.Write(_bytes.Length, bytes);
        Blocks++;
        return AppendOutcome.Appended;
    }

    public int Read(long offset, Span<byte> buffer) => _bytes.Read(offset, buffer);

    public byte[] ToArray() => _bytes.Span.ToArray();

    private Guid? HoldAt(DateTimeOffset now) => _hold is { } hold && now < hold.Until ? hold.Id : null;
}
