namespace Orleans.Consensus.Simulation.Branches;

/// <summary>A way that the code can take: a method or handler that is entered, or one side of a decision.</summary>
/// <param name="Method">Type and method.</param>
/// <param name="File">Where it is written.</param>
/// <param name="Source">The statement or expression that decides, in one line.</param>
/// <param name="When">What has to be so.</param>
/// <param name="IsRuledOut">All that follows is to say that it can't be.</param>
internal sealed record Branch(string Method, string File, int Line, string Source, string When, bool IsRuledOut)
{
    public override string ToString() => $"{Path.GetFileName(File)}:{Line}  {Source}  [{When}]";
}
