using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Consensus;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Runtime;

namespace ConsensusStorage.Tests.Engines;

/// <summary>Silos with the shipped engine, replicas and log code, over memory files and a network of calls.</summary>
internal sealed class SimulatedCluster
{
    private readonly Random _random;
    private int _generation;

    public SimulatedCluster(int replicas = 3, int seed = 1)
    {
        _random = new(seed);
        Replicas = new(Enumerable.Range(0, replicas).Select(index => new ReplicaId($"r{index}")));
    }

    public SimulatedScheduler Scheduler { get; } = new();

    public SimulatedNetwork Network { get; } = new();

    public Dictionary<int, PaxosStore> Silos { get; } = [];

    public Dictionary<int, SiloAddress> Addresses { get; } = [];

    public ReplicaSet Replicas { get; }

    /// <summary>The disk of each silo; replace it to lose one.</summary>
    public Dictionary<int, IFileLayer> Disks { get; } = [];

    public StoreSettings Settings { get; set; } = new()
    {
        Service = "test",
        Store = "Default",
        Replicas = new([new("r0")]),
        Groups = 4,
        RequestTimeout = TimeSpan.FromSeconds(5),
        RoundTimeout = TimeSpan.FromSeconds(1),
    };

    /// <summary>Starts a silo; it hosts the replica of its number if there is one.</summary>
    public async Task<PaxosStore> StartAsync(int silo)
    {
        var address = SimulatedNetwork.Address(silo, ++_generation);
        var local = silo < Replicas.Count ? Replicas[silo] : (ReplicaId?)null;
        var settings = Settings with { Replicas = Replicas, Local = local };
        if (!Disks.TryGetValue(silo, out var disk))
        {
            Disks[silo] = disk = new MemoryFiles();
        }

        var random = new Random(_random.Next());
        var options = new JournalOptions { FirstSegmentBytes = 64 * 1024, SegmentBytes = 256 * 1024 };
        var journals = new FileJournalStore(disk, "logs", options, Scheduler.Time, random);
        var store = new PaxosStore(
            settings,
            local is null ? null : journals,
            new("cluster", $"silo{silo}"),
            Network.TransportOf(address),
            Network.ViewOf(),
            new(Scheduler.Time, random, Scheduler),
            new ConsensusInstruments(),
            NullLoggerFactory.Instance);
        await store.StartAsync(CancellationToken.None);
        Network.Add(address, store.Target);
        Silos[silo] = store;
        Addresses[silo] = address;
        return store;
    }

    public async Task StartAllAsync()
    {
        for (var silo = 0; silo < Replicas.Count; silo++)
        {
            await StartAsync(silo);
        }
    }

    public async Task StopAsync(int silo)
    {
        Network.Remove(Addresses[silo]);
        await Silos[silo].StopAsync(CancellationToken.None);
        Silos.Remove(silo);
    }

    public void Run(Func<Task> test) => Scheduler.Run(test);

    public static RegisterId Register(string key) =>
        RegisterId.Create("test", "provider", "state", "grain"u8, Encoding.UTF8.GetBytes(key));

    public Task<ChangeResult> WriteAsync(
        int silo, string key, RegisterVersion? expected, string text, InDoubt? doubt = null)
    {
        var engine = Silos[silo].Engine;
        var payload = new PayloadBytes(Encoding.UTF8.GetBytes(text));
        var change = new Change.Write(engine.MintVersion(), doubt ?? InDoubt.None, expected, payload);
        return engine.ChangeAsync(Register(key), change, CancellationToken.None);
    }

    public Task<ChangeResult> ReadAsync(int silo, string key, InDoubt? doubt = null)
    {
        var engine = Silos[silo].Engine;
        var change = new Change.Read(engine.MintVersion(), doubt ?? InDoubt.None);
        return engine.ChangeAsync(Register(key), change, CancellationToken.None);
    }

    public Task<ChangeResult> ClearAsync(int silo, string key, RegisterVersion? expected)
    {
        var engine = Silos[silo].Engine;
        var change = new Change.Clear(engine.MintVersion(), InDoubt.None, expected);
        return engine.ChangeAsync(Register(key), change, CancellationToken.None);
    }

    /// <summary>The text of what a read found, null for none.</summary>
    public static string? TextOf(ChangeResult result)
    {
        var found = Assert.IsType<ChangeResult.Found>(result);
        return found.Value?.Payload is PayloadBytes payload ? Encoding.UTF8.GetString(payload.Bytes.Span) : null;
    }

    public static RegisterVersion VersionOf(ChangeResult result) =>
        Assert.IsType<ChangeResult.Applied>(result).Version!.Value;
}
