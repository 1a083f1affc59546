using Orleans.Consensus.Paxos;
using Orleans.Consensus.SampleSilo.Walkthrough;

namespace Orleans.Consensus.Tests.Sample;

public sealed class WalkthroughTests
{
    [Fact]
    public async Task Three_nodes_agree_keep_and_go_on_without_one()
    {
        var output = new StringWriter();

        Assert.Equal(0, await new PaxosWalkthrough(new(), output).RunAsync());

        var lines = output.ToString().Split(Environment.NewLine);
        Assert.Single(lines, "Value 42 committed");
        Assert.Contains("P -> A: accept 42, ballot 1.P; promise me ballot 2.P with it", lines);
        Assert.Contains("C -> P: accepted, ballot 1.P", lines);
        Assert.Contains("A -> Q: refused, ballot 1.Q; ballot 2.P came before", lines);
        Assert.Contains("B -> Q: promise, ballot 3.Q; accepted 42 at ballot 1.P", lines);
        Assert.Contains("log of B: accepted 43 at ballot 5.Q, promised ballot 6.Q", lines);
        Assert.Contains("log of C: accepted 42 at ballot 1.P, promised ballot 3.Q", lines);
    }

    [Fact]
    public async Task It_fails_when_the_logs_say_otherwise()
    {
        var output = new StringWriter();
        var store = new WalkthroughStore();
        await new PaxosWalkthrough(store, TextWriter.Null).RunAsync();

        // The register has a value already: nobody can be the first.
        Assert.Equal(1, await new PaxosWalkthrough(store, output).RunAsync());
        Assert.DoesNotContain("Value 42 committed", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_is_chosen_when_a_quorum_of_all_nodes_accepted_it_at_one_ballot()
    {
        var ballot = new Ballot(1, new(1));
        var later = new Ballot(2, new(1));

        Assert.True(LogFinding.Agree([Finding("A", ballot, "42"), Finding("B", ballot, "42")], "42"));
        Assert.False(LogFinding.Agree([Finding("A", ballot, "42"), Finding("B", later, "42")], "42"));
        Assert.False(LogFinding.Agree([Finding("A", ballot, "42"), Finding("B", ballot, "43")], "42"));
        Assert.False(LogFinding.Agree([Finding("A", ballot, "42")], "42"));
    }

    private static LogFinding Finding(string node, Ballot ballot, string value) =>
        new(new(node), new(ballot, ballot, null), value);
}
