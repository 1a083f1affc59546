using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Tests.Linearizability;

/// <summary>
/// The checker against a search of all orders: what it remembers and what it passes over must not change its verdict.
/// </summary>
public sealed class AllOrdersTests(ITestOutputHelper output)
{
    private const int Seeds = 3_000;
    private const int MaxEvents = 8;

    private static readonly List<List<Operation>> Samples =
    [
        .. Enumerable.Range(0, Seeds)
            .Select(seed => new RandomHistory(seed).Make())
            .Where(history => AllOrders.Count(history) <= MaxEvents),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_checker_says_what_a_search_of_all_orders_says(bool mayForget)
    {
        var good = 0;
        foreach (var history in Samples)
        {
            var isGood = AllOrders.Explain(history, mayForget);
            good += isGood ? 1 : 0;
            Assert.True(isGood == HistoryChecker.IsLinearizable(history, mayForget), Tell(history, isGood));
        }

        output.WriteLine($"{good} of {Samples.Count} are good");
        Assert.InRange(good, Samples.Count / 3, Samples.Count * 2 / 3);
    }

    [Fact]
    public void Writes_without_a_trace_can_be_left_out()
    {
        var pruned = 0;
        foreach (var history in Samples)
        {
            var rest = Histories.Relevant(history);
            var isGood = AllOrders.Explain(history, mayForget: false);
            pruned += AllOrders.Count(rest) < AllOrders.Count(history) ? 1 : 0;
            Assert.True(isGood == AllOrders.Explain(rest, mayForget: false), Tell(history, isGood));
            Assert.True(isGood == HistoryChecker.IsLinearizable(rest), Tell(history, isGood));
        }

        output.WriteLine($"{pruned} of {Samples.Count} had writes without a trace");
        Assert.InRange(pruned, Samples.Count / 20, Samples.Count);
    }

    /// <summary>Otherwise the comparison would be about little.</summary>
    [Fact]
    public void Every_kind_and_every_ending_comes_about()
    {
        var all = Samples.SelectMany(history => history).ToList();
        Assert.Equal(Enum.GetValues<OperationKind>().ToHashSet(), all.Select(one => one.Kind).ToHashSet());
        Assert.Equal(Enum.GetValues<Ending>().ToHashSet(), all.Select(one => one.Ending).ToHashSet());
        Assert.Contains(all, one => !one.Doubts.IsEmpty);
        Assert.Contains(all, one => one.Returned == Operation.Open);
        Assert.Contains(Samples, one => AllOrders.Explain(one, mayForget: true) && !AllOrders.Explain(one, false));
    }

    private static string Tell(List<Operation> history, bool isGood) =>
        $"This is {(isGood ? "" : "not ")}linearizable:\n" + string.Join('\n', history.Select(one => one.ToString()));
}
