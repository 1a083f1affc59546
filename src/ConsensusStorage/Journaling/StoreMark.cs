namespace Orleans.Consensus.Journaling;

/// <summary>
/// The header of a whole store, as a segment with nothing in it. The logs of replicas that float are named after their
/// groups: whoever counts other groups, or pins replicas, would find none, and begin an empty store beside the one that
/// is there. The mark stands where a pinned replica has its log, so that each is in the way of the other.
/// </summary>
internal static class StoreMark
{
    /// <summary>Compares the mark, or makes it if it isn't there.</summary>
    /// <param name="store">The place, for the mark alone.</param>
    /// <param name="expected">What the store is taken for.</param>
    /// <param name="mayCreate">False if there must be one, because the store was formed before.</param>
    /// <exception cref="JournalIdentityException">It is another store's, or of another shape.</exception>
    /// <exception cref="IOException">It is gone, or can't be read or made.</exception>
    public static async ValueTask VerifyAsync(
        ISegmentStore store,
        SegmentFactory factory,
        JournalIdentity expected,
        bool mayCreate,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(store, cancellationToken) is not { } found)
        {
            if (!mayCreate)
            {
                throw new IOException(
                    $"There is nothing in {store.Location}, where the store was formed: it was deleted or emptied. "
                    + "Nothing is put in its place. Restore what was there; the other replicas go on without it.");
            }

            try
            {
                await factory.CreateAsync(expected, 1, previous: 0, epoch: 1, SegmentHeader.Size, cancellationToken);
                return;
            }
            catch (SegmentTakenException)
            {
                found = await FindAsync(store, cancellationToken)
                    ?? throw new IOException($"The mark of the store in {store.Location} is gone.");
            }
        }

        IdentityCheck.Verify(found, expected, $"The store in {store.Location}");
    }

    private static async ValueTask<JournalIdentity?> FindAsync(
        ISegmentStore store, CancellationToken cancellationToken)
    {
        if ((await store.ListAsync(cancellationToken)).Count == 0
            || await store.OpenAsync(1, id: 0, cancellationToken) is not { } segment)
        {
            return null;
        }

        var bytes = new byte[SegmentHeader.Size];
        var length = await segment.ReadAsync(0, bytes, cancellationToken);
        return SegmentHeader.Decode(bytes.AsSpan(0, length), LogSegment.PlaceOf(store.Location, 1)).Header.Identity;
    }
}
