using Microsoft.Win32.SafeHandles;

namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// What makes files and names durable on the machine's disk. Everything that writes files for the library comes
/// through here, so that tests can see what was flushed, and when. Thread rule: any.
/// </summary>
internal interface IDiskCalls
{
    /// <summary>Makes a file's content and length durable.</summary>
    /// <exception cref="IOException">It may not be durable, and a later flush proves nothing.</exception>
    void Flush(SafeFileHandle file, string path);

    /// <summary>Makes the names in a directory durable. Does not: flush the files.</summary>
    /// <exception cref="IOException">They may not be durable, or there is no such directory.</exception>
    void FlushDirectory(string path);
}
