using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.Operations;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>The HTTP server of one process.</summary>
internal static class BankServer
{
    public static WebApplication Build(IBankCluster cluster, IPEndPoint endpoint)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        QuietLogging.Configure(builder.Logging);

        // What fails is answered, and logged by the middleware where it matters.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Error);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BankApi.MaxBodyBytes;
            kestrel.Listen(endpoint);
        });

        Telemetry.Configure(builder);
        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseMiddleware<OwnPagesMiddleware>();
        app.UseRouting();
        var calls = new GrainCalls(cluster, TimeProvider.System);
        new BankApi(calls, cluster).Map(app);
        new StandingOrderApi(calls).Map(app);
        new HealthApi(cluster).Map(app);
        OperatorPage.Map(app);
        app.MapPrometheusScrapingEndpoint();
        return app;
    }

    /// <summary>Starts listening and returns the address.</summary>
    /// <exception cref="StartException">The address or the port can't be used.</exception>
    public static async Task<string> ListenAsync(
        WebApplication app, IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new StartException(
                $"HTTP port {endpoint.Port} can't be used ({StartException.Explain(exception)}). Perhaps the bank runs "
                + "already; otherwise choose another port with --http-port.",
                exception);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw new StartException($"{endpoint.Address} is not an address of this machine (--host).", exception);
        }
        catch (SocketException exception)
        {
            throw new StartException(
                $"HTTP address {endpoint} can't be used ({exception.Message}): choose another with --host and "
                + "--http-port.",
                exception);
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        return addresses?.Addresses.FirstOrDefault() ?? $"http://{endpoint}";
    }
}
