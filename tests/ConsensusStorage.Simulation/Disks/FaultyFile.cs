using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Disks;

/// <summary>
/// A file of <see cref="FaultyFiles"/>: what programs see, what is on the disk, and what is to be flushed.
/// </summary>
internal sealed class FaultyFile(byte[] content)
{
    private readonly GrowingBytes _cache = new(content);
    private readonly GrowingBytes _disk = new([.. content]);
    private bool[] _dirty = [];

    public int Length => _cache.Length;

    public byte[] ToArray() => _cache.Span.ToArray();

    public int Read(long offset, Span<byte> buffer) => _cache.Read(offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        var end = (int)offset + bytes.Length;
        _cache.Write((int)offset, bytes);
        var sectors = ((end - 1) / Sector.Size) + 1;
        if (sectors > _dirty.Length)
        {
            Array.Resize(ref _dirty, sectors);
        }

        _dirty.AsSpan(((int)offset / Sector.Size)..sectors).Fill(true);
    }

    public void Flush() => Flush(static () => true, _cache.Length);

    /// <summary>Flips bits of one byte, on the disk and for everybody who reads it.</summary>
    public void Flip(int offset, byte mask)
    {
        _cache.Span[offset] ^= mask;
        if (offset < _disk.Length)
        {
            _disk.Span[offset] ^= mask;
        }
    }

    /// <summary>Any part reaches the disk. The rest stays visible, and no later flush writes it.</summary>
    public void FailFlush(Random random) => FlushSome(random);

    /// <returns>Whether anything was lost that had been written.</returns>
    public bool Crash(Random random)
    {
        var wasDirty = _dirty.Contains(true);
        FlushSome(random);
        var isTorn = wasDirty && !_cache.Span.SequenceEqual(_disk.Span);
        _cache.Become(_disk.Span);
        return isTorn;
    }

    private void FlushSome(Random random)
    {
        // None, all, or a coin for each sector; likewise the length.
        var chance = random.Next(4) switch { 0 => 0.0, 1 => 1.0, _ => random.NextDouble() };
        var length = random.Next(2) == 0 ? _disk.Length : _cache.Length;
        Flush(() => random.NextDouble() < chance, Math.Max(length, _disk.Length));
    }

    /// <param name="reaches">Asked for each dirty sector in turn.</param>
    private void Flush(Func<bool> reaches, int length)
    {
        _disk.GrowTo(length);
        for (var sector = 0; sector < _dirty.Length; sector++)
        {
            var start = sector * Sector.Size;
            var end = Math.Min(start + Sector.Size, _disk.Length);
            if (_dirty[sector] && reaches() && start < end)
            {
                _cache.Span[start..end].CopyTo(_disk.Span[start..]);
            }
        }

        _dirty.AsSpan().Clear();
    }
}

/// <summary>An open file of <see cref="FaultyFiles"/>; dead after a crash.</summary>
internal sealed class FaultyFileHandle(FaultyFiles files, FaultyFile file, string path, int life) : IFile
{
    public FaultyFile File => file;

    public long Length => file.Length;

    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await files.BeforeAsync(FileAction.Read, path, life);
        return file.Read(offset, buffer.Span);
    }

    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ActOut(await files.BeforeAsync(FileAction.Write, path, life), offset, bytes.Span, writes: true);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ActOut(await files.BeforeAsync(FileAction.Flush, path, life), 0, [], writes: false);
        file.Flush();
    }

    public async ValueTask WriteAndFlushAsync(
        long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var fault = await files.BeforeAsync(FileAction.WriteAndFlush, path, life);
        ActOut(fault, offset, bytes.Span, writes: files.Random.Next(2) == 0);
        file.Flush();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Writes, unless a fault says otherwise.</summary>
    /// <param name="writes">Which half of a write with flush fails.</param>
    private void ActOut(FileFault fault, long offset, ReadOnlySpan<byte> bytes, bool writes)
    {
        // What a write leaves when it fails ends with a sector: the system copies page by page.
        var failsInWrite = fault == FileFault.Fail && writes;
        var sectors = files.Random.Next(bytes.Length / Sector.Size + 1);
        file.Write(offset, failsInWrite ? bytes[..(sectors * Sector.Size)] : bytes);
        switch (fault)
        {
            case FileFault.Crash:
                throw files.Crashed();
            case FileFault.Fail when !writes:
                file.FailFlush(files.Random);
                throw new IOException($"Input/output error while flushing {path}");
            case FileFault.Fail:
                throw new IOException($"Input/output error while writing {path}");
            default:
                if (files.IsFull)
                {
                    files.FoundFull?.Invoke();
                    throw new DiskFullException($"No space left on device: {path}");
                }

                break;
        }
    }
}
