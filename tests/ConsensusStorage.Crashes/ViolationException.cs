namespace Orleans.Consensus.Crashes;

/// <summary>The bank did what it must not do. The message says what.</summary>
internal sealed class ViolationException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <exception cref="ViolationException">It is not so.</exception>
    public static void Unless(bool isSo, FormattableString message)
    {
        if (!isSo)
        {
            throw new ViolationException(FormattableString.Invariant(message));
        }
    }
}
