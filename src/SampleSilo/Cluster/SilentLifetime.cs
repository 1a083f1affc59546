namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// A host's lifetime that listens to nobody. With the usual one each host of the process would stop at Ctrl-C by
/// itself, in no particular order.
/// </summary>
internal sealed class SilentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
