using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>
/// A storage account with one container, in memory, that does everything bad that a real one may do. Each client has
/// its own view and can be cut off alone. Deterministic from its clock and random source. Not thread-safe: all of it
/// runs where its caller runs.
/// </summary>
internal sealed class BlobAccount(TimeProvider time, Random random)
{
    private readonly SortedDictionary<string, AppendBlob> _blobs = new(StringComparer.Ordinal);
    private readonly List<ITimer> _late = [];

    /// <summary>Null lets everything succeed.</summary>
    public BlobPlan? Plan { get; set; }

    /// <summary>Called when a request has been done and its answer is not there yet.</summary>
    public Func<BlobRequest, ValueTask>? Answering { get; set; }

    /// <summary>Requests so far.</summary>
    public long Requests { get; private set; }

    /// <summary>Nothing gets there.</summary>
    public bool IsDown { get; set; }

    /// <summary>Nobody has any rights.</summary>
    public bool IsDenied { get; set; }

    public bool HasContainer { get; private set; }

    /// <summary>How long callers wait for an answer that doesn't come.</summary>
    public TimeSpan TimeOut { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A late request gets there at most so long after its caller has given up.</summary>
    public TimeSpan LateBy { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Late requests that were done when they got there.</summary>
    public int LandedLate { get; private set; }

    /// <summary>Late requests that were refused when they got there.</summary>
    public int RefusedLate { get; private set; }

    public TimeProvider Time => time;

    public IReadOnlyList<string> Names => [.. _blobs.Keys];

    public long BytesUsed => _blobs.Values.Sum(blob => blob.Length);

    public FakeBlobs ClientOf(string name) => new(this, name);

    public byte[] Get(string name) => _blobs[name].ToArray();

    public int BlocksOf(string name) => _blobs[name].Blocks;

    /// <summary>Puts a blob in the place of another, which no client can.</summary>
    public void Put(string name, params byte[][] blocks)
    {
        HasContainer = true;
        var blob = _blobs[name] = new();
        foreach (var block in blocks)
        {
            blob.Append(blob.Length, block, hold: null, time.GetUtcNow());
        }
    }

    public void DeleteBlob(string name) => _blobs.Remove(name);

    public void DeleteContainer()
    {
        _blobs.Clear();
        HasContainer = false;
    }

    public async ValueTask<(BlobRequest Request, BlobFault Fault)> DecideAsync(
        string client, BlobAction action, string name, long position)
    {
        var request = new BlobRequest(client, action, name, position, ++Requests);
        var fault = Plan is null ? BlobFault.None : await Plan(request);
        return (request, IsDown ? BlobFault.Lost : IsDenied ? BlobFault.Denied : fault);
    }

    /// <summary>Does a request at a later time, whatever has become of its caller.</summary>
    public void DoLate(Action request)
    {
        var wait = TimeOut + TimeSpan.FromTicks((long)(LateBy.Ticks * (0.01 + (random.NextDouble() * 0.99))));
        _late.Add(time.CreateTimer(_ => Do(request), null, wait, Timeout.InfiniteTimeSpan));
    }

    public bool Create(string name, bool withContainer)
    {
        HasContainer |= withContainer;
        RequireContainer();
        return _blobs.TryAdd(name, new());
    }

    public AppendOutcome Append(string name, long position, ReadOnlySpan<byte> bytes, Guid? hold) =>
        Blob(name).Append(position, bytes, hold, time.GetUtcNow());

    public bool Hold(string name, Guid hold) => Blob(name).Hold(hold, time.GetUtcNow());

    public bool Release(string name, Guid hold) => Blob(name).Release(hold);

    public bool Break(string name) => Blob(name).Break();

    public long? Length(string name) => _blobs.GetValueOrDefault(name)?.Length;

    public int Read(string name, long offset, Span<byte> buffer) => Blob(name).Read(offset, buffer);

    private void Do(Action request)
    {
        try
        {
            request();
            LandedLate++;
        }
        catch (IOException)
        {
            RefusedLate++;
        }
    }

    private AppendBlob Blob(string name)
    {
        RequireContainer();
        return _blobs.GetValueOrDefault(name) ?? throw new IOException($"The blob {name} was deleted.");
    }

    private void RequireContainer()
    {
        if (!HasContainer)
        {
            throw new IOException("The container was deleted.");
        }
    }
}
