using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>Reminders that are in the store.</summary>
public sealed class ReminderTests : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly TemporaryDirectory _directory = new();
    private readonly ClusterPlan _plan;

    public ReminderTests() => _plan = new()
    {
        Directory = _directory.Path,
        Silo = (_, silo) =>
        {
            silo.UseConsensusReminders();
            silo.Configure<ReminderOptions>(options => options.MinimumReminderPeriod = Period);
        },
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Reminders_outlive_killed_silos_and_a_restarted_cluster()
    {
        await using (var cluster = await TestedCluster.StartAsync(_plan))
        {
            await Task.WhenAll(Alarms(cluster).Select(alarm => alarm.SetAsync(Period)));
            await UntilAllTickAsync(cluster);
            await cluster.KillAsync(1);
            await UntilAllTickAsync(cluster);
        }

        await using var again = await TestedCluster.StartAsync(_plan);
        await UntilAllTickAsync(again);
        var alarm = Alarms(again).First();
        Assert.Equal(["alarm"], await alarm.NamesAsync());
        await alarm.StopAsync();
        Assert.Empty(await alarm.NamesAsync());
    }

    /// <summary>Waits for a tick. A grain that is activated anew counts from nothing.</summary>
    internal static async Task UntilItTicksAsync(IAlarmGrain alarm)
    {
        var before = await Eventually.SucceedsAsync(alarm.CountAsync);
        await Eventually.BecomesAsync(alarm.CountAsync, count => count > 0 && count != before);
    }

    private static IEnumerable<IAlarmGrain> Alarms(TestedCluster cluster) =>
        Enumerable.Range(0, 8).Select(number => cluster.Client.GetGrain<IAlarmGrain>($"{number}"));

    private static Task UntilAllTickAsync(TestedCluster cluster) =>
        Task.WhenAll(Alarms(cluster).Select(UntilItTicksAsync));
}
