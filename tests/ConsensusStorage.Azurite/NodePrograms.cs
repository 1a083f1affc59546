using System.Globalization;

namespace Orleans.Consensus.Azurite;

/// <summary><c>node</c> and <c>npm</c>, which Azurite runs on and is installed with.</summary>
internal static class NodePrograms
{
    /// <summary>Azurite 3.35.0 asks for no more, but what it depends on does. Debian 12 has 18.</summary>
    public const int OldestNode = 18;

    private static readonly string Advice = string.Create(
        CultureInfo.InvariantCulture,
        $"Azurite needs Node.js {OldestNode} or later, and npm: install both (Debian: apt-get install nodejs npm).");

    /// <summary>Installs what is missing, as root of a Debian system; checks what is there.</summary>
    /// <param name="withNpm">Whether there is something to install with it.</param>
    /// <param name="cancellationToken">Ends what is under way.</param>
    /// <exception cref="AzuriteException">Something is missing, or too old.</exception>
    public static async Task EnsureAsync(bool withNpm, CancellationToken cancellationToken)
    {
        var missing = await MissingAsync(withNpm, cancellationToken);
        if (missing.Count > 0)
        {
            await InstallAsync(missing, cancellationToken);
        }

        var version = (await VersionAsync("node", cancellationToken))!;
        var major = version.TrimStart('v').Split('.')[0];
        if (!int.TryParse(major, CultureInfo.InvariantCulture, out var number) || number < OldestNode)
        {
            throw new AzuriteException($"This is Node.js '{version}'. {Advice}");
        }
    }

    private static async Task<List<string>> MissingAsync(bool withNpm, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        if (await VersionAsync("node", cancellationToken) is null)
        {
            missing.Add("nodejs");
        }

        if (withNpm && await VersionAsync("npm", cancellationToken) is null)
        {
            missing.Add("npm");
        }

        return missing;
    }

    private static async Task InstallAsync(List<string> packages, CancellationToken cancellationToken)
    {
        var problem = await DebianPackages.InstallAsync(packages, cancellationToken);
        if (await MissingAsync(packages.Contains("npm"), cancellationToken) is { Count: > 0 } still)
        {
            throw new AzuriteException($"There is no {string.Join(" and no ", still)} here: {problem}\n{Advice}");
        }
    }

    private static async Task<string?> VersionAsync(string program, CancellationToken cancellationToken)
    {
        var run = await ProgramRun.OfAsync(program, ["--version"], null, cancellationToken);
        return run is { ExitCode: 0 } ? run.Output.Trim() : null;
    }
}
