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
        if (!options.IsAzure)
        {
            CheckMembership(options.Data, options.Cluster!, options.NewMembership);
        }

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

    /// <summary>
    /// A silo that has been one of a bank does not begin another membership in the place of one that is gone, as where
    /// a directory is not mounted: the others would go on with the one they know.
    /// </summary>
    /// <exception cref="StartException">There is a log, and no membership; or a new one is to begin where one is.
    /// </exception>
    private static void CheckMembership(string data, string cluster, bool mayBegin)
    {
        if (File.Exists(Path.Combine(cluster, BankSiloSettings.MembershipDocument)))
        {
            if (mayBegin)
            {
                throw new StartException(
                    $"the bank's membership is in '{cluster}', so none can begin. Leave --new-membership out.");
            }
        }
        else if (!mayBegin && HoldsLog(data))
        {
            throw new StartException(
                $"the bank's membership is not in '{cluster}', and '{data}' holds a log that was in use. Is it the "
                + "right directory, and mounted? To begin a new membership, when no silo of the bank runs, start one "
                + "with --new-membership.");
        }
    }

    private static bool HoldsLog(string data) => Directory.Exists(data) && Directory.EnumerateFiles(
        data, "segment-*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Any();
}
