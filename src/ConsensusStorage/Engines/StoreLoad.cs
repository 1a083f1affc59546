namespace Orleans.Consensus.Engines;

/// <summary>What a store holds in memory and in queues at one moment: each is bounded by a setting (S25).</summary>
/// <param name="Pending">Changes under way; at most <see cref="StoreSettings.MaxPendingChanges"/>.</param>
/// <param name="Sessions">
/// Registers that the engine remembers; about <see cref="StoreSettings.PromiseCacheSize"/> and those in use.
/// </param>
/// <param name="QueuedBytes">
/// Bytes that wait to be sent to the replica for which most wait; at most <see cref="StoreSettings.MaxQueuedBytes"/>.
/// </param>
/// <param name="WaitingBytes">
/// Bytes that wait for the hosted replica; at most <see cref="StoreSettings.MaxQueuedBytes"/>.
/// </param>
/// <param name="CachedBytes">
/// Bytes of state that it keeps in memory; at most <see cref="StoreSettings.ValueCacheBytes"/>.
/// </param>
internal readonly record struct StoreLoad(
    int Pending, int Sessions, long QueuedBytes, long WaitingBytes, long CachedBytes)
{
    /// <summary>Nobody waits for anything.</summary>
    public bool IsIdle => Pending == 0 && QueuedBytes == 0 && WaitingBytes == 0;
}
