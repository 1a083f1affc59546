using System.Collections.Immutable;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// Speaks for one acceptor that is a document: reads it, lets <see cref="Acceptor"/> decide, and puts the new state in
/// its place before it passes the answer on (S5). If somebody else was faster, it begins anew. Thread-safe; any number
/// of processes speak for the same acceptor.
/// </summary>
internal sealed class DocumentAcceptor(
    IDocuments documents, string name, int index, DocumentOwner owner, TimeProvider time) : IAcceptorLink
{
    /// <summary>Each one that is lost is somebody else's change.</summary>
    private const int MostTries = 20;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private ImmutableArray<LogId> _peers = [];
    private Ballot _highest;
    private volatile string? _durable;

    public int Index => index;

    public string Location => documents.Location;

    /// <summary>From now on its word counts only if it knows these documents (S13).</summary>
    public void Expect(ImmutableArray<LogId> peers) => _peers = peers;

    /// <summary>Answers in a while, with <see cref="NoAnswer"/> if the document can't be had.</summary>
    public void Post(Outgoing outgoing) => _ = AnswerAsync(outgoing);

    /// <summary>Null if there is none.</summary>
    /// <exception cref="IOException">It can't be read, is damaged, or is another cluster's.</exception>
    /// <exception cref="UnauthorizedAccessException">There are no rights to read it.</exception>
    public async ValueTask<(AcceptorDocument Content, string Tag)?> ReadAsync(CancellationToken cancellationToken)
    {
        var before = Highest;
        if (await documents.ReadAsync(name, cancellationToken) is not { } found)
        {
            return null;
        }

        try
        {
            var content = AcceptorDocument.Decode(found.Bytes.Span);
            if (content.Owner != owner || content.Index != index)
            {
                throw new ForeignDocumentException(
                    $"The membership document in {Location} is {Describe(content.Owner, content.Index)}, and not "
                    + $"{Describe(owner, index)}. Give each cluster a place of its own, and name the same places in "
                    + "the same order everywhere.");
            }

            Require(content, before);
            return (content, found.Tag);
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(
                $"The membership document in {Location} can't be used: {exception.Message}.", exception);
        }
    }

    private Ballot Highest
    {
        get
        {
            lock (_lock)
            {
                return _highest;
            }
        }
    }

    /// <summary>Refuses a document that is not the one of before, or has forgotten what it said (S13).</summary>
    private void Require(AcceptorDocument content, Ballot before)
    {
        if (IsOther(content) || content.State.Highest < before)
        {
            throw new IOException(
                $"The membership document in {Location} is another than before, or an older copy of it. Remove "
                + "it while the others go on, and all of them when no silo of the cluster runs.");
        }
    }

    private bool IsOther(AcceptorDocument content) =>
        content.IsFormed && !_peers.IsEmpty && !content.Peers.SequenceEqual(_peers);

    /// <summary>Only what is durable: a loss of power takes back what was merely visible, and rightly so.</summary>
    private void Remember(AcceptorDocument content)
    {
        lock (_lock)
        {
            _highest = Ballot.Max(_highest, content.State.Highest);
        }
    }

    /// <summary>
    /// Makes sure that a document which was read is durable: what its writer failed to flush can be read, and be gone
    /// after a loss of power (S5). Costs nothing if it is known.
    /// </summary>
    /// <param name="mayWrite">After a failed flush only writing it once more proves it.</param>
    /// <returns>False if that can't be told, or another stands there by now.</returns>
    /// <exception cref="IOException">It can't be written; never thrown if it may not.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, without rights.</exception>
    public async ValueTask<bool> TryProveAsync(
        AcceptorDocument content, string tag, bool mayWrite, CancellationToken cancellationToken)
    {
        try
        {
            if (tag != _durable
                && !await documents.TryFlushAsync(name, tag, cancellationToken)
                && !(mayWrite && await documents.TryWriteAsync(name, tag, content.Encode(), cancellationToken)))
            {
                return false;
            }
        }
        catch (Exception exception) when (!mayWrite && exception is (IOException or UnauthorizedAccessException))
        {
            return false;
        }

        _durable = tag;
        Remember(content);
        return true;
    }

    /// <summary>Puts a document in the place of the one with that tag, or creates it.</summary>
    public async ValueTask<bool> TryWriteAsync(
        AcceptorDocument content, string? tag, CancellationToken cancellationToken)
    {
        if (!await documents.TryWriteAsync(name, tag, content.Encode(), cancellationToken))
        {
            return false;
        }

        Remember(content);
        return true;
    }

    private async Task AnswerAsync(Outgoing outgoing)
    {
        try
        {
            await _turn.WaitAsync();
            try
            {
                outgoing.Attempt.Deliver(index, await DecideAsync(outgoing));
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (Exception exception)
        {
            // Whatever it is, the acceptor's word is missing; the round counts without it (S6).
            outgoing.Fail(index, exception.Message);
        }
    }

    private async ValueTask<Reply> DecideAsync(Outgoing outgoing)
    {
        var request = outgoing.Request;
        IOException? failure = null;
        for (var tries = 0; tries < MostTries && IsWanted(outgoing); tries++)
        {
            var found = await ReadAsync(CancellationToken.None);
            if (found is not { Content: { IsFormed: true } content })
            {
                return new NoAnswer(
                    request.Phase, request.Ballot, $"the membership document in {Location} is {Lack(found?.Content)}");
            }

            // What can be seen need not be durable, above all not what a write has left that seemed to fail: it is
            // written once more before anything is said that rests on it (S5). A refusal rests on nothing.
            var step = failure is not null && IsOwn(content.State, request) is { } landed
                ? new(content.State, landed)
                : Step(content.State, request);
            if (failure is null && step.Reply is not (Promise or Accepted))
            {
                return step.Reply;
            }

            try
            {
                if (await TryWriteAsync(content with { State = step.Next }, found.Value.Tag, CancellationToken.None))
                {
                    return step.Reply;
                }
            }
            catch (IOException exception)
            {
                // It may have been done: what stands there tells.
                failure = exception;
            }
        }

        return new NoAnswer(
            request.Phase,
            request.Ballot,
            failure?.Message ?? $"others change the document in {Location} all the time");
    }

    /// <summary>What was settled meanwhile still brings this document up to date.</summary>
    private static bool IsWanted(Outgoing outgoing) =>
        !outgoing.Attempt.IsOver || (outgoing.Attempt.IsSettled && outgoing.Request is Accept);

    private AcceptorStep Step(AcceptorState state, Request request)
    {
        var ceiling = Acceptor.CeilingAt(time.GetUtcNow().ToUnixTimeMilliseconds(), state.Highest.Round);
        return request switch
        {
            Prepare prepare => Acceptor.On(state, default(GroupFloor), prepare, ceiling),
            Accept accept => Acceptor.On(state, accept, ceiling),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>
    /// The promise of this very ballot stands there: a write that seemed to fail had made it, since nobody else has
    /// that ballot (S1, S2). An accept that landed is acknowledged again by the acceptor itself.
    /// </summary>
    private static Promise? IsOwn(AcceptorState state, Request request) =>
        request is Prepare prepare && state.Promised == prepare.Ballot && state.Accepted < prepare.Ballot
            ? new(prepare.Ballot, state.Accepted, state.Value)
            : null;

    private static string Describe(DocumentOwner of, int number) =>
        $"number {number + 1} of {of.Replicas} of cluster '{of.Cluster}' of service '{of.Service}'";

    private static string Lack(AcceptorDocument? content) => content is null ? "not there" : "not in use yet";
}

/// <summary>The place belongs to another cluster, or to another replica of this one: configuration.</summary>
internal sealed class ForeignDocumentException(string message) : IOException(message);
