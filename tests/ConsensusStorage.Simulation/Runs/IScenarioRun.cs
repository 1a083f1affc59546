using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Members;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>A scenario that is played once, under the eyes of its oracles: two runs of one are the same.</summary>
internal interface IScenarioRun
{
    /// <summary>What was found wrong; the first is the one to look at.</summary>
    IReadOnlyList<string> Problems { get; }

    /// <summary>Calls so far.</summary>
    int Operations { get; }

    /// <summary>How the calls ended.</summary>
    IEnumerable<Ending> Endings { get; }

    /// <summary>Faults that struck, by kind.</summary>
    IReadOnlyDictionary<FaultKind, int> Faults { get; }

    /// <summary>Situations that came about.</summary>
    IReadOnlySet<string> Seen { get; }

    TimeSpan Simulated { get; }

    /// <summary>Equal for two runs of one scenario; pieces of work, and what went over a network.</summary>
    (long Tasks, int Messages) Fingerprint { get; }

    IScenarioRun Execute();

    /// <summary>The whole run in words.</summary>
    /// <param name="withMessages">Every message or request, too.</param>
    string Tell(bool withMessages);

    /// <param name="isTold">Whether somebody wants to read what happened.</param>
    static IScenarioRun Of(Scenario scenario, bool isTold = false) => scenario.Profile.Subject switch
    {
        Subject.Store or Subject.Reminders => new SeedRun(scenario, isTold),
        Subject.Membership => new MembershipRun(scenario, isTold),
        _ => throw new ArgumentOutOfRangeException(nameof(scenario)),
    };
}
