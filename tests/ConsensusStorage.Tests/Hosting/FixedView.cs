using System.Collections.Immutable;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>A membership in which nothing happens.</summary>
internal sealed class FixedView(ImmutableArray<SiloAddress> silos) : IMembershipView
{
    public ImmutableArray<SiloAddress> LiveSilos => silos;

    public ImmutableArray<SiloAddress> StayingSilos => silos;

    public ImmutableArray<SiloAddress> LeavingSilos => [];

    public long Version => 1;

    public Task ChangedAsync(CancellationToken cancellationToken) => new TaskCompletionSource().Task;
}
