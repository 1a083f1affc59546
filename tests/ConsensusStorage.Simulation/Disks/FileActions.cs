namespace Orleans.Consensus.Simulation.Disks;

/// <summary>What an operation on a file or directory touches.</summary>
internal static class FileActions
{
    public static bool ChangesNames(this FileAction action) =>
        action is FileAction.Create or FileAction.Rename or FileAction.Delete or FileAction.FlushDirectory;

    public static bool ChangesDisk(this FileAction action) =>
        action.ChangesNames() || action is FileAction.Write or FileAction.Flush or FileAction.WriteAndFlush;
}
