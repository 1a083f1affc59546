using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests.Hosting;

/// <summary>Tests of applications register a clock that stands still until they move it.</summary>
public sealed class StandingClockTests
{
    private const int Silos = 3;

    private static readonly DateTime Start = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task The_store_goes_on_where_the_clock_of_the_application_stands_still()
    {
        var builder = new InProcessTestClusterBuilder(Silos);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Start));
            silo.AddConsensusGrainStorageForTesting(Silos).UseConsensusReminders();
        });
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var counter = cluster.Client.GetGrain<ICounterGrain>("counter");

        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));
        var table = cluster.Silos[1].ServiceProvider.GetRequiredService<IReminderTable>();
        await table.UpsertRow(new() { GrainId = counter.GetGrainId(), ReminderName = "alarm", StartAt = Start });

        Assert.Equal(1, (await counter.ReadAsync()).Value);
        Assert.Single((await table.ReadRows(counter.GetGrainId())).Reminders);
        await cluster.StopAllSilosAsync().WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
    }
}
