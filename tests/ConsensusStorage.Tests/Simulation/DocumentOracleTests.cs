using System.Collections.Immutable;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Oracles;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that the oracle of the documents calls wrong, done to a document.</summary>
public sealed class DocumentOracleTests
{
    private const int Places = 3;

    private static readonly DocumentOwner Owner = new("service", "cluster", Places);
    private static readonly ImmutableArray<LogId> Ids = [new(1), new(2), new(3)];

    private readonly List<string> _problems = [];
    private readonly List<(Ballot Ballot, RegisterValue Value)> _chosen = [];
    private readonly List<Ballot> _shown = [];
    private readonly DocumentOracle _oracle;

    public DocumentOracleTests() => _oracle = new(Places, _problems.Add)
    {
        Chosen = (ballot, value) => _chosen.Add((ballot, value)),
        Shown = (ballot, _) => _shown.Add(ballot),
    };

    /// <summary>What may become of a document that has promised 4 and accepted 2, and the word it breaks.</summary>
    public static TheoryData<string> Slips => [.. Slipped.Keys];

    private static Dictionary<string, AcceptorDocument> Slipped => new()
    {
        ["it had promised"] = Document(0, Held(B(3), B(2), Value(2))),
        ["it had accepted"] = Document(0, Held(B(4), B(1), Value(1))),
        ["and accepted"] = Document(0, Held(B(5), B(3), Value(3))),
        ["it has two values"] = Document(0, Held(B(5), B(2), Value(3))),
        ["it has no vote any more"] = Document(0, Held(B(4), B(2), Value(2))) with { IsFormed = false },
        ["another one stands in its place"] = new(
            Owner, 0, new(9), [new(9), Ids[1], Ids[2]], IsFormed: true, Held(B(4), B(2), Value(2))),
        ["it knows other documents"] = Document(0, Held(B(4), B(2), Value(2))) with
        {
            Peers = [Ids[0], Ids[1], new(9)],
        },
        ["it is number 2"] = Document(1, Held(B(4), B(2), Value(2))),
    };

    [Fact]
    public void Documents_that_keep_their_word_are_well_and_a_majority_of_them_chooses()
    {
        Form();
        Promise(B(1), 0, 1);
        Write(0, Held(B(1), B(1), Value(1)));
        Assert.Empty(_chosen);
        Write(1, Held(B(2), B(1), Value(1)));
        Assert.Equal([(B(1), Value(1).Version)], _chosen.Select(one => (one.Ballot, one.Value.Version)));
        Promise(B(1), 2);
        Write(2, Held(B(2), B(1), Value(1)));
        Assert.Single(_chosen);
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S5")]
    public void What_is_not_flushed_is_shown_and_not_chosen_and_a_loss_of_power_may_take_it_back()
    {
        Form();
        Promise(B(1), 0, 1);
        var promised = Document(0, Held(B(1), Ballot.None, null)).Encode();
        Write(1, Held(B(1), B(1), Value(1)));
        Show(0, Held(B(1), B(1), Value(1)));
        Assert.Single(_shown);
        _oracle.LostPower(0, promised.Span);
        _oracle.Flushed(0);
        Assert.Empty(_chosen);
        Show(0, Held(B(1), B(1), Value(1)));
        Assert.Empty(_chosen);
        _oracle.Flushed(0);
        Assert.Single(_chosen);
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S5")]
    public void A_proposal_on_a_promise_that_was_not_flushed_is_told()
    {
        Form();
        Promise(B(1), 0);
        Show(1, Held(B(1), Ballot.None, null));
        Write(0, Held(B(1), B(1), Value(1)));
        Assert.StartsWith("Something was proposed at", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Slips))]
    [Trait("Rule", "S5")]
    public void A_document_that_falls_behind_its_word_is_told(string slip)
    {
        Begin();
        _oracle.Written(1, 0, Slipped[slip].Encode().Span);
        var problem = _problems[0];
        Assert.StartsWith("A document broke its word: ", problem, StringComparison.Ordinal);
        Assert.Contains(slip, problem, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public void A_document_that_votes_before_all_know_one_another_is_told()
    {
        for (var place = 0; place < Places; place++)
        {
            var document = Document(place, AcceptorDocument.Fresh) with { IsFormed = place == 1 };
            _oracle.Written(1, place, document.Encode().Span);
        }

        Assert.Contains("not all documents know", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public void A_document_without_a_vote_that_promises_is_told()
    {
        _oracle.Written(
            1, 0, (Document(0, AcceptorDocument.Fresh) with { IsFormed = false, Peers = [] }).Encode().Span);
        _oracle.Written(
            1, 0, (Document(0, Held(B(1), Ballot.None, null)) with { IsFormed = false }).Encode().Span);
        Assert.Contains("it had no vote", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Rule", "S13")]
    public void A_document_of_a_lost_place_that_votes_is_told(bool isPutBack)
    {
        Begin();
        if (isPutBack)
        {
            _oracle.PutBack(0, Document(0, Held(B(2), B(2), Value(2))).Encode().Span);
        }
        else
        {
            _oracle.Emptied(0);
            _oracle.Written(
                1, 0, (Document(0, AcceptorDocument.Fresh) with { IsFormed = false, Peers = [] }).Encode().Span);
        }

        Assert.Empty(_problems);
        Write(0, Held(B(9), B(2), Value(2)));
        Assert.Contains("its place was lost, and it votes", _problems[0], StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S5")]
    public void A_proposal_without_the_promises_of_a_majority_is_told()
    {
        Form();
        Promise(B(1), 0);
        Write(0, Held(B(1), B(1), Value(1)));
        Assert.StartsWith("Something was proposed at", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S1")]
    public void Two_values_at_one_ballot_are_told()
    {
        Form();
        Promise(B(1), 0, 1);
        Write(0, Held(B(1), B(1), Value(1)));
        Write(1, Held(B(1), B(1), Value(2)));
        Assert.StartsWith("Two values were proposed", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S2")]
    public void Two_processes_with_one_ballot_are_told()
    {
        Form();
        Promise(B(1), 0);
        _oracle.Written(2, 1, Document(1, Held(B(1), Ballot.None, null)).Encode().Span);
        Assert.StartsWith("Two processes used", Assert.Single(_problems), StringComparison.Ordinal);
    }

    /// <summary>Document 0 has promised 4 and accepted 2.</summary>
    private void Begin()
    {
        Form();
        Promise(B(2), 0, 1);
        Write(0, Held(B(2), B(2), Value(2)));
        Write(0, Held(B(4), B(2), Value(2)));
        Assert.Empty(_problems);
    }

    private void Form()
    {
        foreach (var isFormed in new[] { false, true })
        {
            for (var place = 0; place < Places; place++)
            {
                _oracle.Written(
                    1, place, (Document(place, AcceptorDocument.Fresh) with { IsFormed = isFormed }).Encode().Span);
                _oracle.Flushed(place);
            }
        }
    }

    private void Promise(Ballot ballot, params int[] places)
    {
        foreach (var place in places)
        {
            Write(place, Held(ballot, Ballot.None, null));
        }
    }

    private void Write(int place, AcceptorState state)
    {
        Show(place, state);
        _oracle.Flushed(place);
    }

    private void Show(int place, AcceptorState state) =>
        _oracle.Written(1, place, Document(place, state).Encode().Span);

    private static AcceptorDocument Document(int place, AcceptorState state) =>
        new(Owner, place, Ids[place], Ids, IsFormed: true, state);
}
