using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Orleans.Consensus.Transport;

/// <summary>
/// The silos that can answer: joining, active, or on their way out but not gone; always this one. Follows Orleans'
/// membership between start and end. Thread-safe; each that waits for changes needs a reader of its own.
/// </summary>
internal sealed partial class OrleansMembershipView
    : ILifecycleParticipant<ISiloLifecycle>, IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly IClusterMembershipService _membership;
    private readonly SiloAddress _local;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile View _view;
    private Task? _loop;

    public OrleansMembershipView(
        IClusterMembershipService membership,
        ILocalSiloDetails local,
        [FromKeyedServices(ConsensusTimeProviderNames.Consensus)] TimeProvider time,
        ILogger<OrleansMembershipView> logger)
    {
        _membership = membership;
        _local = local.SiloAddress;
        _time = time;
        _logger = logger;
        _view = new([_local], [], [], 0);
    }

    /// <summary>The silos now, ordered.</summary>
    public ImmutableArray<SiloAddress> Silos => _view.Silos;

    /// <summary>A view for one reader, who need not close it.</summary>
    public IMembershipView CreateReader() => new Reader(this);

    /// <summary>Starts to follow the membership; does nothing the second time, or after the end.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_loop is not null || _stop.IsCancellationRequested)
            {
                return;
            }

            using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
            {
                _loop = Task.Factory
                    .StartNew(
                        FollowAsync,
                        CancellationToken.None,
                        TaskCreationOptions.DenyChildAttach,
                        TaskScheduler.Default)
                    .Unwrap();
            }
        }
    }

    /// <summary>Ends it; the last view stays.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await (_loop ?? Task.CompletedTask);
    }

    /// <summary>Ends it, without waiting.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stop.Cancel();
        }
    }

    void ILifecycleParticipant<ISiloLifecycle>.Participate(ISiloLifecycle observer) =>
        observer.Subscribe(
            nameof(OrleansMembershipView),
            ServiceLifecycleStage.RuntimeStorageServices,
            _ =>
            {
                Start();
                return Task.CompletedTask;
            },
            _ => DisposeAsync().AsTask());

    private async Task FollowAsync()
    {
        try
        {
            while (!await FollowToEndAsync())
            {
                await Task.Delay(RetryPause, _time, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<bool> FollowToEndAsync()
    {
        try
        {
            await foreach (var snapshot in _membership.MembershipUpdates.WithCancellation(_stop.Token))
            {
                Publish(snapshot);
            }

            return true;
        }
        catch (Exception exception) when (!_stop.IsCancellationRequested)
        {
            LogFailed(_logger, exception);
            return false;
        }
    }

    private void Publish(ClusterMembershipSnapshot snapshot)
    {
        var silos = snapshot.Members.Values
            .Where(member => CanAnswer(member.Status))
            .Select(member => member.SiloAddress)
            .Append(_local)
            .Distinct()
            .Order()
            .ToImmutableArray();
        var staying = snapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active)
            .Select(member => member.SiloAddress)
            .Order()
            .ToImmutableArray();
        var leaving = snapshot.Members.Values
            .Where(member => member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping)
            .Select(member => member.SiloAddress)
            .ToImmutableArray();
        var before = _view;
        if (!silos.AsSpan().SequenceEqual(before.Silos.AsSpan())
            || !staying.AsSpan().SequenceEqual(before.Staying.AsSpan()))
        {
            _view = new(silos, staying, leaving, snapshot.Version.Value);
            before.Changed.SetResult();
        }
    }

    private static bool CanAnswer(SiloStatus status) =>
        status is SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;

    [LoggerMessage(153, LogLevel.Error, "The cluster membership could not be followed; it is tried again.")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    /// <summary>One state of the view, and the signal that there is a newer one.</summary>
    private sealed record View(
        ImmutableArray<SiloAddress> Silos,
        ImmutableArray<SiloAddress> Staying,
        ImmutableArray<SiloAddress> Leaving,
        long Version)
    {
        public TaskCompletionSource Changed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Remembers what its user has seen; a change that was told once is not told again.</summary>
    private sealed class Reader(OrleansMembershipView owner) : IMembershipView
    {
        private volatile View _seen = owner._view;

        public ImmutableArray<SiloAddress> LiveSilos
        {
            get
            {
                var view = owner._view;
                _seen = view;
                return view.Silos;
            }
        }

        public ImmutableArray<SiloAddress> StayingSilos => owner._view.Staying;

        public ImmutableArray<SiloAddress> LeavingSilos => owner._view.Leaving;

        public long Version => owner._view.Version;

        public async Task ChangedAsync(CancellationToken cancellationToken)
        {
            await _seen.Changed.Task.WaitAsync(cancellationToken);
            _seen = owner._view;
        }
    }
}
