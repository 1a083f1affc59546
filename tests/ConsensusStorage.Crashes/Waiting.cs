using System.Diagnostics;

namespace Orleans.Consensus.Crashes;

/// <summary>Waits for what separate processes do in their own time.</summary>
internal static class Waiting
{
    /// <summary>How long a noisy machine may take for what an idle one does in a second or two.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again until it is so.</summary>
    /// <param name="look">What is wrong as yet; null once nothing is.</param>
    /// <exception cref="TimeoutException">It has not come so far; the message says what was wrong last.</exception>
    public static async Task UntilWellAsync(Func<Task<string?>> look, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (await look() is { } wrong)
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"After {Patience.TotalSeconds} s: {wrong}");
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }
}
