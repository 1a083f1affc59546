using System.Runtime.ExceptionServices;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Hears of every exception that is thrown on this thread while it lives, also of those that the code under test
/// catches and takes for a lost message or a bad disk: one that only a programmer's mistake throws is a violation.
/// One at a time on a thread.
/// </summary>
internal sealed class ErrorOracle : IDisposable
{
    [ThreadStatic]
    private static ErrorOracle? _here;

    private readonly Action<string> _violated;
    private Exception? _last;

    static ErrorOracle() => AppDomain.CurrentDomain.FirstChanceException += static (_, thrown) => _here?.Hear(thrown);

    public ErrorOracle(Action<string> violated)
    {
        _violated = violated;
        _here = this;
    }

    public void Dispose() => _here = null;

    private void Hear(FirstChanceExceptionEventArgs thrown)
    {
        // Every await on its way throws it once more.
        if (!ReferenceEquals(thrown.Exception, _last) && IsMistake(thrown.Exception))
        {
            _last = thrown.Exception;
            _violated($"The code made a mistake: {thrown.Exception}");
        }
    }

    private static bool IsMistake(Exception exception) => exception switch
    {
        // What a channel, a stream or a token says that was closed while somebody waited for it.
        ObjectDisposedException or System.Threading.Channels.ChannelClosedException => false,
        InvalidOperationException or ArgumentException or NullReferenceException or IndexOutOfRangeException
            or InvalidCastException or KeyNotFoundException or ArithmeticException or NotSupportedException
            or NotImplementedException or System.Diagnostics.UnreachableException => true,
        _ => false,
    };
}
