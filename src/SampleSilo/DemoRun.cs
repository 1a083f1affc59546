using System.Runtime.InteropServices;
using Orleans.Consensus.SampleSilo.Api;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo;

/// <summary>The demo from start to stop: all silos and the HTTP API in this process.</summary>
internal static class DemoRun
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HttpStopTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Runs until Ctrl-C or SIGTERM; returns the exit code.</summary>
    public static async Task<int> RunAsync(DemoOptions options)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        try
        {
            await RunAsync(options, stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (StartException exception)
        {
            await Console.Error.WriteLineAsync($"The bank could not start: {exception.Message}");
            return BankCommandLine.Failure;
        }
    }

    private static async Task RunAsync(DemoOptions options, CancellationToken stop)
    {
        var data = options.IsAzure ? "" : CreateDirectory(options.Data);
        var plan = DemoCluster.Plan(options, data);
        await using var cluster = new DemoCluster(plan);
        await using var server = BankServer.Build(cluster, options.HttpPort);
        var address = await BankServer.ListenAsync(server, options.HttpPort, stop);
        try
        {
            Console.WriteLine(Banner.Starting(options, data));
            await cluster.StartAsync(stop);
            await WaitForStoreAsync(cluster, stop);
            Console.WriteLine($"Ready: {address}");
            Console.WriteLine(Banner.Next(address, options.Silos));
            await Task.Delay(Timeout.Infinite, stop);
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

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        // The second Ctrl-C does what it usually does.
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }

    private static string CreateDirectory(string data)
    {
        try
        {
            return Directory.CreateDirectory(data).FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException($"the data directory '{data}' can't be used: {exception.Message}", exception);
        }
    }

    /// <summary>Waits until a grain's state can be read: a quorum of replicas answers.</summary>
    private static async Task WaitForStoreAsync(DemoCluster cluster, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(ReadyTimeout);
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
}
