using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>Situations of the protocol that came about in a run.</summary>
internal sealed class Sightings
{
    private readonly HashSet<string> _all = [];

    public IReadOnlySet<string> All => _all;

    public void Add(string situation) => _all.Add(situation);

    public void Heard(RequestBatch batch, BatchReply reply)
    {
        if (reply.Refusal is not null)
        {
            Add("batch refused");
            return;
        }

        foreach (var one in reply.Replies)
        {
            Add(one switch
            {
                Promise { Value: null } => "promise of nothing",
                Promise { Value.IsTombstone: true } => "promise of a tombstone",
                Promise => "promise of a value",
                Accepted => "accepted",
                Conflict { Phase: Phase.Prepare } => "prepare refused",
                Conflict => "accept refused",
                TooFarAhead => "too far ahead",
                _ => "no answer",
            });
        }
    }
}
