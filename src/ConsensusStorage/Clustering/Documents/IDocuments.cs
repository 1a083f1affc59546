namespace Orleans.Consensus.Clustering.Documents;

/// <summary>
/// One place for small documents that are changed by compare-and-swap, and for notes of the time. Each replica of a
/// cluster's membership has a place of its own. Nobody has to run for it but the disk or the storage account.
/// Thread rule: any; any number of processes.
/// <para>Failures are <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>. A failed change may have
/// been made, may still be made, or never: whoever needs to know reads again.</para>
/// Does not: try anything again.
/// </summary>
internal interface IDocuments
{
    /// <summary>The place in words that an operator can find. Does not: hold secrets.</summary>
    string Location { get; }

    /// <summary>Null if there is no such document.</summary>
    ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Puts a document in the place of the one with that tag, or creates it; on return it is durable.
    /// </summary>
    /// <param name="tag">The tag of the document that is replaced; null if there must be none.</param>
    /// <returns>False if another document stands there, or none.</returns>
    ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a document durable that was read: its writer may not have flushed it yet. Changes no byte, so rights to
    /// read are enough.
    /// </summary>
    /// <param name="tag">The tag it was read with.</param>
    /// <returns>
    /// False if another document stands there, or if its flush may have failed: then only writing it once more makes it
    /// durable.
    /// </returns>
    ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken);

    /// <summary>
    /// Notes a time under a name, in place of a former one. A directory or container that is gone is not made anew for
    /// it. Need not be durable.
    /// </summary>
    ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken);

    /// <summary>Takes a note away; nothing if there is none.</summary>
    ValueTask ForgetAsync(string name, CancellationToken cancellationToken);

    /// <summary>All notes whose names begin so, by their names.</summary>
    ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(string prefix, CancellationToken cancellationToken);
}

/// <summary>A document as it was read.</summary>
/// <param name="Tag">Changes with every change of the document.</param>
internal readonly record struct Document(ReadOnlyMemory<byte> Bytes, string Tag);
