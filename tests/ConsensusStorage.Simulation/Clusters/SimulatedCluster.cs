using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Shares;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Clusters;

/// <summary>Silos with the shipped engine, replicas and log code, over memory files and a network of calls.</summary>
internal sealed class SimulatedCluster
{
    private static readonly ConsensusInstruments Instruments = new();
    private static readonly SiloAddress Visitor = SimulatedNetwork.Address(999);

    private readonly Random _random;
    private int _generation;

    public SimulatedCluster(int replicas = 3, int seed = 1)
    {
        _random = new(seed);
        Replicas = new(Enumerable.Range(0, replicas).Select(index => new ReplicaId($"r{index}")));
        Network = new(Scheduler);
    }

    public SimulatedScheduler Scheduler { get; } = new();

    public SimulatedNetwork Network { get; }

    public Dictionary<int, PaxosStore> Silos { get; } = [];

    public Dictionary<int, SiloAddress> Addresses { get; } = [];

    public ReplicaSet Replicas { get; }

    /// <summary>The disk of each silo; replace it to lose one.</summary>
    public Dictionary<int, IFileLayer> Disks { get; } = [];

    /// <summary>
    /// Where the logs of a silo's process are, by their name, if replicas float; they are shared by all silos.
    /// </summary>
    public Func<int, SimulatedProcess, TimeProvider, Random, Func<string, IJournalStore>>? Floating { get; set; }

    /// <summary>Where the logs are if they float in blobs; see <see cref="Float"/>.</summary>
    public BlobAccounts? Accounts { get; private set; }

    /// <summary>Where the logs are if they float in shared directories; see <see cref="Share"/>.</summary>
    public FileShares? Shares { get; private set; }

    /// <summary>What runs, or ran last, on each silo.</summary>
    public Dictionary<int, SimulatedProcess> Processes { get; } = [];

    /// <summary>Stands between the replica of a silo, at an address, and its log.</summary>
    public Func<SiloAddress, IJournalStore, IJournalStore> Intercept { get; set; } = (_, journals) => journals;

    /// <summary>The replica a silo hosts, if not the one of its number.</summary>
    public Dictionary<int, ReplicaId?> Locals { get; } = [];

    /// <summary>The settings of a silo, if not <see cref="Settings"/>.</summary>
    public Dictionary<int, StoreSettings> SettingsOf { get; } = [];

    /// <summary>Where silos log to.</summary>
    public ILoggerFactory Loggers { get; set; } = NullLoggerFactory.Instance;

    /// <summary>The clock of each silo that was started.</summary>
    public Dictionary<int, SiloClock> Clocks { get; } = [];

    public JournalOptions JournalOptions { get; set; } =
        new() { FirstSegmentBytes = 64 * 1024, SegmentBytes = 256 * 1024 };

    public StoreSettings Settings { get; set; } = new()
    {
        Service = "test",
        Store = "Default",
        Replicas = new([new("r0")]),
        Groups = 4,
        RequestTimeout = TimeSpan.FromSeconds(5),
        RoundTimeout = TimeSpan.FromSeconds(1),
    };

    /// <summary>Sets of logs.</summary>
    public int Shards => Floating is null ? 1 : Settings.Groups;

    /// <summary>Replicas float over storage accounts from here on.</summary>
    public BlobAccounts Float(int maxAppends)
    {
        var accounts = Accounts = new(Scheduler, Replicas, new(_random.Next())) { MaxAppends = maxAppends };
        Floating = (silo, process, time, random) => accounts.LogsOf(silo, process, time, random, JournalOptions);
        return accounts;
    }

    /// <summary>Replicas float over shared directories from here on.</summary>
    public FileShares Share()
    {
        var shares = Shares = new(Scheduler, Replicas, new(_random.Next()));
        Floating = (silo, process, time, random) => shares.LogsOf(silo, process, time, random, JournalOptions);
        return shares;
    }

    /// <summary>Starts a silo; it hosts the replica of its number if there is one.</summary>
    public async Task<PaxosStore> StartAsync(int silo)
    {
        var address = SimulatedNetwork.Address(silo, ++_generation);
        var local = LocalOf(silo);
        var settings = SettingsOf.GetValueOrDefault(silo, Settings) with
        {
            Local = local,
            Floats = Floating is not null,
        };
        settings = SettingsOf.ContainsKey(silo) ? settings : settings with { Replicas = Replicas };
        var process = Processes[silo] = new(Scheduler);
        var random = new Random(_random.Next());
        var time = new ProcessTime(Scheduler.Time, ClockOf(silo), process);
        var logs = Floating?.Invoke(silo, process, time, random) ?? LogsOn(new ProcessDisk(DiskOf(silo), process));
        var store = new PaxosStore(
            settings,
            name => Intercept(address, logs(name)),
            new("cluster", $"silo{silo}"),
            Network.TransportOf(address),
            () => Network.ViewOf(address),
            new(time, random, process),
            Instruments,
            Loggers);
        await process.RunAsync(() => store.StartAsync(CancellationToken.None));
        Network.Add(address, store.Targets, process);
        Silos[silo] = store;
        Addresses[silo] = address;
        return store;

        Func<string, IJournalStore> LogsOn(IFileLayer disk) =>
            _ => new FileJournalStore(disk, "logs", JournalOptions, time, random);
    }

