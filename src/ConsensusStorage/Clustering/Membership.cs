using Orleans.Consensus.Engines;
using Orleans.Runtime;

namespace Orleans.Consensus.Clustering;

/// <summary>A membership table as it was read: the chosen one.</summary>
/// <param name="Held">The version that holds it; null before the first silo.</param>
internal sealed record ReadMembership(MembershipRows Rows, RegisterVersion? Held)
{
    /// <summary>What Orleans hands back with a change.</summary>
    public string ETag => Held?.ToString() ?? "none";

    public TableVersion Version => new(Rows.Version, ETag);
}

/// <summary>
/// A cluster's membership in a <see cref="DocumentRegister"/>, and its silos' heartbeats beside it. Thread-safe.
/// </summary>
internal sealed class Membership(
    DocumentRegister register,
    DocumentFormation formation,
    Heartbeats heartbeats,
    DocumentTimes times,
    TimeProvider time)
{
    private const int PatientPeeks = 3;

    private static readonly TimeSpan PeekPause = TimeSpan.FromMilliseconds(50);

    public Heartbeats Heartbeats => heartbeats;

    /// <summary>Orleans' ClusterId.</summary>
    public string Cluster => formation.Cluster;

    /// <summary>Brings it into being if it isn't there.</summary>
    public Task FormAsync(CancellationToken cancellationToken) => formation.RunAsync(cancellationToken);

    /// <summary>
    /// The same, and brings what was left halfway to its end: whoever may not write learns it now, and not from changes
    /// that Orleans tries again for minutes.
    /// </summary>
    /// <exception cref="ForeignDocumentException">A place belongs to somebody else.</exception>
    /// <exception cref="IOException">No quorum of documents can be used.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await FormAsync(cancellationToken);
        try
        {
            await SettleAsync(cancellationToken);
        }
        catch (DocumentsUnavailableException exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The start was called off.", exception, cancellationToken);
        }
    }

    /// <summary>The table, without asking for a promise unless a change was left halfway.</summary>
    /// <exception cref="IOException">No quorum of documents can be used.</exception>
    public async Task<ReadMembership> ReadAsync(CancellationToken cancellationToken)
    {
        // A promise would stop a change that is under way; mostly it has ended in a moment.
        for (var peeks = 0; peeks < PatientPeeks; peeks++)
        {
            var (value, isSettled) = await register.PeekAsync(mayWrite: true, cancellationToken);
            if (isSettled)
            {
                return Decode(value);
            }

            using var pausing = new Waiter(PeekPause, time, cancellationToken);
            await pausing.Task;
        }

        return await SettleAsync(cancellationToken);
    }

    /// <summary>The table for those who may not write: waits until a change that is under way has ended.</summary>
    /// <exception cref="IOException">No quorum of documents can be read, or they don't agree for long.</exception>
    public async Task<ReadMembership> PeekAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var (value, isSettled) = await register.PeekAsync(mayWrite: false, cancellationToken);
            if (isSettled)
            {
                return Decode(value);
            }

            if (time.GetElapsedTime(started) > times.Request)
            {
                throw new DocumentsUnavailableException(
                    "A change of the membership was left halfway. The next silo that reads it brings it to an end.");
            }

            using var pausing = new Waiter(PeekPause, time, cancellationToken);
            await pausing.Task;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Replaces the table that was read. A change whose outcome is unknown is brought to a known one (S7).
    /// </summary>
    /// <param name="next">Given what names this change.</param>
    /// <returns>False if another one stands there.</returns>
    /// <exception cref="IOException">No quorum of documents can be used; it may have happened, or may yet.</exception>
    public async Task<bool> TryReplaceAsync(
        ReadMembership read, Func<string, MembershipRows> next, CancellationToken cancellationToken)
    {
        var version = register.MintVersion();
        var own = next(version.ToString());
        var change = new Change.Write(version, InDoubt.None, read.Held, new PayloadBytes(own.Encode()));
        return await register.ChangeAsync(change, cancellationToken) switch
        {
            ChangeResult.Applied => true,
            ChangeResult.Stale { MayHaveHappened: false } => false,
            ChangeResult.Stale { Current: { } current }
                when Happened(read.Rows, own, version, Decode(current).Rows) is { } happened => happened,
            var result => throw Failed("changed", result),
        };
    }

    /// <summary>The table, by a round that asks for promises.</summary>
    private async Task<ReadMembership> SettleAsync(CancellationToken cancellationToken)
    {
        var read = new Change.Read(register.MintVersion(), InDoubt.None);
        return await register.ChangeAsync(read, cancellationToken) switch
        {
            ChangeResult.Found found => Decode(found.Value),
            var result => throw Failed("read", result),
        };
    }

    /// <summary>
    /// Whether a change is among those that led to another table: each makes the number of the table higher, and leaves
    /// its name in the row that it is about.
    /// </summary>
    /// <returns>Null if that can't be told: the row was changed once more since, or may have been cleaned.</returns>
    private static bool? Happened(
        MembershipRows before, MembershipRows own, RegisterVersion name, MembershipRows current)
    {
        if (current.Rows.Any(row => row.ETag == name.ToString()))
        {
            return true;
        }

        var touched = own.Rows.Except(before.Rows).Concat(before.Rows.Except(own.Rows))
            .Select(row => row.Entry.SiloAddress);
        return current.Version <= own.Version
            || touched.All(silo => before.Find(silo) is { } row && current.Find(silo)?.ETag == row.ETag)
            ? false
            : null;
    }

    private static ReadMembership Decode(RegisterValue? value) => value?.Payload is PayloadBytes payload
        ? new(MembershipRows.Decode(payload.Bytes.Span), value.Version)
        : new(MembershipRows.Empty, value?.Version);

    private static DocumentsUnavailableException Failed(string what, ChangeResult result)
    {
        var (reason, answers) = result switch
        {
            ChangeResult.NotApplied not => (not.Reason.ToString(), not.Answers),
            ChangeResult.Unknown unknown => ($"{unknown.Reason}, it may have happened", unknown.Answers),
            _ => ("others changed it meanwhile, it may have happened", []),
        };
        var details = string.Join("; ", answers.Select(answer => $"document {answer.Replica}: {answer.Text}"));
        return new($"The membership could not be {what} ({reason}). {details}");
    }
}
