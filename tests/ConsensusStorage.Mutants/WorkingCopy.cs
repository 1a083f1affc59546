namespace Orleans.Consensus.Mutants;

/// <summary>A mutant could not be made: its patch does not fit, or what it makes does not build.</summary>
internal sealed class MutantException(string message) : Exception(message);

/// <summary>
/// A copy of all tracked files in a temporary directory, for one mutant after the other: what one of them changed is
/// put back before the next, so builds stay incremental. Goes with <see cref="Dispose"/>.
/// </summary>
internal sealed class WorkingCopy : IDisposable
{
    private const string Configuration = "Release";

    private static readonly TimeSpan GitLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(10);

    private readonly string _root;
    private readonly HashSet<string> _changed = [];
    private bool _restored;

    private WorkingCopy(string root, string path)
    {
        _root = root;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Copies the tracked files of <paramref name="root"/> as they are now.</summary>
    public static async Task<WorkingCopy> CreateAsync(string root, CancellationToken cancellationToken)
    {
        var listed = await new ChildProcess("git", ["ls-files", "-z"], root, GitLimit).RunAsync(cancellationToken);
        if (listed.ExitCode != 0)
        {
            throw new MutantException($"{root} is no git checkout: {listed.LastLine}");
        }

        var copy = new WorkingCopy(root, Directory.CreateTempSubdirectory("mutants-").FullName);
        var files = string.Concat(listed.Lines).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        foreach (var file in files.Where(file => File.Exists(System.IO.Path.Combine(root, file))))
        {
            copy.Restore(file);
        }

        return copy;
    }

    /// <summary>Where the output of a project of the tests is.</summary>
    public string Assembly(string project) => Directory
        .EnumerateFiles(
            System.IO.Path.Combine(Path, "tests", project, "bin", Configuration),
            $"{project}.dll",
            SearchOption.AllDirectories)
        .First();

    /// <summary>Makes this copy the mutant, built.</summary>
    /// <exception cref="MutantException">It can't be made.</exception>
    public async Task BecomeAsync(Mutant mutant, CancellationToken cancellationToken)
    {
        RestoreAll();
        var applied = await new ChildProcess("git", ["apply", mutant.Patch], Path, GitLimit)
            .RunAsync(cancellationToken);
        _changed.UnionWith(mutant.Sources);
        if (applied.ExitCode != 0)
        {
            throw new MutantException($"Its patch does not apply: {string.Join(' ', applied.Lines)}");
        }

        if (mutant.Sources.Count == 0 || mutant.Sources.Any(IsAsBefore))
        {
            throw new MutantException("Its patch changes nothing.");
        }

        await BuildAsync(cancellationToken);
    }

    /// <summary>Makes this copy the code as it is, built.</summary>
    /// <exception cref="MutantException">It does not build.</exception>
    public Task BecomeOriginalAsync(CancellationToken cancellationToken)
    {
        RestoreAll();
        return BuildAsync(cancellationToken);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private async Task BuildAsync(CancellationToken cancellationToken)
    {
        // The style of a mutant is nobody's business.
        string[] arguments =
        [
            "build", "tests/ConsensusStorage.Tests", "-c", Configuration, "-v", "q", "-nologo", "-clp:NoSummary",
            "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false", "-p:UseSharedCompilation=false",
            .. _restored ? ["--no-restore"] : Array.Empty<string>(),
        ];
        var built = await new ChildProcess("dotnet", arguments, Path, BuildLimit).RunAsync(cancellationToken);
        if (built.ExitCode != 0)
        {
            var error = built.Lines.FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase));
            throw new MutantException($"It does not build: {(error ?? built.LastLine).Trim()}");
        }

        _restored = true;
    }

    private void RestoreAll()
    {
        foreach (var file in _changed)
        {
            Restore(file);
        }

        _changed.Clear();
    }

    private void Restore(string file)
    {
        var target = System.IO.Path.Combine(Path, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);

        // Written and not copied: a copy has the age of its original, and would pass for built already.
        File.WriteAllBytes(target, File.ReadAllBytes(System.IO.Path.Combine(_root, file)));
    }

    private bool IsAsBefore(string file) =>
        File.ReadAllBytes(System.IO.Path.Combine(Path, file))
            .AsSpan()
            .SequenceEqual(File.ReadAllBytes(System.IO.Path.Combine(_root, file)));
}
