using System.CommandLine;
using Orleans.Consensus.Simulation.Runs;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>Counts for every branch of the protocol code in how many of the seeds it ran.</summary>
internal static class BranchesCommand
{
    public static Command Create()
    {
        var command = new Command(
            "branches",
            "Runs seeds and reports the branches of the protocol code that fewer than 1 % of them take; those of the "
            + "membership or the reminders, if the profile is theirs. Exit codes: "
            + "0 there are none but those known to be out of reach, 1 there are some or a seed failed, 2 wrong usage, "
            + "3 the simulator itself failed.");
        foreach (var option in new Option[]
        {
            SimulateCommand.Seeds, SimulateCommand.Start, SimulateCommand.ProfileName, SimulateCommand.Workers,
        })
        {
            command.Add(option);
        }

        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        if (SimulateCommand.ProfileOf(arguments) is not { } profile)
        {
            return ExitCode.Misused;
        }

        var code = new ProtocolCode(profile.Subject);
        var count = code.Count(
            profile.Name,
            arguments.GetValue(SimulateCommand.Start),
            arguments.GetValue(SimulateCommand.Seeds),
            arguments.GetValue(SimulateCommand.Workers));
        var report = new BranchReport(code.Branches, count);
        Console.Write(report.Tell());
        return report.IsClean ? ExitCode.Clean : ExitCode.Violated;
    }
}
