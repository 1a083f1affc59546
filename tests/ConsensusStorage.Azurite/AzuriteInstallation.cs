using System.Security.Cryptography;

namespace Orleans.Consensus.Azurite;

/// <summary>
/// Azurite as <c>npm/package-lock.json</c> names it, installed once for each user and shared by all checkouts, in the
/// user's directory for caches. It is there as a whole or not at all. Thread-safe, also between processes.
/// </summary>
public sealed record AzuriteInstallation
{
    /// <summary>Two noisy cores took three minutes once.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly string Sources = Path.Combine(AppContext.BaseDirectory, "npm");

    private AzuriteInstallation(string directory) => Directory = directory;

    /// <summary>Where <c>node_modules</c> is.</summary>
    public string Directory { get; }

    /// <summary>Runs the blob service of an installation.</summary>
    internal static string Server => Path.Combine(Sources, "serve.js");

    private bool IsThere => File.Exists(Path.Combine(Directory, "node_modules", "azurite", "package.json"));

    /// <summary>Installs Azurite, and Node.js where that is possible, unless it is there.</summary>
    /// <param name="cache">The directory of installations; that of the user if null.</param>
    /// <param name="cancellationToken">Ends what is under way.</param>
    /// <exception cref="AzuriteException">It can't be installed.</exception>
    public static async Task<AzuriteInstallation> EnsureAsync(
        string? cache = null, CancellationToken cancellationToken = default)
    {
        var directory = cache ?? UserCache();
        var installation = new AzuriteInstallation(Path.Combine(directory, $"azurite-{Fingerprint()}"));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            using var turn = await TakeTurnAsync(Path.Combine(directory, "azurite.lock"), deadline.Token);
            await NodePrograms.EnsureAsync(withNpm: !installation.IsThere, deadline.Token);
            if (!installation.IsThere)
            {
                await installation.InstallAsync(deadline.Token);
            }

            return installation;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new AzuriteException($"Azurite was not installed within {Patience}, in {directory}.", exception);
        }
    }

    /// <summary>What is installed: another list of packages is another installation.</summary>
    private static string Fingerprint()
    {
        var list = File.ReadAllBytes(Path.Combine(Sources, "package-lock.json"));
        return Convert.ToHexStringLower(SHA256.HashData(list))[..16];
    }

    private static string UserCache()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(caches))
        {
            caches = home.Length > 0 ? Path.Combine(home, ".cache") : Path.GetTempPath();
        }

        return Path.Combine(caches, "orleans-consensus");
    }

    /// <summary>The operating system gives the turn to the next one when a process ends, however it does.</summary>
    private static async Task<FileStream> TakeTurnAsync(string file, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    private async Task InstallAsync(CancellationToken cancellationToken)
    {
        // An npm whose starter was killed may still be at work in a directory of this kind: each try has its own.
        var parent = Path.GetDirectoryName(Directory)!;
        foreach (var half in System.IO.Directory.EnumerateDirectories(parent, "half-*"))
        {
            Delete(half);
        }

        Delete(Directory);
        var started = Path.Combine(parent, $"half-{Guid.NewGuid():N}");
        System.IO.Directory.CreateDirectory(started);
        try
        {
            foreach (var name in new[] { "package.json", "package-lock.json", ".npmrc" })
            {
                File.Copy(Path.Combine(Sources, name), Path.Combine(started, name));
            }

            var run = await ProgramRun.OfAsync("npm", ["ci", "--ignore-scripts"], started, cancellationToken);
            if (run?.ExitCode != 0)
            {
                throw new AzuriteException($"npm can't install Azurite in {started}, {run}");
            }

            System.IO.Directory.Move(started, Directory);
        }
        finally
        {
            Delete(started);
        }
    }

    private static void Delete(string directory)
    {
        try
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Moved, or never there.
        }
        catch (IOException)
        {
            // Somebody still writes into it; whoever installs next deletes it.
        }
    }
}
