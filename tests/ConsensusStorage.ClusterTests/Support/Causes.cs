namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>Finds the exception that matters among those that wrap it.</summary>
internal static class Causes
{
    public static IEnumerable<Exception> Of(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }
}
