using Orleans.Configuration;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>What a <see cref="TestedCluster"/> is made of.</summary>
internal sealed record ClusterPlan
{
    private static readonly bool BlobsByDefault = Environment.GetEnvironmentVariable("CONSENSUS_TEST_LOGS") switch
    {
        "blobs" => true,
        "files" or "" or null => false,
        var other => throw new InvalidOperationException($"CONSENSUS_TEST_LOGS is 'files' or 'blobs', not '{other}'."),
    };

    /// <summary>Where logs in files are; silo <c>i</c> has them in the subdirectory <c>silo-i</c>.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Whether logs are in blobs and replicas float; as the environment says it, unless a test does.</summary>
    public bool Blobs { get; init; } = BlobsByDefault;

    /// <summary>Connection strings of the accounts, one a replica, for logs in blobs. Default those shared by all.
    /// </summary>
    public IReadOnlyList<string> Accounts { get; init; } = [];

    /// <summary>Where logs in blobs are, in each account; a cluster has one of its own.</summary>
    public string Container { get; init; } = $"logs-{Guid.NewGuid():N}";

    public int Silos { get; init; } = 3;

    /// <summary>Replicas <c>r0</c>, <c>r1</c>…, hosted by the silos of the same numbers if logs are files.</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>Names of the default store and others, all set up the same.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [ConsensusStoreOptions.DefaultStoreName];

    /// <summary>A second cluster of the same plan is the same cluster, started again.</summary>
    public string Service { get; init; } = $"service-{Guid.NewGuid():N}";

    /// <summary>Orleans' ClusterId; null for a new one each time.</summary>
    public string? Cluster { get; init; }

    /// <summary>Time of an operation from call to outcome, at most. Short where tests wait for failures.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(4);

    public Action<int, ISiloBuilder> Silo { get; init; } = (_, _) => { };

    public Action<int, ConsensusStoreOptions> Store { get; init; } = (_, _) => { };

    public Action<IClientBuilder> Client { get; init; } = _ => { };

    /// <summary>Skips a test of what there is only where logs are files, each at one silo.</summary>
    public static void SkipUnlessFiles() => Assert.SkipWhen(
        BlobsByDefault, "This is about logs in files, at silos that they are pinned to.");

    /// <summary>The plan with accounts that run, if it needs any and has none.</summary>
    public async Task<ClusterPlan> WithAccountsAsync() =>
        Blobs && Accounts.Count == 0 ? this with { Accounts = await SharedAccounts.TakeAsync(Replicas) } : this;

    public string DirectoryOf(int silo) => Path.Combine(Directory, $"silo-{silo}");

    /// <summary>Sets a silo up as the plan says.</summary>
    public void Configure(int number, ISiloBuilder silo)
    {
        foreach (var store in Stores)
        {
            silo.UseConsensusStore(store, (ConsensusStoreOptions options) => Configure(number, options));
        }

        silo.AddConsensusGrainStorageAsDefault();
        Silo(number, silo);
    }

    private void Configure(int number, ConsensusStoreOptions options)
    {
        var replicas = TestedCluster.ReplicaNames(Replicas);
        options.Replicas = [.. replicas];
        if (Blobs)
        {
            options.ConnectionStrings = replicas.Zip(Accounts).ToDictionary(pair => pair.First, pair => pair.Second);
            options.ContainerName = Container;
        }
        else
        {
            options.ReplicaId = number < replicas.Count ? replicas[number] : null;
            options.DataDirectory = DirectoryOf(number);
        }

        options.Groups = 4;
        options.SegmentBytes = 1024 * 1024;
        options.RequestTimeout = RequestTimeout;
        options.RoundTimeout = TimeSpan.FromMilliseconds(500);
        Store(number, options);
    }
}
