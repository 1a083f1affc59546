using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>Stands between a replica and where its logs are, and passes all on.</summary>
internal abstract class JournalsBetween(IJournalStore journals) : IJournalStore
{
    public bool IsExclusive => Inner.IsExclusive;

    protected IJournalStore Inner { get; } = journals;

    public ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken) =>
        Inner.MarkAsync(expected, mayCreate, cancellationToken);

    public abstract ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken);
}

/// <summary>The same for one log.</summary>
internal abstract class JournalBetween(IJournal inner) : IJournal
{
    public JournalIdentity Identity => Inner.Identity;

    public long Epoch => Inner.Epoch;

    public long Bytes => Inner.Bytes;

    public bool HasRoom => Inner.HasRoom;

    protected IJournal Inner { get; } = inner;

    public virtual ValueTask<JournalPosition> AppendAsync(
        JournalBatch batch, CancellationToken cancellationToken) => Inner.AppendAsync(batch, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        JournalPosition position, int length, CancellationToken cancellationToken) =>
        Inner.ReadAsync(position, length, cancellationToken);

    public virtual ValueTask DisposeAsync() => Inner.DisposeAsync();
}
