using System.Diagnostics;

namespace Orleans.Consensus.Mutants;

/// <summary>How a child process ended.</summary>
/// <param name="ExitCode">Null if it was ended from here.</param>
/// <param name="Lines">What it wrote to both outputs.</param>
/// <param name="Found">The line that was waited for, if it came.</param>
internal sealed record ChildResult(int? ExitCode, IReadOnlyList<string> Lines, string? Found)
{
    /// <summary>Its time was up.</summary>
    public bool TimedOut => ExitCode is null && Found is null;

    /// <summary>The last line that has anything in it.</summary>
    public string LastLine => Lines.LastOrDefault(line => !string.IsNullOrWhiteSpace(line))?.Trim() ?? "no output";
}

/// <summary>
/// Runs a program to its end, or ends it with all its children: when its time is up, when the run is cancelled, or as
/// soon as it has written a line that tells enough.
/// </summary>
internal sealed record ChildProcess(string Program, IReadOnlyList<string> Arguments, string Directory, TimeSpan Limit)
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);

    /// <summary>A line that tells enough.</summary>
    public Func<string, bool> Until { get; init; } = _ => false;

    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task<ChildResult> RunAsync(CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        string? found = null;
        using var limit = new CancellationTokenSource(Limit);
        using var enough = new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            limit.Token, enough.Token, cancellationToken);
        using var process = new Process { StartInfo = StartInfo() };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(Farewell);
        }

        cancellationToken.ThrowIfCancellationRequested();
        lock (lines)
        {
            return new(stop.IsCancellationRequested ? null : process.ExitCode, [.. lines], found);
        }

        void Take(string? line)
        {
            if (line is null)
            {
                return;
            }

            lock (lines)
            {
                lines.Add(line);
                if (found is null && Until(line))
                {
                    found = line;
                    enough.Cancel();
                }
            }
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            WorkingDirectory = Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Leave no build servers behind, and don't take a repository around the directory for the directory's own.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";

        // Where no large cache is told of, collections would take a good part of the fast tests' time.
        start.Environment["DOTNET_GCgen0size"] = "0x8000000";
        start.Environment["GIT_CEILING_DIRECTORIES"] = Path.GetDirectoryName(Directory);
        return start;
    }
}
