namespace Orleans.Consensus;

/// <summary>
/// The key of this package's <see cref="TimeProvider"/> among the services, as Orleans has keys for its own parts
/// (<c>Orleans.Runtime.TimeProviderNames</c>).
/// </summary>
public static class ConsensusTimeProviderNames
{
    /// <summary>
    /// The clock of stores, reminders and clustering: timeouts, retries, and the ballots that order writes. Default the
    /// system's, also where the application registers a <see cref="TimeProvider"/> of its own, because a clock that
    /// stands still would stop every read and write.
    /// </summary>
    public const string Consensus = "Orleans.Consensus";
}
