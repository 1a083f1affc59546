using System.Text;
using Orleans.Consensus.Paxos;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.SampleSilo.Walkthrough;

/// <summary>
/// A proposer that prints each message. Its rounds are the shipped ones; its clock stands at zero. One object is one
/// proposer for as long as it lives: another one with the same id would make ballots and versions anew (S2, S8).
/// </summary>
/// <param name="name">What it is called.</param>
/// <param name="id">It in ballots.</param>
internal sealed class WalkthroughProposer(char name, ProposerId id, Wording wording, TextWriter output)
{
    private const int MaxRounds = 5;

    private readonly BallotSource _ballots = new(id);
    private ulong _versions;

    /// <summary>
    /// Proposes a value in the place of the one that has version <paramref name="expected"/>, or of none.
    /// </summary>
    /// <param name="nodes">The nodes in order; null for one that is down.</param>
    /// <returns>The outcome; null if no quorum agreed.</returns>
    public async Task<ChangeResult?> ProposeAsync(
        IReadOnlyList<WalkthroughNode?> nodes, string value, RegisterVersion? expected)
    {
        Change change = new Change.Write(
            NextVersion(), InDoubt.None, expected, new PayloadBytes(Encoding.UTF8.GetBytes(value)));
        var toBeat = Ballot.None;
        for (var round = 0; round < MaxRounds; round++)
        {
            var finished = await RunAsync(nodes, change, toBeat);
            switch (finished.Outcome)
            {
                case RoundOutcome.Settled settled:
                    return settled.Result;
                case RoundOutcome.Refused refused:
                    output.WriteLine($"     {name} has not won a majority.");
                    toBeat = refused.ToBeat;
                    change = finished.ChangeAfter;
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    private async Task<Round.Finished> RunAsync(
        IReadOnlyList<WalkthroughNode?> nodes, Change change, Ballot toBeat)
    {
        var ballot = _ballots.Next(unixMilliseconds: 0, toBeat);
        var next = _ballots.Next(unixMilliseconds: 0, ballot);
        var step = Round.Begin(new(
            nodes.Count, ballot, next, change, NextVersion(), Cached: null, WantPayload: true));
        while (step.Broadcast is { } request)
        {
            step = await BroadcastAsync(nodes, step.Round, request);
        }

        return (Round.Finished)step.Round;
    }

    /// <summary>Sends to all, then hears all. What the first majority makes the round do is done after that.</summary>
    private async Task<RoundStep> BroadcastAsync(
        IReadOnlyList<WalkthroughNode?> nodes, Round round, Request request)
    {
        foreach (var node in WalkthroughStore.Nodes.Members)
        {
            output.WriteLine($"{name} -> {node}: {wording.Of(request)}");
        }

        Request? broadcast = null;
        for (var index = 0; index < nodes.Count; index++)
        {
            var reply = nodes[index] is { } node
                ? await node.AskAsync(request)
                : new NoAnswer(request.Phase, request.Ballot, "it is down");
            output.WriteLine(wording.Of(WalkthroughStore.Nodes[index], name, reply));
            var step = round.On(index, reply);
            round = step.Round;
            broadcast ??= step.Broadcast;
        }

        return new(round, broadcast);
    }

    private RegisterVersion NextVersion() => new(id, ++_versions);
}
