using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Members;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// What happens to the processes of a cluster whose membership is in documents, and to their clocks, which are minutes
/// off at most: whoever is hours ahead would spoil the documents for all (S4).
/// </summary>
/// <param name="start">Starts a process anew.</param>
internal sealed class MemberFaults(
    SimulatedScheduler scheduler,
    IReadOnlyDictionary<int, MemberProcess> members,
    IReadOnlyList<SiloClock> clocks,
    Func<int, Task> start)
{
    private static readonly TimeSpan FarthestJump = TimeSpan.FromMinutes(20);

    /// <summary>Seconds gained or lost in a second, at most; a run's load takes a minute at most.</summary>
    private const double FastestDrift = 5;

    public async Task StrikeAsync(ActiveFault fault, Random random)
    {
        var clock = clocks[fault.Silo];
        switch (fault.Kind)
        {
            case FaultKind.ClockJump:
                fault.Strike();
                clock.Offset = ((random.NextDouble() * 2) - 1) * FarthestJump;
                break;
            case FaultKind.ClockDrift:
                fault.Strike();
                clock.Drift = ((random.NextDouble() * 2) - 1) * FastestDrift;
                break;
            case FaultKind.Kill:
                await AtAnyAwaitAsync(random);
                await EndAsync(fault, fault.Plan.Lasts * random.NextDouble());
                break;
            case FaultKind.Leave:
                await EndAsync(fault, fault.Plan.Lasts);
                break;
            default:
                await PauseAsync(fault, random);
                break;
        }
    }

    private Task AtAnyAwaitAsync(Random random)
    {
        var now = new TaskCompletionSource();
        scheduler.InterruptAfter(random.Next(60), now.SetResult);
        return now.Task;
    }

    private async Task EndAsync(ActiveFault fault, TimeSpan rest)
    {
        var process = members[fault.Silo].Process;
        if (!process.HasEnded)
        {
            fault.Strike();
            process.End();
            await scheduler.Time.Pass(rest);
            await start(fault.Silo);
        }
    }

    /// <summary>
    /// It stands still, and others may bury it meanwhile; a zombie stands longer than any change may take.
    /// </summary>
    private async Task PauseAsync(ActiveFault fault, Random random)
    {
        var process = members[fault.Silo].Process;
        if (process.HasEnded)
        {
            return;
        }

        await AtAnyAwaitAsync(random);
        fault.Strike();
        process.Pause();
        await scheduler.Time.Pass(
            fault.Kind == FaultKind.Zombie ? fault.Plan.Lasts + MembershipRun.RequestTimeout : fault.Plan.Lasts);
        process.Resume();
    }
}
