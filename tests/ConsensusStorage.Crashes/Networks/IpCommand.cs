using System.ComponentModel;
using System.Diagnostics;

namespace Orleans.Consensus.Crashes.Networks;

/// <summary>There can be no networks of one's own here. The message says why.</summary>
internal sealed class NetworkException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary><c>ip</c>, of iproute2.</summary>
internal static class IpCommand
{
    /// <summary>Runs it to its end, and returns what it printed.</summary>
    /// <param name="arguments">Separated by spaces.</param>
    /// <exception cref="NetworkException">It is not there, or fails.</exception>
    public static async Task<string> RunAsync(string arguments)
    {
        using var process = new Process
        {
            StartInfo = new("ip", arguments.Split(' '))
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            throw new NetworkException("'ip' (iproute2) can't be run.", exception);
        }

        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new NetworkException($"'ip {arguments}' fails: {(await errors).Trim()}");
    }
}
