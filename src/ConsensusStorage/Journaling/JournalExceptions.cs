namespace Orleans.Consensus.Journaling;

/// <summary>A log can't be opened, read or appended to. The message names the log and says what to do.</summary>
internal abstract class JournalException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The same may succeed later without anybody's doing anything to this silo: it is worth another try.
    /// </summary>
    public virtual bool MayPass => false;
}

/// <summary>Another process or silo has the log open.</summary>
internal sealed class JournalInUseException(string message, Exception? inner = null)
    : JournalException(message, inner);

/// <summary>The log is another cluster's, replica's, replica list's or group count's.</summary>
internal sealed class JournalIdentityException(string message) : JournalException(message);

/// <summary>The log's format version is newer than this program.</summary>
internal sealed class JournalFormatException(string message) : JournalException(message);

/// <summary>Bytes that were durable once are damaged or missing: the replica must not serve from this log.</summary>
internal sealed class JournalCorruptException(string message, Exception? inner = null)
    : JournalException(message, inner);

/// <summary>There is no room for the batch; nothing of it was written.</summary>
internal sealed class JournalFullException(string message, Exception? inner = null)
    : JournalException(message, inner)
{
    public override bool MayPass => true;
}

/// <summary>An append or flush failed, so its outcome is unknown, or the log was lost to another owner.</summary>
internal sealed class JournalLostException(string message, Exception? inner = null)
    : JournalException(message, inner)
{
    public override bool MayPass => true;
}

/// <summary>
/// Somebody else has taken the log over (S17). What was being appended is not there and never will be, or, in a shared
/// directory, was not acknowledged; what its former owner holds in memory counts for nothing any more.
/// </summary>
internal sealed class JournalFencedException(string message, Exception? inner = null)
    : JournalException(message, inner)
{
    /// <summary>What was being appended may be there.</summary>
    public bool MayBeThere { get; init; }
}
