using System.Diagnostics;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>Waits for what a cluster does in its own time: asks again and again, up to a deadline.</summary>
internal static class Eventually
{
    /// <summary>How long a noisy machine may take for what an idle one does in a second.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Repeats <paramref name="attempt"/> until it doesn't throw.</summary>
    /// <exception cref="TimeoutException">It still throws; the last exception is the inner one.</exception>
    public static async Task<T> SucceedsAsync<T>(Func<Task<T>> attempt, TimeSpan? patience = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (Exception exception)
            {
                if (Stopwatch.GetElapsedTime(started) > (patience ?? Patience))
                {
                    throw new TimeoutException($"It still fails: {exception.Message}", exception);
                }
            }

            await Task.Delay(Pause);
        }
    }

    /// <inheritdoc cref="SucceedsAsync{T}"/>
    public static Task SucceedsAsync(Func<Task> attempt, TimeSpan? patience = null) => SucceedsAsync(
        async () =>
        {
            await attempt();
            return true;
        },
        patience);

    /// <summary>Repeats <paramref name="look"/> until <paramref name="expected"/> holds for what it shows.</summary>
    public static Task<T> BecomesAsync<T>(Func<Task<T>> look, Func<T, bool> expected, TimeSpan? patience = null) =>
        SucceedsAsync(
            async () =>
            {
                var seen = await look();
                return expected(seen) ? seen : throw new InvalidOperationException($"Not so yet: {seen}");
            },
            patience);
}
