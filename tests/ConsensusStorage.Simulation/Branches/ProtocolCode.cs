using System.Reflection;
using System.Runtime.Loader;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>
/// The shipped library and this simulator once more, beside the ones that run, with a probe at every branch of the
/// library's protocol code.
/// </summary>
internal sealed class ProtocolCode : AssemblyLoadContext
{
    private static readonly Assembly Library = typeof(Change).Assembly;
    private static readonly Assembly Simulator = typeof(ProtocolCode).Assembly;

    private readonly MemoryStream _library;

    /// <param name="subject">What is to be run decides whose code has probes.</param>
    public ProtocolCode(Subject subject)
    {
        using var writer = new ProbeWriter(Library.Location, file => IsProtocol(subject, file.Split('/', '\\')));
        _library = writer.Write();
        Branches = writer.Branches;
    }

    public IReadOnlyList<Branch> Branches { get; }

    /// <summary>Plays seeds with the probed code.</summary>
    public SeedCount Count(string profile, int start, int seeds, int workers)
    {
        var (done, taken, problem) = LoadFromAssemblyName(Simulator.GetName())
            .GetType(typeof(ProbedRuns).FullName!)!
            .GetMethod(nameof(ProbedRuns.Count))!
            .CreateDelegate<Func<string, int, int, int, int, (int, int[], string?)>>()
            .Invoke(profile, start, seeds, workers, Branches.Count);
        return new(done, taken, problem);
    }

    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name == Library.GetName().Name ? LoadFromStream(_library)
        : assemblyName.Name == Simulator.GetName().Name ? LoadFromAssemblyPath(Simulator.Location)
        : null;

    private static bool IsProtocol(Subject subject, string[] path) => subject switch
    {
        Subject.Membership => path is [
            ..,
            "Clustering",
            "ConsensusMembershipTable.cs" or "DocumentAcceptor.cs" or "DocumentFormation.cs" or "DocumentRegister.cs"
                or "Heartbeats.cs" or "Membership.cs"],
        Subject.Reminders => path is [.., "Reminders", _],
        _ => path is [.., "Paxos", _]
            or [.., "Change.cs"]
            or [
                ..,
                "Engines",
                "Attempt.cs" or "FloatingReplicas.cs" or "Formation.cs" or "FormingLog.cs" or "HostedLog.cs"
                    or "HostedReplica.cs" or "PaxosEngine.cs" or "PaxosReplica.cs" or "RegisterSessions.cs"
                    or "ReplicaDirectory.cs" or "ReplicaLink.cs" or "ReplicaMap.cs" or "ReplicaPlacement.cs"
                    or "TwinWatch.cs"],
    };
}

/// <summary>How many seeds took each branch.</summary>
/// <param name="Problem">The violation that ended it, if there was one.</param>
internal sealed record SeedCount(int Seeds, int[] Taken, string? Problem);
