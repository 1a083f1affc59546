namespace Orleans.Consensus.Journaling;

/// <summary>The log's place can't be used: no rights, no directory, read-only, a disk that fails to read.</summary>
internal sealed class JournalUnavailableException(string message, Exception? inner = null)
    : JournalException(message, inner);
