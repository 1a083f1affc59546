using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// The same work on several threads. What one of them throws, its caller gets: on a thread of its own it would end the
/// process at once.
/// </summary>
internal static class WorkerThreads
{
    /// <summary>Returns when all are done; throws as soon as one fails, whatever the others do.</summary>
    public static void Run(int count, Action work)
    {
        var ends = new BlockingCollection<Exception?>();
        for (var i = 0; i < count; i++)
        {
            new Thread(() => ends.Add(FailureOf(work))) { IsBackground = true }.Start();
        }

        for (var i = 0; i < count; i++)
        {
            if (ends.Take() is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    private static Exception? FailureOf(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
