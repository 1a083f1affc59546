using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>No answer came in time: the request may or may not have been carried out.</summary>
internal sealed class BankUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Nothing is wrong: this silo only isn't the one to ask now.</summary>
    public bool IsExpected { get; init; }
}

/// <summary>
/// Calls grains for HTTP requests: through a silo that is alive, within a deadline, and once more after errors that
/// pass (a silo died, an activation was out of date). Everything it calls may be repeated: reads, and operations that
/// carry a request id.
/// </summary>
internal sealed class GrainCalls(IBankCluster cluster, TimeProvider time)
{
    /// <summary>When the answer is 503 at the latest.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(12);

    /// <summary>No attempt begins later: it would hardly end in time.</summary>
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <exception cref="BankUnavailableException">No answer.</exception>
    public async Task<T> CallAsync<T>(Func<IGrainFactory, Task<T>> call)
    {
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var attempted = time.GetTimestamp();
            try
            {
                return await AttemptAsync(call, Deadline - time.GetElapsedTime(started));
            }
            catch (Exception exception) when (
                Passes(exception, time.GetElapsedTime(attempted))
                && time.GetElapsedTime(started) + pause < LastAttempt)
            {
                await Task.Delay(pause, time);
            }
            catch (Exception exception) when (MeansNoAnswer(exception))
            {
                throw new BankUnavailableException(StartException.Explain(exception), exception);
            }
        }
    }

    /// <summary>
    /// Errors that another attempt may well not meet again. Storage that waited for a quorum in vain would do so again;
    /// when it refuses at once, its silo is stopping or overloaded.
    /// </summary>
    internal static bool Passes(Exception exception, TimeSpan after) =>
        exception is SiloUnavailableException
            or OrleansMessageRejectionException
            or InconsistentStateException
            or ConsensusOutcomeUnknownException
            or OperationCanceledException
            or ObjectDisposedException
        || (exception is ConsensusUnavailableException && after < AtOnce);

    private static bool MeansNoAnswer(Exception exception) =>
        exception is OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException;

    private async Task<T> AttemptAsync<T>(Func<IGrainFactory, Task<T>> call, TimeSpan remaining)
    {
        var gateway = cluster.FindGateway() ?? throw NoSilo();
        return await call(gateway.Grains).WaitAsync(remaining, time, gateway.Stopped);
    }

    private Exception NoSilo() => cluster.RequestsWait
        ? new SiloUnavailableException("No silo is alive yet.")
        : new BankUnavailableException("This silo is not alive yet, or no longer; ask another one.")
        {
            IsExpected = true,
        };
}
