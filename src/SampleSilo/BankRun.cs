using System.Net;
using System.Runtime.InteropServices;
using Orleans.Consensus.SampleSilo.Api;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo;

/// <summary>What all runs of the bank have in common: signals, exit codes, the HTTP server.</summary>
internal static class BankRun
{
    private static readonly TimeSpan HttpStopTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Runs until Ctrl-C or SIGTERM, and stops the cluster; returns the exit code.</summary>
    public static async Task<int> UntilStoppedAsync<TCluster>(
        Func<TCluster> create, Func<TCluster, CancellationToken, Task> run)
        where TCluster : IOwnCluster
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        var code = 0;
        try
        {
            var cluster = create();
            try
            {
                await run(cluster, stop.Token);
            }
            finally
            {
                code = await cluster.StopAsync() ? 0 : BankCommandLine.Failure;
            }
        }
        catch (Exception exception)
            when (stop.IsCancellationRequested && exception is (OperationCanceledException or OrleansException))
        {
            // Orleans has an exception of its own for a start that was called off.
        }
        catch (StartException exception)
        {
            await Console.Error.WriteLineAsync($"The bank could not start: {exception.Message}");
            code = BankCommandLine.Failure;
        }

        return code;
    }

    /// <summary>Serves a cluster over HTTP.</summary>
    /// <param name="work">Given the address; it is served for as long as this takes.</param>
    public static async Task ServeAsync(
        IBankCluster cluster, IPEndPoint endpoint, Func<string, Task> work, CancellationToken stop)
    {
        await using var server = BankServer.Build(cluster, endpoint);
        var address = await BankServer.ListenAsync(server, endpoint, stop);
        try
        {
            await work(address);
        }
        finally
        {
            if (stop.IsCancellationRequested)
            {
                Console.WriteLine("Stopping.");
            }

            using var timeout = new CancellationTokenSource(HttpStopTimeout);
            await server.StopAsync(timeout.Token);
        }
    }

    /// <summary>Waits until a grain's state can be read: a quorum of replicas answers.</summary>
    /// <param name="patience">For how long; null for as long as it takes.</param>
    /// <exception cref="StartException">None has answered for so long.</exception>
    public static async Task WaitForStoreAsync(IBankCluster cluster, TimeSpan? patience, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(patience ?? Timeout.InfiniteTimeSpan);
        var calls = new GrainCalls(cluster, TimeProvider.System);
        while (true)
        {
            try
            {
                await calls.CallAsync(grains => grains.GetGrain<IAccountGrain>("alice").GetAsync(fresh: true));
                return;
            }
            catch (BankUnavailableException exception) when (!timeout.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync($"Waiting for the replicas: {exception.Message}");
            }
            catch (BankUnavailableException exception) when (!stop.IsCancellationRequested)
            {
                throw new StartException($"the replicas do not answer: {exception.Message}", exception);
            }
        }
    }

    /// <summary>The full path of a directory, which is there from now on.</summary>
    /// <exception cref="StartException">It can't be used.</exception>
    public static string CreateDirectory(string what, string path)
    {
        try
        {
            return Directory.CreateDirectory(path).FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException($"the {what} directory '{path}' can't be used: {exception.Message}", exception);
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        // The second Ctrl-C does what it usually does.
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }
}
