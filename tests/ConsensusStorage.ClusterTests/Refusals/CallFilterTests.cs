using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Transport;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Refusals;

/// <summary>An application filters all calls of its silos, those of the store too.</summary>
public sealed class CallFilterTests
{
    private const string Why = "Calls without a tenant are not allowed here.";

    [Fact]
    public async Task A_filter_that_refuses_the_calls_of_the_store_is_told_as_the_cause()
    {
        using var directory = new TemporaryDirectory();
        var refuses = false;
        await using var cluster = await TestedCluster.StartAsync(new()
        {
            Directory = directory.Path,
            RequestTimeout = TimeSpan.FromSeconds(3),
            Silo = (_, silo) => silo.AddIncomingGrainCallFilter(context =>
                Volatile.Read(ref refuses) && context.InterfaceMethod.DeclaringType == typeof(IConsensusGrainService)
                    ? Task.FromException(new UnauthorizedAccessException(Why))
                    : context.Invoke()),
        });
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        await client.WriteAsync(1);

        Volatile.Write(ref refuses, true);
        var failure = await Assert.ThrowsAsync<ConsensusUnavailableException>(client.ReadAsync);

        Assert.Contains(Why.TrimEnd('.'), failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("no live silo", failure.Message, StringComparison.OrdinalIgnoreCase);
        Volatile.Write(ref refuses, false);
        await Eventually.SucceedsAsync(client.ReadAsync);
    }
}
