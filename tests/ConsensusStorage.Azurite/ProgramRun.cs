using System.ComponentModel;
using System.Diagnostics;

namespace Orleans.Consensus.Azurite;

/// <summary>A program that was run to its end, and what it printed.</summary>
public sealed record ProgramRun(int ExitCode, string Output, string Errors)
{
    /// <summary>Runs a program of the search path; null if there is none of that name.</summary>
    /// <exception cref="OperationCanceledException">It was ended, with all that it had started.</exception>
    public static async Task<ProgramRun?> OfAsync(
        string program, IEnumerable<string> arguments, string? directory, CancellationToken cancellationToken)
    {
        using var process = new Process
        {
            StartInfo = new(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = directory ?? Path.GetTempPath(),
            },
        };
        process.StartInfo.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            return null;
        }

        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new(process.ExitCode, await output, await errors);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>The end of what it printed, for messages.</summary>
    public override string ToString()
    {
        const int last = 2000;
        var all = $"{Output}\n{Errors}".Trim();
        return $"exit code {ExitCode}: {(all.Length > last ? all[^last..] : all)}";
    }
}