    /// <summary>A silo leaves in peace: everybody knows, it hands over what it hosts, and stops.</summary>
    /// <exception cref="IOException">Its process ended before it was done.</exception>
    public async Task LeaveAsync(int silo)
    {
        var store = Silos[silo];
        Network.Leaving.Add(Addresses[silo]);
        Network.Changed();
        await Processes[silo].RunAsync(() => store.LeaveAsync(CancellationToken.None));
        if (Silos.GetValueOrDefault(silo) == store)
        {
            await StopAsync(silo);
        }
    }

    public async Task StartAllAsync()
    {
        for (var silo = 0; silo < Replicas.Count; silo++)
        {
            await StartAsync(silo);
        }
    }

    /// <summary>Lets each silo look for all replicas in peace; a quorum is enough to begin with.</summary>
    public Task FindOneAnotherAsync() => PassAsync(10_000);

    public async Task StopAsync(int silo)
    {
        var (store, process) = (Silos[silo], Processes[silo]);
        Network.Remove(Addresses[silo]);
        try
        {
            await process.RunAsync(() => store.StopAsync(CancellationToken.None));
        }
        catch (IOException) when (process.HasEnded)
        {
            // It was killed while it stopped.
        }

        process.End();
        if (Silos.GetValueOrDefault(silo) == store)
        {
            Silos.Remove(silo);
        }
    }

    /// <summary>
    /// The power goes: nothing more gets in or out, what was not flushed is lost. The membership does not know until
    /// the address is removed from the network; the silo can be started again at once, with another address.
    /// </summary>
    /// <param name="killed">Only the process ends; what it has written stays.</param>
    public void Crash(int silo, bool killed = false)
    {
        if (Addresses.TryGetValue(silo, out var address))
        {
            Network.Cut(address);
        }

        Processes[silo].End();
        if (DiskOf(silo) is FaultyFiles files)
        {
            (killed ? files.Kill : (Action)files.Crash)();
        }

        if (!killed)
        {
            Shares?.Crash(Processes[silo]);
        }

        Silos.Remove(silo);
    }

    public IFileLayer DiskOf(int silo)
    {
        if (!Disks.TryGetValue(silo, out var disk))
        {
            Disks[silo] = disk = new MemoryFiles();
        }

        return disk;
    }

    public SiloClock ClockOf(int silo)
    {
        if (!Clocks.TryGetValue(silo, out var clock))
        {
            Clocks[silo] = clock = new(Scheduler.Time);
        }

        return clock;
    }

    private ReplicaId? LocalOf(int silo) =>
        Floating is not null ? null
        : Locals.TryGetValue(silo, out var other) ? other
        : silo < Replicas.Count ? Replicas[silo]
        : null;

    /// <summary>Opens the log of a silo that does not run, to look at it.</summary>
    public ValueTask<IJournal> OpenLogAsync(int silo, ReplicaId replica, JournalReplay replay)
    {
        IJournalStore journals = new FileJournalStore(
            DiskOf(silo), "logs", JournalOptions, Scheduler.Time, _random);
        return OpenAsync(
            Addresses.TryGetValue(silo, out var address) ? Intercept(address, journals) : journals,
            Settings,
            replica,
            replay);
    }

    /// <summary>Opens a log that floats when no silo runs, to look at it.</summary>
    public ValueTask<IJournal> OpenFloatingLogAsync(int shard, ReplicaId replica, JournalReplay replay)
    {
        var settings = (Settings with { Floats = true }).OfShard(shard);
        var journals = Shares?.LogsOf(settings.Store, _random, JournalOptions)
            ?? Accounts!.LogsOf(settings.Store, _random, JournalOptions);
        return OpenAsync(Intercept(Visitor, journals), settings, replica, replay);
    }

    private ValueTask<IJournal> OpenAsync(
        IJournalStore journals, StoreSettings settings, ReplicaId replica, JournalReplay replay)
    {
        var identity = new JournalIdentity(
            settings.Service,
            settings.Store,
            replica,
            Replicas.ToString(),
            settings.Groups,
            settings.Generation,
            default);
        return journals.OpenAsync(identity, new("cluster", "test"), null, replay, CancellationToken.None);
    }

    /// <summary>Lets simulated time pass.</summary>
    public Task PassAsync(double milliseconds) => Scheduler.Time.Pass(TimeSpan.FromMilliseconds(milliseconds));

    public void Run(Func<Task> test, TimeSpan? atMost = null) => Scheduler.Run(test, atMost);

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
        var found = (ChangeResult.Found)result;
        return found.Value?.Payload is PayloadBytes payload ? Encoding.UTF8.GetString(payload.Bytes.Span) : null;
    }

    public static RegisterVersion VersionOf(ChangeResult result) =>
        ((ChangeResult.Applied)result).Version!.Value;
}
