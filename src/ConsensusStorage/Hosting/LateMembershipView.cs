using System.Collections.Immutable;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Shows a store nobody but this silo until it is opened: others refuse a silo that is not in their membership table
/// yet. Thread-safe; one reader.
/// </summary>
internal sealed class LateMembershipView(IMembershipView view, SiloAddress local) : IMembershipView
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImmutableArray<SiloAddress> LiveSilos => _opened.Task.IsCompleted ? view.LiveSilos : [local];

    public ImmutableArray<SiloAddress> StayingSilos => _opened.Task.IsCompleted ? view.StayingSilos : [];

    public ImmutableArray<SiloAddress> LeavingSilos => _opened.Task.IsCompleted ? view.LeavingSilos : [];

    public long Version => view.Version;

    public void Open() => _opened.TrySetResult();

    /// <summary>Opening is a change by itself.</summary>
    public Task ChangedAsync(CancellationToken cancellationToken) => _opened.Task.IsCompleted
        ? view.ChangedAsync(cancellationToken)
        : _opened.Task.WaitAsync(cancellationToken);
}
