namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// A grain's persistent state that never shows what was not written. States are immutable, so a write that fails is
/// taken back by putting the former object back.
/// <para>After a failed write nobody knows what the register holds: the new state may be there, or may still come.
/// Therefore the next use reads it again before anything is answered. It stays the same
/// <see cref="IPersistentState{TState}"/> all the time, which lets the provider recognise a write of its own that was
/// in doubt.</para>
/// Not thread-safe: for grains that are not reentrant.
/// </summary>
internal sealed class GuardedState<T>(IPersistentState<T> storage)
    where T : class
{
    private bool _inDoubt;

    /// <summary>The state in memory, or the register's if asked for, or if the last write failed.</summary>
    public async ValueTask<T> ReadAsync(bool fresh = false)
    {
        if (fresh || _inDoubt)
        {
            await storage.ReadStateAsync();
            _inDoubt = false;
        }

        return storage.State;
    }

    /// <summary>Makes <paramref name="next"/> the state. If this throws, it is not the state in memory.</summary>
    public async Task WriteAsync(T next)
    {
        var before = storage.State;
        storage.State = next;
        try
        {
            await storage.WriteStateAsync();
        }
        catch
        {
            storage.State = before;
            _inDoubt = true;
            throw;
        }
    }
}
