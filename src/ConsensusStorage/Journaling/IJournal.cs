namespace Orleans.Consensus.Journaling;

/// <summary>
/// The ballot-ordered log of a replica: an append-only chain of batches of opaque records.
/// <para>The durability contract, the same for every store:</para>
/// <list type="bullet">
/// <item>When <see cref="AppendAsync"/> has returned, the batch survives the loss of the process and of power.</item>
/// <item>A batch is atomic: replay shows all of its records or none.</item>
/// <item>When it has thrown <see cref="JournalFullException"/> (no room, or a batch over the limit), or
/// <see cref="OperationCanceledException"/> before it began, nothing was written and the journal can be used further.
/// </item>
/// <item>When it has thrown <see cref="JournalFencedException"/>, somebody else has taken the log over: the batch is
/// not there and never will be. The journal is closed for good.</item>
/// <item>When it has thrown anything else, the batch may or may not be there. The journal is closed for good: its
/// owner forgets all it held in memory and opens the journal again (S18).</item>
/// </list>
/// <para>Thread rule: one append at a time; reads at any time, also during an append.</para>
/// Does not: interpret records, or batch by itself. What arrives during an append is the owner's next batch.
/// </summary>
internal interface IJournal : IAsyncDisposable
{
    /// <summary>Who this log is; fixed when it was created.</summary>
    JournalIdentity Identity { get; }

    /// <summary>The owner epoch of this opening (S17): above that of every earlier one.</summary>
    long Epoch { get; }

    /// <summary>Bytes of all segments, written part only.</summary>
    long Bytes { get; }

    /// <summary>
    /// False while the last try to make room found the disk full. Once an append was refused for that, room is looked
    /// for without another one.
    /// </summary>
    bool HasRoom => true;

    /// <summary>Appends the records of <paramref name="batch"/> as one batch and makes them durable.</summary>
    /// <returns>Where record bytes start: a record's place is this plus its offset in the batch's body.</returns>
    ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken);

    /// <summary>Reads <paramref name="length"/> bytes of a durable record back. Does not: verify them.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        JournalPosition position, int length, CancellationToken cancellationToken);
}

/// <summary>Where the journals of a process live; opens one by the replica's name.</summary>
internal interface IJournalStore
{
    /// <summary>
    /// True if a log that is open can't be taken over: who opens it waits until its owner gives it up. False if taking
    /// over fences the owner out, wherever it is (S17).
    /// </summary>
    bool IsExclusive { get; }

    /// <summary>
    /// Makes sure that a store whose logs have other places, here beside this one, is the one that is expected: its
    /// header is compared, or written where there is none. Does not: take anything over.
    /// </summary>
    /// <param name="expected">What the store is taken for; its replica tells the place.</param>
    /// <param name="mayCreate">False if there must be a header already.</param>
    /// <exception cref="JournalInUseException">Somebody else is at it just now.</exception>
    /// <exception cref="JournalIdentityException">It is another cluster's, replica's or shape's store.</exception>
    /// <exception cref="JournalCorruptException">The header is damaged.</exception>
    /// <exception cref="JournalUnavailableException">No rights, no such place, or it was emptied.</exception>
    ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the journal over (afterwards a former owner's appends fail, S17), creates it when there is none, repairs
    /// a torn tail, and shows every record after <paramref name="from"/> to <paramref name="replay"/> in order.
    /// </summary>
    /// <param name="expected">Who the log must be; its log id is used only for a new log.</param>
    /// <param name="owner">Who takes it over, for messages and the fence record.</param>
    /// <param name="from">The position a checkpoint covers up to; null replays everything.</param>
    /// <param name="replay">
    /// Called on each record; what it throws ends the opening. To be trusted once this call has returned.
    /// </param>
    /// <exception cref="JournalInUseException">Somebody else has it open.</exception>
    /// <exception cref="JournalIdentityException">It is another cluster's, replica's or shape's log.</exception>
    /// <exception cref="JournalFormatException">It was written by a newer version.</exception>
    /// <exception cref="JournalCorruptException">Bytes that were once durable are damaged.</exception>
    /// <exception cref="JournalUnavailableException">No rights, no such place, or the disk fails.</exception>
    /// <exception cref="JournalFullException">There is no room to open or create it.</exception>
    /// <exception cref="JournalLostException">It could not be taken over.</exception>
    ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken);
}

/// <summary>Shown one record: its kind, its place, its bytes. The bytes are valid during the call only.</summary>
internal delegate void JournalReplay(byte kind, JournalPosition position, ReadOnlySpan<byte> record);

/// <summary>A place in a log: segment number, counted from 1, and byte offset in it.</summary>
internal readonly record struct JournalPosition(int Segment, long Offset)
{
    public JournalPosition Plus(int bytes) => this with { Offset = Offset + bytes };

    public override string ToString() => $"segment {Segment} offset {Offset}";
}

/// <summary>Everything a log's header states and an opener must agree with.</summary>
/// <param name="Service">Orleans' ServiceId: the cluster whose state this is.</param>
/// <param name="Store">The name of the consensus store in that service.</param>
/// <param name="Replica">Whose log it is.</param>
/// <param name="Replicas">All replicas of the store, in ordinal order, joined by commas.</param>
/// <param name="Groups">Number of replica groups, fixed at formation.</param>
/// <param name="Generation">Configuration generation (S15); 1 until reconfiguration exists.</param>
/// <param name="LogId">Random identity of this log (S13).</param>
internal sealed record JournalIdentity(
    string Service, string Store, ReplicaId Replica, string Replicas, int Groups, long Generation, LogId LogId);

/// <summary>Who opens a log: Orleans' ClusterId and the silo, for messages and fence records.</summary>
internal sealed record JournalOwner(string Cluster, string Silo);
