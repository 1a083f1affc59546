namespace Orleans.Consensus.Crashes.Runs;

/// <summary>The directory of a run's logs and data, which stays if what they hold is wrong.</summary>
internal static class RunData
{
    /// <summary>Runs in a directory; returns the exit code.</summary>
    /// <param name="data">A directory that stays in any case; null for a temporary one.</param>
    /// <param name="command">How to run it again.</param>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
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
        var (isKept, isTold) = (true, data is not null);
        try
        {
            await run(directory.FullName);
            isKept = data is not null;
            return ExitCode.Clean;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            isKept = data is not null;
            throw;
        }
        catch (Exception exception) when (exception is ViolationException or TimeoutException)
        {
            // What interrupts this program from a terminal ends the silos, too, and that looks like a violation.
            var isInterrupted = cancellationToken.IsCancellationRequested;
            await output.WriteLineAsync($"{(isInterrupted ? "Interrupted, and" : "VIOLATED:")} {exception.Message}");
            await output.WriteLineAsync($"Logs and data are in {directory.FullName}. Again: {command}");
            isTold = true;
            return isInterrupted ? ExitCode.Unfinished : ExitCode.Violated;
        }
        finally
        {
            if (!isKept)
            {
                directory.Delete(recursive: true);
            }
            else if (!isTold)
            {
                await output.WriteLineAsync($"Logs and data are in {directory.FullName}.");
            }
        }
    }
}
