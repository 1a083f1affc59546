using System.Collections.Immutable;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// Brings the documents of a register into being (S13): no document has a vote until all of them are there and know one
/// another, so one that was lost, and comes back empty, is told from one that is new. The first start therefore needs
/// all places; later ones a majority. Any number of processes do this at once.
/// </summary>
internal sealed class DocumentFormation(
    ImmutableArray<DocumentAcceptor> acceptors,
    DocumentOwner owner,
    DocumentTimes times,
    TimeProvider time,
    Random random)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public string Cluster => owner.Cluster;

    /// <summary>Returns when a majority of documents has a vote.</summary>
    /// <exception cref="DocumentsUnavailableException">It did not come to that in time.</exception>
    /// <exception cref="ForeignDocumentException">A place belongs to somebody else.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            string? problem;
            try
            {
                problem = await TryAsync(cancellationToken);
            }
            catch (Exception exception)
                when (exception is UnauthorizedAccessException
                    or (IOException and not (ForeignDocumentException or DocumentsUnavailableException)))
            {
                // A document could not be written; whether it was, the next look tells.
                problem = exception.Message;
            }

            if (problem is null)
            {
                return;
            }

            if (time.GetElapsedTime(started) > times.Request)
            {
                throw new DocumentsUnavailableException($"The cluster's membership can't be used: {problem}.");
            }

            using var pausing = new Waiter(Pause, time, cancellationToken);
            await pausing.Task;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>One step towards it.</summary>
    /// <returns>What is still missing; null if nothing is.</returns>
    private async Task<string?> TryAsync(CancellationToken cancellationToken)
    {
        var looks = await Task.WhenAll(acceptors.Select(acceptor => LookAsync(acceptor, cancellationToken)));
        if (PeersOfMajority(looks) is { } peers)
        {
            foreach (var acceptor in acceptors)
            {
                acceptor.Expect(peers);
            }

            // There are enough votes without those that can't be given now: the next start tries it again.
            await MarkAllAsync(looks.Where(look => Knows(look, peers)), cancellationToken);
            return null;
        }

        // One that has a vote proves that all of them knew the others, whatever has become of them since.
        var proven = looks.Where(look => look.Content is { IsFormed: false, Peers.Length: > 0 } content
            && looks.Any(other => other.Content is { IsFormed: true } && Knows(other, content.Peers))).ToList();
        if (proven.Count > 0)
        {
            return await MarkAllAsync(proven, cancellationToken) ?? "its documents are getting their votes";
        }

        if (looks.FirstOrDefault(look => look.Problem is not null)?.Problem is { } problem)
        {
            return $"the first start needs all places, and {problem}";
        }

        // Each step is followed by another look: others may be at it, too.
        if (looks.Any(look => look.Content is null))
        {
            await CreateMissingAsync(looks, cancellationToken);
            return "its documents are being created";
        }

        // What one document says of another must outlast a loss of power there.
        if (!await AreDurableAsync(looks, cancellationToken))
        {
            return "its documents are being made durable";
        }

        var ids = looks.Select(look => look.Content!.Id).ToImmutableArray();
        foreach (var look in looks)
        {
            Require(look.Content!.Peers.IsEmpty || look.Content.Peers.SequenceEqual(ids), look.Acceptor);
        }

        foreach (var look in looks.Where(look => look.Content!.Peers.IsEmpty))
        {
            await WriteAsync(look, look.Content! with { Peers = ids }, cancellationToken);
        }

        var problemOfVotes = looks.All(look => look.Content!.Peers.Length > 0)
            ? await MarkAllAsync(looks, cancellationToken)
            : null;
        return problemOfVotes ?? "its documents are getting to know one another";
    }

    /// <summary>The documents that a majority with votes knows, if there is one.</summary>
    private ImmutableArray<LogId>? PeersOfMajority(Look[] looks)
    {
        var voting = looks.Where(look => look.Content is { IsFormed: true }).Select(look => look.Content!.Peers);
        foreach (var peers in voting)
        {
            if (looks.Count(look => look.Content is { IsFormed: true } && Knows(look, peers)) > acceptors.Length / 2)
            {
                return peers;
            }
        }

        return null;
    }

    private static bool Knows(Look look, ImmutableArray<LogId> peers) =>
        look.Content?.Peers.SequenceEqual(peers) ?? false;

    private async Task CreateMissingAsync(Look[] looks, CancellationToken cancellationToken)
    {
        if (looks.FirstOrDefault(look => look.Content is { Peers.Length: > 0 }) is { } knows)
        {
            var lost = looks.First(look => look.Content is null);
            throw new DocumentsUnavailableException(
                $"The membership document in {lost.Acceptor.Location} is gone, but that in {knows.Acceptor.Location} "
                + "knows it. A lost document has forgotten what it promised, so none is put in its place. Remove "
                + "all of them when no silo of the cluster runs; the states of grains are not touched by that.");
        }

        foreach (var look in looks.Where(look => look.Content is null))
        {
            var fresh = new AcceptorDocument(
                owner, look.Acceptor.Index, LogId.Create(random), [], IsFormed: false, AcceptorDocument.Fresh);
            await WriteAsync(look, fresh, cancellationToken);
        }
    }

    /// <summary>
    /// All documents had the same peers, so those that know them may vote. No place waits for one that can't take it.
    /// </summary>
    /// <returns>Why the first of these can't; null if there is none.</returns>
    private static async Task<string?> MarkAllAsync(IEnumerable<Look> looks, CancellationToken cancellationToken)
    {
        string? problem = null;
        foreach (var look in looks.Where(look => !look.Content!.IsFormed))
        {
            try
            {
                await WriteAsync(look, look.Content! with { IsFormed = true }, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                problem ??= exception.Message;
            }
        }

        return problem;
    }

    private static async Task<bool> AreDurableAsync(Look[] looks, CancellationToken cancellationToken)
    {
        var areDurable = await Task.WhenAll(looks.Select(look =>
            look.Acceptor.TryProveAsync(look.Content!, look.Tag!, mayWrite: true, cancellationToken).AsTask()));
        return Array.TrueForAll(areDurable, static isDurable => isDurable);
    }

    private static void Require(bool knowsTheOthers, DocumentAcceptor acceptor)
    {
        if (!knowsTheOthers)
        {
            throw new DocumentsUnavailableException(
                $"The membership document in {acceptor.Location} knows others than there are: one of them was lost, "
                + "or put back from a copy. Remove all of them when no silo of the cluster runs.");
        }
    }

    /// <summary>Another look tells whether it was done.</summary>
    private static async Task WriteAsync(Look look, AcceptorDocument content, CancellationToken cancellationToken) =>
        await look.Acceptor.TryWriteAsync(content, look.Tag, cancellationToken);

    private static async Task<Look> LookAsync(DocumentAcceptor acceptor, CancellationToken cancellationToken)
    {
        try
        {
            var found = await acceptor.ReadAsync(cancellationToken);
            return new(acceptor, found?.Content, found?.Tag, null);
        }
        catch (Exception exception)
            when (exception is IOException and not ForeignDocumentException or UnauthorizedAccessException)
        {
            return new(acceptor, null, null, exception.Message);
        }
    }

    private sealed record Look(DocumentAcceptor Acceptor, AcceptorDocument? Content, string? Tag, string? Problem);
}
