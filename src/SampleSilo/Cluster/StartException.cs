namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>The bank can't start. The message is for whoever typed the command.</summary>
internal sealed class StartException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What is behind an exception, in one paragraph and without a stack trace.</summary>
    public static string Explain(Exception exception)
    {
        var cause = exception is AggregateException aggregate ? aggregate.Flatten().InnerExceptions[0] : exception;
        var root = cause.GetBaseException();
        var complete = cause is OrleansConfigurationException
            || cause.Message.Contains(root.Message, StringComparison.OrdinalIgnoreCase);
        var text = complete
            ? cause.Message
            : $"{cause.Message} {root.Message}";
        return string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
