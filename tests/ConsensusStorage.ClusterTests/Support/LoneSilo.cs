using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// A host with one silo. It also stops a silo that failed to start: one that is only disposed of, as TestingHost does
/// it, leaves a loop of Orleans' grain directory behind that keeps a core busy until the process ends.
/// </summary>
internal static class LoneSilo
{
    /// <summary>Starts silo <paramref name="number"/> of a plan, a cluster by itself, and stops it again.</summary>
    public static async Task RunAsync(ClusterPlan plan, int number)
    {
        plan = await plan.WithAccountsAsync();
        var builder = CreateBuilder();
        builder.UseOrleans(silo =>
        {
            var siloPort = FreePort();
            silo.UseLocalhostClustering(siloPort, FreePort(), null, plan.Service, "lone");
            silo.Configure<SiloOptions>(options => options.SiloName = $"Silo_{number}");
            plan.Configure(number, silo);
        });
        await RunAsync(builder, _ => Task.CompletedTask);
    }

    /// <summary>A builder that reads no settings and catches no Ctrl-C.</summary>
    public static HostApplicationBuilder CreateBuilder()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        return builder;
    }

    /// <summary>A builder that reads these settings, which stand in the section Orleans, and nothing else.</summary>
    public static HostApplicationBuilder CreateBuilder(string settings)
    {
        var builder = CreateBuilder();
        builder.Configuration.AddJsonStream(
            new MemoryStream(Encoding.UTF8.GetBytes($$"""{ "Orleans": { {{settings}} } }""")));
        return builder;
    }

    /// <summary>Starts, uses and stops it.</summary>
    public static async Task RunAsync(HostApplicationBuilder builder, Func<IServiceProvider, Task> use)
    {
        using var host = builder.Build();
        await StartAsync(host);
        try
        {
            await use(host.Services);
        }
        finally
        {
            await host.StopAsync();
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task StartAsync(IHost host)
    {
        try
        {
            await host.StartAsync();
        }
        catch
        {
            await StopGrainDirectoryAsync(host.Services);
            throw;
        }
    }

    /// <summary>A silo that has not started refuses to stop, so what it must stop is asked to do it here.</summary>
    private static async Task StopGrainDirectoryAsync(IServiceProvider services)
    {
        var lifecycle = new StopsOnly();
        services.GetServices<ILifecycleParticipant<ISiloLifecycle>>()
            .Single(participant => participant.GetType().Name == "LocalGrainDirectory")
            .Participate(lifecycle);
        foreach (var observer in lifecycle.Observers)
        {
            await observer.OnStop(CancellationToken.None);
        }
    }

    /// <summary>Collects who wants to be stopped.</summary>
    private sealed class StopsOnly : ISiloLifecycle, IDisposable
    {
        public List<ILifecycleObserver> Observers { get; } = [];

        public int HighestCompletedStage => 0;

        public int LowestStoppedStage => 0;

        public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
        {
            Observers.Add(observer);
            return this;
        }

        public void Dispose() => Observers.Clear();
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
