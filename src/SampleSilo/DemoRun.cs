using System.Net;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo;

/// <summary>The demo from start to stop: all silos and the HTTP API in this process.</summary>
internal static class DemoRun
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Runs until Ctrl-C or SIGTERM; returns the exit code.</summary>
    public static Task<int> RunAsync(DemoOptions options)
    {
        var data = "";
        return BankRun.UntilStoppedAsync(
            () =>
            {
                data = options.IsAzure ? "" : BankRun.CreateDirectory("data", options.Data);
                return new DemoCluster(DemoCluster.Plan(options, data));
            },
            (cluster, stop) => RunAsync(cluster, options, data, stop));
    }

    private static async Task RunAsync(
        DemoCluster cluster, DemoOptions options, string data, CancellationToken stop)
    {
        await BankRun.ServeAsync(
            cluster,
            new(IPAddress.Loopback, options.HttpPort),
            async address =>
            {
                Console.WriteLine(Banner.Starting(options, data));
                await cluster.StartAsync(stop);
                await BankRun.WaitForStoreAsync(cluster, ReadyTimeout, stop);
                Console.WriteLine($"Ready: {address}");
                Console.WriteLine(Banner.Next(address, options.Silos));
                await Task.Delay(Timeout.Infinite, stop);
            },
            stop);
    }
}
