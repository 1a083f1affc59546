using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Faults;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Simulation.Reminders;
using Orleans.Consensus.Simulation.Scenarios;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>What has to come true of a cluster when its faults are over.</summary>
internal sealed class Aftermath(
    SeedRun run,
    Scenario scenario,
    SimulatedCluster cluster,
    FaultInjector faults,
    FightOracle fights,
    ReminderLoad? reminders,
    Random random)
{
    private static readonly TimeSpan LongestHealing = TimeSpan.FromSeconds(45);

    /// <summary>Tells the run of whatever does not.</summary>
    public async Task LiveAsync()
    {
        await UseEverythingAsync(readers: 2);
        await (scenario.Floats ? LiveInPeaceAsync() : ServeAgainAsync());
    }

    /// <summary>
    /// Once the faults are over, every register can soon be read, the first at all silos, and written.
    /// </summary>
    /// <param name="readers">How many silos read each of the others.</param>
    private async Task UseEverythingAsync(int readers)
    {
        var until = run.Time.GetUtcNow() + LongestHealing;
        for (var register = 0; register < run.Histories.Registers; register++)
        {
            var first = random.Next(scenario.Silos);
            for (var reader = 0; reader < (register == 0 ? scenario.Silos : readers); reader++)
            {
                await UseAsync((first + reader) % scenario.Silos, register, reader == 0, until);
            }
        }

        if (reminders is not null)
        {
            await reminders.UseAsync(cluster, random, until);
        }
    }

    /// <summary>Once all agree where replicas belong, that is where they are, and nobody fights for them.</summary>
    private async Task LiveInPeaceAsync()
    {
        await cluster.PassAsync(LongestHealing.TotalMilliseconds);

        // The fence of somebody who has given up long ago may have landed late: the owner's next append tells it.
        await UseEverythingAsync(readers: 1);
        await cluster.PassAsync(LongestHealing.TotalMilliseconds);
        fights.IsPeace = true;
        await UseEverythingAsync(readers: 2);
        new PlacementOracle(cluster, run.Violated).Look(faults.Lost);
        fights.IsPeace = false;
    }

    /// <summary>Once the faults are over, each replica on a disk that was not lost is soon served again.</summary>
    private async Task ServeAgainAsync()
    {
        var until = run.Time.GetUtcNow() + LongestHealing;
        var missing = Enumerable.Range(0, scenario.Replicas).Where(number => !faults.Lost.Contains(number)
            && !cluster.Silos[number].Hosted.All(one => one.State == ReplicaState.Serving));
        while (missing.Any() && run.Time.GetUtcNow() < until)
        {
            await cluster.PassAsync(100);
        }

        foreach (var number in missing)
        {
            run.Violated($"After the faults a replica does not serve: {cluster.Silos[number].Hosted[0]}");
        }
    }

    /// <summary>Reads a register and, if so told, writes over what was read, as a grain would.</summary>
    private async Task UseAsync(int silo, int register, bool write, DateTimeOffset until)
    {
        var process = cluster.Processes[silo];
        var planned = new PlannedClient(silo, register, 0, 1, random.Next());
        var client = new GrainClient(run, cluster.Silos[silo], process, planned, new(planned.Seed));
        await process.RunAsync(async () =>
        {
            if (await client.ReadUntilFoundAsync(until) is { } unread)
            {
                run.Violated(
                    $"After the faults a register can't be read: {register} at silo {silo}, {Wording.Of(unread)}");
            }
            else if (write && await client.WriteUntilAppliedAsync(until) is { } unwritten)
            {
                run.Violated(
                    $"After the faults a register can't be written: {register} at silo {silo}, "
                    + Wording.Of(unwritten));
            }
        });
    }
}
