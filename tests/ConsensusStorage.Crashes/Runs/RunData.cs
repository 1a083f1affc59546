namespace Orleans.Consensus.Crashes.Runs;

/// <summary>The directory of a run's logs and data, which stays if what they hold is wrong.</summary>
internal static class RunData
{
    /// <summary>Runs in a directory; returns the exit code.</summary>
    /// <param name="data">A directory that stays in any case; null for a temporary one.</param>
    /// <param name="command">How to run it again.</param>
    /// <exception cref="OperationCanceledException">It was interrupted. That ends the silos, too.</exception>
    public static async Task<int> UseAsync(
        string? data,
        string command,
        TextWriter output,
        Func<string, Task> run,
        CancellationToken cancellationToken)
    {
        var directory = data is null
            ? Directory.CreateTempSubdirectory("consensus-crashes-")
            : Directory.CreateDirectory(data);
        var isKept = true;
        try
        {
            await run(directory.FullName);
            isKept = data is not null;
            return ExitCode.Clean;
        }
        catch (Exception exception) when (
            cancellationToken.IsCancellationRequested
            && exception is (OperationCanceledException or ViolationException or TimeoutException))
        {
            isKept = data is not null;
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (Exception exception) when (exception is ViolationException or TimeoutException)
        {
            await output.WriteLineAsync($"VIOLATED: {exception.Message}");
            await output.WriteLineAsync($"Logs and data are in {directory.FullName}. Again: {command}");
            return ExitCode.Violated;
        }
        finally
        {
            if (!isKept)
            {
                directory.Delete(recursive: true);
            }
        }
    }
}
