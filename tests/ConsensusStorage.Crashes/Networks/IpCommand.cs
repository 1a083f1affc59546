using Orleans.Consensus.Azurite;

namespace Orleans.Consensus.Crashes.Networks;

/// <summary>There can be no networks of one's own here. The message says why.</summary>
internal sealed class NetworkException(string message) : Exception(message);

/// <summary><c>ip</c>, of iproute2.</summary>
internal static class IpCommand
{
    /// <summary>Runs it to its end, and returns what it printed.</summary>
    /// <param name="arguments">Separated by spaces.</param>
    /// <exception cref="NetworkException">It is not there, or fails.</exception>
    public static async Task<string> RunAsync(string arguments)
    {
        var run = await ProgramRun.OfAsync("ip", arguments.Split(' '), null, CancellationToken.None)
            ?? throw new NetworkException("'ip' (iproute2) can't be run.");
        return run.ExitCode == 0
            ? run.Output
            : throw new NetworkException($"'ip {arguments}' fails: {run.Errors.Trim()}");
    }
}
