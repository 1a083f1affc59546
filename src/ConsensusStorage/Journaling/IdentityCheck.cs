namespace Orleans.Consensus.Journaling;

/// <summary>
/// Compares who a log is with who its opener takes it for. Does not: compare the log id, which is the log's own, nor
/// the generation, which grows (S15).
/// </summary>
internal static class IdentityCheck
{
    /// <exception cref="JournalIdentityException">They differ.</exception>
    public static void Verify(JournalIdentity found, JournalIdentity expected, string place)
    {
        const string Place = "Point this silo at its own directory, or give each its own.";
        const string Shape = "It is fixed when a store is formed: restore the former configuration.";
        Compare("the ServiceId", found.Service, expected.Service, Place, place);
        Compare("the store", found.Store, expected.Store, Place, place);
        Compare("the replica", found.Replica.Name, expected.Replica.Name, Place, place);
        Compare("the replica list", found.Replicas, expected.Replicas, Shape, place);
        Compare("the number of groups", $"{found.Groups}", $"{expected.Groups}", Shape, place);
    }

    /// <summary>Refuses to take back what another cluster has taken over: the newer deployment stays (S17).</summary>
    /// <exception cref="JournalIdentityException">It is not this cluster's turn.</exception>
    public static void VerifyTurn(OwnerHistory owners, JournalOwner opener, string place)
    {
        if (owners.Last is { } last && last.Cluster != opener.Cluster && owners.Clusters.Contains(opener.Cluster))
        {
            throw new JournalIdentityException(
                $"The log in {place} was taken over by cluster '{last.Cluster}' (silo {last.Silo}); cluster "
                + $"'{opener.Cluster}' had it before and does not take it back by itself: stop cluster "
                + $"'{last.Cluster}', or give the silos of '{opener.Cluster}' a new ClusterId.");
        }
    }

    /// <summary>Refuses a log in a shared directory that was written as one of a directory of its own, or the reverse.
    /// </summary>
    /// <exception cref="JournalFormatException">It was.</exception>
    public static void VerifyKind(SegmentHeader header, bool isShared, string place)
    {
        if (header.GoesOnAt is null == isShared)
        {
            throw new JournalFormatException(
                isShared
                    ? $"{place} was written by a version of the program that trusted the locks of a shared directory. "
                        + "This one does not, and can't go on there. Nothing was written. Use an empty directory."
                    : $"{place} was written for a directory that several machines share, but is opened as one that "
                        + "only this machine has. Nothing was written. Restore the former configuration.");
        }
    }

    private static void Compare(string field, string found, string expected, string advice, string place)
    {
        if (!string.Equals(found, expected, StringComparison.Ordinal))
        {
            throw new JournalIdentityException(
                $"{place} was written for another log: {field} in it is '{found}', configured is '{expected}'. "
                + advice);
        }
    }
}
