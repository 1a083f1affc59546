namespace Orleans.Consensus.Azurite;

/// <summary>Programs that tests run and that a new machine doesn't have.</summary>
public static class DebianPackages
{
    /// <summary>Installs packages as root of a Debian system. Returns why they may not be there, or null.</summary>
    public static async Task<string?> InstallAsync(
        IReadOnlyCollection<string> packages, CancellationToken cancellationToken = default)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/bin/apt-get"))
        {
            return $"{string.Join(" and ", packages)} can be installed by root of a Debian system only.";
        }

        // Lists may be absent or old; if they can't be brought up to date, those that are there may do.
        await ProgramRun.OfAsync("apt-get", ["update"], null, cancellationToken);
        var install = await ProgramRun.OfAsync(
            "apt-get", ["install", "--yes", "--no-install-recommends", .. packages], null, cancellationToken);
        return install is { ExitCode: 0 } ? null : $"{string.Join(" and ", packages)} can't be installed, {install}";
    }
}
