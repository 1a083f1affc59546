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
    private ImmutableArray<LogId> _peers = [];

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
        if (await documents.ReadAsync(name, cancellationToken) is not { } found)
        {
            return null;
        }

        try
        {
            var content = AcceptorDocument.Decode(found.Bytes.Span);
            return content.Owner == owner && content.Index == index
                ? (content, found.Tag)
                : throw new ForeignDocumentException(
                    $"The membership document in {Location} is {Describe(content.Owner, content.Index)}, and not "
                    + $"{Describe(owner, index)}. Give each cluster a place of its own, and name the same places in "
                    + "the same order everywhere.");
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(
                $"The membership document in {Location} can't be used: {exception.Message}.", exception);
        }
    }

    /// <summary>Puts a document in the place of the one with that tag, or creates it.</summary>
    public ValueTask<bool> TryWriteAsync(
        AcceptorDocument content, string? tag, CancellationToken cancellationToken) =>
        documents.TryWriteAsync(name, tag, content.Encode(), cancellationToken);

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
        for (var tries = 0; tries < MostTries && !outgoing.Attempt.IsOver; tries++)
        {
            var found = await ReadAsync(CancellationToken.None);
            if (found is not { Content: { IsFormed: true } content })
            {
                return new NoAnswer(
                    request.Phase, request.Ballot, $"the membership document in {Location} is {Lack(found?.Content)}");
            }

            if (!_peers.IsEmpty && !content.Peers.SequenceEqual(_peers))
            {
                return new NoAnswer(
                    request.Phase,
                    request.Ballot,
                    $"the membership document in {Location} is another than before (S13)");
            }

            if (failure is not null && IsOwn(content.State, request) is { } landed)
            {
                return landed;
            }

            var step = Step(content.State, request);
            if (ReferenceEquals(step.Next, content.State))
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

    private AcceptorStep Step(AcceptorState state, Request request)
    {
        var ceiling = Acceptor.CeilingAt(time.GetUtcNow().ToUnixTimeMilliseconds(), state.Highest.Round);
        return request switch
        {
            Prepare prepare => Acceptor.On(state, Ballot.None, prepare, ceiling),
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
