using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>
/// An application that has nothing but a directory: states, transactions, subscriptions, reminders and the membership
/// itself are in it, set up by settings alone, and a client finds the silos by it.
/// </summary>
public sealed class WholeApplicationTests : IDisposable
{
    private const int Silos = 3;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly TemporaryDirectory _directory = new();
    private readonly int[] _ports = [.. Enumerable.Range(0, 2 * Silos).Select(_ => LoneSilo.FreePort())];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task It_goes_on_without_the_silo_of_its_client_and_after_a_restart_of_all()
    {
        await RunAsync(async (client, silos) =>
        {
            await UseAsync(client, number: 1, subscribe: true);
            await silos[0].StopAsync(new CancellationToken(canceled: true));
            await UseAsync(client, number: 2, subscribe: false);
        });

        await RunAsync((client, _) => UseAsync(client, number: 3, subscribe: false));
    }

    /// <summary>Every kind of state has what was done before, and takes more.</summary>
    private static async Task UseAsync(IClusterClient client, int number, bool subscribe)
    {
        var counter = client.GetGrain<ICounterGrain>("counter");
        var request = Guid.NewGuid();
        Assert.Equal(number, await Eventually.SucceedsAsync(() => counter.AddAsync(request)));

        var desk = client.GetGrain<ITransferDesk>(0);
        await Eventually.SucceedsAsync(() => desk.MoveAsync(0, 1, 10));
        var balances = await Eventually.SucceedsAsync(() => desk.ReadAllAsync(2));
        Assert.Equal(2 * TransactionalAccount.Opening, balances.Sum());
        Assert.True(balances[0] <= TransactionalAccount.Opening - (10 * number), string.Join(", ", balances));

        var alarm = client.GetGrain<IAlarmGrain>("alarm");
        var listener = client.GetGrain<IListenerGrain>("listener");
        if (subscribe)
        {
            await alarm.SetAsync(Period);
            await listener.SubscribeAsync();
        }

        await ReminderTests.UntilItTicksAsync(alarm);
        await StreamTests.UntilHeardAsync(client, "listener", number);
        Assert.Equal(Enumerable.Range(1, number), (await listener.HeardAsync()).Distinct().Order());
    }

    /// <summary>Starts all, and a client, and stops them again.</summary>
    private async Task RunAsync(Func<IClusterClient, IReadOnlyList<IHost>, Task> use)
    {
        var silos = Enumerable.Range(0, Silos).Select(SiloOf).ToList();
        using var client = ClientOf();
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.StartAsync()));
            await client.StartAsync();
            await use(client.Services.GetRequiredService<IClusterClient>(), silos);
        }
        finally
        {
            await client.StopAsync();
            await Task.WhenAll(silos.Select(silo => silo.StopAsync()));
            silos.ForEach(silo => silo.Dispose());
        }
    }

    private IHost SiloOf(int number)
    {
        const string store = """ "ProviderType": "Consensus", "StoreName": "main" """;
        var builder = BuilderOf($$"""
            "Name": "silo{{number}}",
            "Endpoints": {
              "AdvertisedIPAddress": "127.0.0.1",
              "SiloPort": {{_ports[number]}}, "GatewayPort": {{_ports[Silos + number]}}
            },
            "ConsensusStores": {
              "main": {
                "DataDirectory": "{{_directory.Path}}", "Replicas": ["r0", "r1", "r2"], "ReplicaId": "r{{number}}"
              }
            },
            "GrainStorage": {
              "Default": { {{store}} }, "PubSubStore": { {{store}} },
              "{{TransactionalAccount.Storage}}": { {{store}} }
            },
            "Reminders": { {{store}} },
            """);
        builder.UseOrleans(silo =>
        {
            silo.UseTransactions();
            silo.AddMemoryStreams(ListenerGrain.Provider);
            silo.Configure<ReminderOptions>(options =>
            {
                options.MinimumReminderPeriod = Period;
                options.RefreshReminderListPeriod = TimeSpan.FromSeconds(10);
            });
            silo.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedProbesLimit = 3;
                options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            });
        });
        return builder.Build();
    }

    private IHost ClientOf()
    {
        var builder = BuilderOf("");
        builder.UseOrleansClient(client =>
        {
            client.AddMemoryStreams(ListenerGrain.Provider);
            client.UseTransactions();
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
        });
        return builder.Build();
    }

    private HostApplicationBuilder BuilderOf(string settings) => LoneSilo.CreateBuilder($$"""
        {{settings}}
        "ClusterId": "whole", "ServiceId": "whole",
        "Clustering": { "ProviderType": "Consensus", "Directory": "{{_directory.Path}}/cluster" }
        """);
}
