using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>One client's view of a <see cref="BlobAccount"/>.</summary>
internal sealed class FakeBlobs(BlobAccount account, string client) : IAppendBlobs
{
    /// <summary>Neither its requests get through nor the answers to those under way.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>The client makes each append twice by itself, as after an answer that was lost.</summary>
    public bool Repeats { get; set; }

    public string Location => "memory:blobs";

    public ValueTask<bool> CreateAsync(string name, bool withContainer, CancellationToken cancellationToken) =>
        CallAsync(
            BlobAction.Create, name, 0, () => account.Create(name, withContainer), static done => done,
            cancellationToken);

    public async ValueTask<AppendOutcome> AppendAsync(
        string name, long position, ReadOnlyMemory<byte> bytes, Guid? hold, CancellationToken cancellationToken)
    {
        // What is sent is sent, whatever becomes of the caller's buffer.
        var sent = bytes.ToArray();
        if (Repeats)
        {
            account.Append(name, position, sent, hold);
        }

        return await CallAsync(
            BlobAction.Append, name, position, () => account.Append(name, position, sent, hold),
            static outcome => outcome == AppendOutcome.Appended, cancellationToken);
    }

    public ValueTask<bool> HoldAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        CallAsync(
            BlobAction.Hold, name, 0, () => account.Hold(name, hold), static done => done, cancellationToken);

    public async ValueTask ReleaseAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        await CallAsync(
            BlobAction.Release, name, 0, () => account.Release(name, hold), static done => done, cancellationToken);

    public async ValueTask BreakAsync(string name, CancellationToken cancellationToken) =>
        await CallAsync(
            BlobAction.Break, name, 0, () => account.Break(name), static done => done, cancellationToken);

    public ValueTask<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        CallAsync(
            BlobAction.Length, name, 0, () => account.Length(name), static _ => true, cancellationToken);

    public ValueTask<int> ReadAsync(
        string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        CallAsync(
            BlobAction.Read, name, offset, () => account.Read(name, offset, buffer.Span), static _ => true,
            cancellationToken);

    private async ValueTask<T> CallAsync<T>(
        BlobAction action,
        string name,
        long position,
        Func<T> perform,
        Func<T, bool> wasDone,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (request, fault) = await account.DecideAsync(client, action, name, position);
        switch (IsCutOff ? BlobFault.Lost : fault)
        {
            case BlobFault.Denied:
                throw new UnauthorizedAccessException($"There are no rights to the blob {name}: 403.");
            case BlobFault.Throttled:
                throw new TransientBlobException($"The blob {name} can't be reached: 503 ServerBusy.");
            case BlobFault.Late when request.IsChange:
                account.DoLate(() => Refuse(wasDone(perform()), name));
                throw await TimedOutAsync(name, cancellationToken);
            case BlobFault.Unanswered when request.IsChange:
                perform();
                throw await TimedOutAsync(name, cancellationToken);
            case BlobFault.None:
                var result = perform();
                await AnswerAsync(request, cancellationToken);
                return result;
            default:
                throw await TimedOutAsync(name, cancellationToken);
        }
    }

    private async ValueTask AnswerAsync(BlobRequest request, CancellationToken cancellationToken)
    {
        if (account.Answering is { } answering)
        {
            await answering(request);
        }

        if (IsCutOff)
        {
            throw await TimedOutAsync(request.Name, cancellationToken);
        }

        // What was given up meanwhile is done, and not known to be.
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void Refuse(bool wasDone, string name)
    {
        if (!wasDone)
        {
            throw new IOException($"The blob {name} has gone on: 412.");
        }
    }

    private async ValueTask<TransientBlobException> TimedOutAsync(string name, CancellationToken cancellationToken)
    {
        await Task.Delay(account.TimeOut, account.Time, cancellationToken);
        return new($"The blob {name} gave no answer in its time.");
    }
}
