namespace Orleans.Consensus.Simulation.Branches;

/// <summary>Branches that no run can take.</summary>
/// <param name="Method">Type and method.</param>
/// <param name="Part">A part of the branch's source or condition; empty: all of the method.</param>
internal sealed record OutOfReach(string Method, string Part, string Reason)
{
    public static readonly IReadOnlyList<OutOfReach> All =
    [
        new("Acceptor.Drop", "", "no procedure drops tombstones yet (S12)"),
        new("Acceptor.Install", "", "no procedure repairs replicas yet (S14)"),
        new("Acceptor.RaiseFloor", "", "no procedure raises floors yet (S12)"),
    ];

    public static string? ReasonFor(Branch branch) => branch.IsRuledOut
        ? "the code itself says so"
        : All.FirstOrDefault(one => one.Covers(branch))?.Reason;

    public bool Covers(Branch branch) =>
        branch.Method == Method && $"{branch.Source} {branch.When}".Contains(Part, StringComparison.Ordinal);
}
