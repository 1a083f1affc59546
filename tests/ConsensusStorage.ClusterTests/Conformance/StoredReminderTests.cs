using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Reminders;
using Orleans.Consensus.Tests.Reminders;

namespace Orleans.Consensus.ClusterTests.Conformance;

/// <summary>Reminder tables of different silos over one store, in the bytes that are shipped.</summary>
[Collection(nameof(SharedCluster))]
public sealed class StoredReminderTests(SharedCluster shared) : ReminderTableCases(ranges: 20), IAsyncLifetime
{
    private int _tables;

    public async ValueTask InitializeAsync() => await NewTable().TestOnlyClearTable();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private protected override ConsensusReminderTable NewTable() =>
        new(shared.Cluster.Storage(_tables++ % 3, SharedCluster.Binary), Settings, TimeProvider.System, Random.Shared);
}
