namespace Orleans.Consensus.Journaling;

/// <summary>
/// For how long a log that found its disk full doesn't try it again: each try fills what room there is with a segment
/// that has to be removed, which takes long, and takes the last room from everybody else. The pause grows with each
/// try. Thread rule: one try at a time; <see cref="Problem"/> at any time.
/// </summary>
internal sealed class RoomPause(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    private volatile DiskFullException? _problem;
    private TimeSpan _pause;

    /// <summary>What the last try said; null if there was room.</summary>
    public DiskFullException? Problem => _problem;

    /// <summary>Tries once.</summary>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public async Task<T> TryAsync<T>(Func<ValueTask<T>> create)
    {
        try
        {
            var made = await create();
            _problem = null;
            return made;
        }
        catch (DiskFullException problem)
        {
            var doubled = _pause * 2 < Longest ? _pause * 2 : Longest;
            _pause = _problem is null ? Shortest : doubled;
            _problem = problem;
            throw;
        }
        catch
        {
            // Another failure says nothing about room: the next append has to find out, and must not be told of an
            // old one instead.
            _problem = null;
            throw;
        }
    }

    /// <summary>Tries until there is room, with a pause before each try, also before the first.</summary>
    public async Task<T> TryLaterAsync<T>(Func<ValueTask<T>> create, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_pause, time, cancellationToken);
            try
            {
                return await TryAsync(create);
            }
            catch (DiskFullException)
            {
                continue;
            }
        }
    }
}
