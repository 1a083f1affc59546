namespace Orleans.Consensus.Journaling;

/// <summary>The log's place can't be used: no rights, no directory, read-only, a disk that fails to read.</summary>
/// <param name="mayPass">It is a storage account that gives no answer now.</param>
internal sealed class JournalUnavailableException(string message, Exception? inner = null, bool mayPass = false)
    : JournalException(message, inner)
{
    public override bool MayPass => mayPass;
}
