using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Transport;

public sealed class DeadSiloTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly EchoCluster _cluster = new();

    public async ValueTask InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _cluster.AddTargets();
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_dead_silo_leaves_the_view_and_calls_to_it_fail_at_once()
    {
        var view = _cluster.First.ServiceProvider.GetRequiredService<IMembershipView>();
        var dead = _cluster.Second.SiloAddress;
        await UntilAsync(view, silos => silos.Contains(dead));
        await _cluster.Transport.SendAsync(dead, Batches.Accept([1]), CancellationToken.None);
        await _cluster.KillAsync(_cluster.Second);
        var started = Stopwatch.GetTimestamp();

        await Assert.ThrowsAsync<SiloUnavailableException>(
            () => _cluster.Transport.SendAsync(dead, Batches.Accept([1]), CancellationToken.None));

        Assert.True(Stopwatch.GetElapsedTime(started) < Soon);
        await UntilAsync(view, silos => !silos.Contains(dead));
        Assert.Equal([_cluster.First.SiloAddress], view.LiveSilos);
    }

    private static async Task UntilAsync(IMembershipView view, Func<IReadOnlyList<SiloAddress>, bool> reached)
    {
        using var timeout = new CancellationTokenSource(Soon);
        while (!reached(view.LiveSilos))
        {
            await view.ChangedAsync(timeout.Token);
        }
    }
}
