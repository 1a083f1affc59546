using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.SampleSilo.Walkthrough;

/// <summary>A running node: the shipped replica, which writes its log before it answers.</summary>
internal sealed class WalkthroughNode : IAsyncDisposable
{
    private readonly ConsensusInstruments _instruments = new();
    private readonly PaxosReplica _replica;
    private readonly IJournal _journal;
    private readonly Task _running;

    private WalkthroughNode(ReplicaId id, IJournal journal, AcceptorIndex index)
    {
        _journal = journal;
        _replica = new(id, journal, index, WalkthroughStore.Settings, TimeProvider.System, _instruments);
        _running = _replica.RunAsync();
    }

    public static async Task<WalkthroughNode> StartAsync(ReplicaId id, WalkthroughStore store)
    {
        var index = new AcceptorIndex(WalkthroughStore.Settings.Groups);
        return new(id, await store.OpenAsync(id, index), index);
    }

    public async Task<Reply> AskAsync(Request request)
    {
        var answer = await _replica.HandleAsync([new(WalkthroughStore.Register, request)]);
        return answer.Refusal is { } why
            ? new NoAnswer(request.Phase, request.Ballot, why)
            : answer.Replies[0];
    }

    public async ValueTask DisposeAsync()
    {
        _replica.Stop();
        await _running;
        await _journal.DisposeAsync();
        _instruments.Dispose();
    }
}
