using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>A fake storage account on simulated time, and silos that open one log in it.</summary>
internal sealed class BlobBench
{
    public const string First = "logs/a/00000001";

    public BlobBench(int seed = 1)
    {
        Random = new(seed);
        Account = new(Scheduler.Time, Random);
    }

    public SimulatedScheduler Scheduler { get; } = new();

    public Random Random { get; }

    public BlobAccount Account { get; }

    /// <summary>The blob that the log ends in.</summary>
    public string Tail => Account.Names.Last(name => Account.BlocksOf(name) > 1);

    public JournalOptions Options { get; set; } = new() { SegmentBytes = 16384 };

    public BlobSilo Silo(string name, string cluster = "cluster") => new(this, name, cluster);

    public void Run(Func<Task> test) => Scheduler.Run(test, TimeSpan.FromHours(10));

    /// <summary>Lets simulated time pass.</summary>
    public Task PassAsync(TimeSpan time) => Scheduler.Time.Pass(time);

    /// <summary>The records that a last opener finds.</summary>
    public async Task<IReadOnlyList<TestRecord>> ReplayAsync()
    {
        var last = Silo("last");
        await using var journal = await last.OpenAsync();
        return [.. last.Replayed];
    }
}

/// <summary>A silo that opens the log; remembers what was replayed and how its appends were resolved.</summary>
internal sealed class BlobSilo(BlobBench bench, string name, string cluster)
{
    public FakeBlobs Blobs { get; } = bench.Account.ClientOf(name);

    public string Name => name;

    public JournalIdentity Expected { get; init; } = TestLog.DefaultIdentity;

    public List<TestRecord> Replayed { get; } = [];

    public List<AppendResolution> Resolutions { get; } = [];

    private BlobJournalStore Journals => new(
        _ => Blobs, "logs", bench.Options, bench.Scheduler.Time, bench.Random, Resolutions.Add);

    public async Task MarkAsync(JournalIdentity store, bool mayCreate = true) =>
        await Journals.MarkAsync(store, mayCreate, CancellationToken.None);

    public async Task<IJournal> OpenAsync(
        JournalPosition? from = null, CancellationToken cancellationToken = default)
    {
        Replayed.Clear();
        return await Journals.OpenAsync(
            Expected,
            new(cluster, name),
            from,
            (kind, position, record) => Replayed.Add(new(kind, position, record.ToArray())),
            cancellationToken);
    }
}
