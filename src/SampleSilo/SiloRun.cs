using System.Diagnostics;
using System.Net;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo;

/// <summary>One silo of the bank from start to stop, with the HTTP API, in a process of its own.</summary>
internal static class SiloRun
{
    /// <summary>Runs until Ctrl-C or SIGTERM; returns the exit code.</summary>
    public static Task<int> RunAsync(SiloCommandOptions options) =>
        BankRun.UntilStoppedAsync(
            () => new LoneCluster(SettingsOf(options), Process.GetCurrentProcess().Kill),
            (cluster, stop) => RunAsync(cluster, options, stop));

    private static async Task RunAsync(LoneCluster cluster, SiloCommandOptions options, CancellationToken stop)
    {
        await BankRun.ServeAsync(
            cluster,
            new(IPAddress.Parse(options.Host), options.HttpPort),
            async address =>
            {
                Console.WriteLine($"Silo '{options.Name}' starts: HTTP API on {address}");
                await cluster.StartAsync(stop);
                Console.WriteLine($"Joined: {address}");
                await BankRun.WaitForStoreAsync(cluster, patience: null, stop);
                Console.WriteLine($"Ready: {address}");
                await Task.Delay(Timeout.Infinite, stop);
            },
            stop);
    }

    private static BankSiloSettings SettingsOf(SiloCommandOptions options)
    {
        var replicas = options.ReplicaNames;
        return new()
        {
            Name = options.Name,
            ChecksName = true,
            Host = IPAddress.Parse(options.Host),
            SiloPort = options.SiloPort,
            GatewayPort = options.GatewayPort,
            Replicas = replicas,
            Replica = options.Replica,
            Groups = options.Groups,
            DataDirectory = options.IsAzure ? "" : BankRun.CreateDirectory("data", options.Data),
            ClusterDirectory = options.IsAzure ? "" : BankRun.CreateDirectory("cluster", options.Cluster!),
            Accounts = BankSiloSettings.AccountsOf(replicas, options.Connections),
            Container = options.Container,
        };
    }
}
