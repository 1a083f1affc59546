using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// What shares one set of logs: all groups of a store whose replicas are pinned, or one group of a store whose replicas
/// float. Knows where its replicas are, the ways to them, and those that this silo hosts.
/// </summary>
internal sealed class Shard : ITransportTarget
{
    /// <summary>Links from other silos that are told apart: one for each silo and hosted replica.</summary>
    private const int MaxLinks = 4096;

    private readonly StoreSettings _settings;
    private readonly IReplicaHost _host;
    private readonly Farewell _farewell;
    private volatile bool _isDone;
    private readonly DeliveredBatches _delivered = new(MaxLinks);

    /// <param name="number">Counted from 0.</param>
    /// <param name="settings">The whole store's.</param>
    /// <param name="journals">Where logs are, by the name of a set of them; null if this silo hosts none.</param>
    public Shard(
        int number,
        StoreSettings settings,
        Func<string, IJournalStore>? journals,
        JournalOwner owner,
        ITransport transport,
        IMembershipView membership,
        StoreEnvironment environment,
        ConsensusInstruments instruments,
        ILogger logger)
    {
        var own = settings.OfShard(number);
        _settings = own;
        Directory = new(own, transport, membership, Describe, environment.Time, logger);
        var sizes = new StateSizes();
        Links =
        [
            .. Enumerable.Range(0, own.Replicas.Count).Select(replica => new ReplicaLink(
                replica, own, Directory, sizes, transport, environment, instruments)),
        ];
        var logs = own.Floats || own.Local is not null ? journals?.Invoke(own.Store) : null;
        (IJournalStore, string)? marks = own.Floats && journals is not null
            ? (journals(settings.Store), settings.Store)
            : null;
        _host = own switch
        {
            { Floats: true } when logs is not null => new FloatingReplicas(
                number, settings, Directory, environment, instruments, logs.IsExclusive, Host),
            { Floats: false, Local: { } local } => new PinnedReplica(Host(local)),
            _ => new PinnedReplica(null),
        };
        _farewell = new(own, Directory, membership, _host, environment.Time);

        HostedReplica Host(ReplicaId replica)
        {
            ArgumentNullException.ThrowIfNull(logs);
            var log = new HostedLog(replica, own, logs, marks, owner, Directory, environment.Random);
            return new(replica, own, log, Directory, environment, instruments, logger);
        }
    }

    /// <summary>What other silos ask it by.</summary>
    public string Name => _settings.Store;

    public ReplicaDirectory Directory { get; }

    /// <summary>The way to each replica, in order.</summary>
    public ReplicaLink[] Links { get; }

    /// <summary>The replicas that this silo hosts, in any state.</summary>
    public IReadOnlyCollection<HostedReplica> Hosted => _host.Hosted;

    /// <summary>Bytes that wait to be sent to the replica for which most wait.</summary>
    public long QueuedBytes => Links.Max(link => link.QueuedBytes);

    /// <summary>Bytes that wait for the replicas hosted here, and bytes of state they keep, each at most.</summary>
    public (long Waiting, long Cached) HostedBytes
    {
        get
        {
            var bytes = _host.Hosted.Select(replica => replica.Bytes).DefaultIfEmpty().ToList();
            return (bytes.Max(one => one.Waiting), bytes.Max(one => one.Cached));
        }
    }

    public Task OpenAsync(CancellationToken cancellationToken) => _host.OpenAsync(cancellationToken);

    /// <summary>The loops that find and reach replicas.</summary>
    public IEnumerable<Func<Task>> Loops => [Directory.RunAsync, .. Links.Select(link => (Func<Task>)link.RunAsync)];

    /// <summary>Serves the hosted replicas until <see cref="Stop"/>.</summary>
    public Task ServeAsync() => _host.RunAsync();

    /// <summary>The grains of this silo have written their last: it goes on for others as long as it has to.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        _isDone = true;
        await _farewell.WaitAsync(cancellationToken);
        await _host.LeaveAsync(cancellationToken);
    }

    public void Stop()
    {
        _host.Stop();
        Directory.Stop();
        foreach (var link in Links)
        {
            link.Stop();
        }
    }

    public Task<BatchReply> HandleAsync(RequestBatch batch, CancellationToken cancellationToken)
    {
        if (!_delivered.TryTake(batch.Id))
        {
            return Task.FromResult(BatchReply.Refused("This message came before; a copy of it is not looked at."));
        }

        var hosted = batch.Store == Name ? _host.Find(batch.Replica) : null;
        return hosted?.HandleAsync(batch) ?? Task.FromResult(
            BatchReply.Refused($"This silo does not host replica {batch.Replica} of {batch.Store}."));
    }

    public StoreDescription Describe() =>
        new(_settings.Shape, [.. _host.Hosted.Select(replica => replica.Describe())]) { IsDone = _isDone };
}
