namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>A directory of its own for one test or fixture, removed at the end.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("consensus-cluster-").FullName;

    /// <summary>All files with their contents, to see whether anything was written.</summary>
    public IReadOnlyDictionary<string, byte[]> Snapshot(string pattern = "segment-*") => Directory
        .EnumerateFiles(Path, pattern, SearchOption.AllDirectories)
        .ToDictionary(file => file, File.ReadAllBytes);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A killed silo may still hold a file; it is in the directory for temporary files anyway.
        }
    }
}
