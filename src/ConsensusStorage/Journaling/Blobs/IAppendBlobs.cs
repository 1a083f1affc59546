namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// The little that a log needs from one container of append blobs, narrow enough to be faked with all its faults.
/// An append is atomic: all of its bytes are there, or none. Thread rule: any.
/// <para>Failures are <see cref="TransientBlobException"/> (the outcome is unknown, or nothing happened; the same
/// request may be made again), and those that stay: <see cref="UnauthorizedAccessException"/> and any other
/// <see cref="IOException"/>.</para>
/// Does not: try anything again.
/// </summary>
internal interface IAppendBlobs
{
    /// <summary>The container in words that an operator can find. Does not: hold secrets.</summary>
    string Location { get; }

    /// <summary>Creates an empty blob unless there is one of that name. Nothing is ever put in its place.</summary>
    /// <param name="withContainer">Creates the container, too, if it isn't there.</param>
    /// <returns>False if the blob was there already.</returns>
    ValueTask<bool> CreateAsync(string name, bool withContainer, CancellationToken cancellationToken);

    /// <summary>Appends bytes if the blob's end is at <paramref name="position"/>, and never elsewhere (S18).</summary>
    /// <param name="hold">The hold that the caller has on the blob; null if it has none.</param>
    ValueTask<AppendOutcome> AppendAsync(
        string name, long position, ReadOnlyMemory<byte> bytes, Guid? hold, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps everybody else from appending to a blob until it is released or 15 seconds are over (a lease). The same
    /// hold may be taken again.
    /// </summary>
    /// <returns>False if somebody else holds it.</returns>
    ValueTask<bool> HoldAsync(string name, Guid hold, CancellationToken cancellationToken);

    /// <summary>Lets others append again; nothing if the hold has ended.</summary>
    ValueTask ReleaseAsync(string name, Guid hold, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the hold of whoever has it. Does not: end a lease without end, which nobody takes for a log.
    /// </summary>
    ValueTask BreakAsync(string name, CancellationToken cancellationToken);

    /// <summary>The blob's length in bytes; null if there is no such blob, or no such container.</summary>
    ValueTask<long?> LengthAsync(string name, CancellationToken cancellationToken);

    /// <summary>Reads as many bytes as there are, up to the buffer's length; fewer only at the blob's end.</summary>
    ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>What the service said to an append.</summary>
internal enum AppendOutcome
{
    Appended,

    /// <summary>The blob ends elsewhere. After a retry that may be due to the very bytes.</summary>
    WrongPosition,

    /// <summary>Nothing was done: somebody else holds the blob, or the caller's own hold has ended.</summary>
    Held,
}

/// <summary>
/// A request got no answer, or was put off (time-out, broken connection, 429, 5xx): it may have been done, may still be
/// done, or never.
/// </summary>
internal sealed class TransientBlobException(string message, Exception? inner = null) : IOException(message, inner);
