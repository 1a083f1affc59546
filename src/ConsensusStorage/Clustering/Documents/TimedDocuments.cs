namespace Orleans.Consensus.Clustering.Documents;

/// <summary>
/// A place whose calls may hang, as those of a network file system do: each has a bounded time and runs beside its
/// caller, so that the other places are asked meanwhile. While one hangs, the next ones fail at once.
/// </summary>
/// <param name="patience">Time for one request.</param>
/// <param name="scheduler">Where a request may hang.</param>
internal sealed class TimedDocuments(
    IDocuments documents, TimeSpan patience, TimeProvider time, TaskScheduler scheduler) : IDocuments
{
    private volatile Task _hanging = Task.CompletedTask;

    public string Location => documents.Location;

    public ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(() => documents.ReadAsync(name, cancellationToken), cancellationToken);

    public ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        RunAsync(() => documents.TryWriteAsync(name, tag, bytes, cancellationToken), cancellationToken);

    public ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken) =>
        RunAsync(() => documents.TryFlushAsync(name, tag, cancellationToken), cancellationToken);

    public async ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken) =>
        await RunAsync(() => Done(documents.NoteAsync(name, time, cancellationToken)), cancellationToken);

    public async ValueTask ForgetAsync(string name, CancellationToken cancellationToken) =>
        await RunAsync(() => Done(documents.ForgetAsync(name, cancellationToken)), cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken) =>
        RunAsync(() => documents.NotesAsync(prefix, cancellationToken), cancellationToken);

    private static async ValueTask<bool> Done(ValueTask request)
    {
        await request;
        return true;
    }

    private async ValueTask<T> RunAsync<T>(Func<ValueTask<T>> request, CancellationToken cancellationToken)
    {
        if (!_hanging.IsCompleted)
        {
            throw new IOException($"{Location} does not answer.");
        }

        var running = Task.Factory.StartNew(
            () => request().AsTask(), CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();
        try
        {
            return await running.WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException exception) when (!running.IsCompleted)
        {
            _hanging = running;
            throw new IOException($"{Location} gave no answer in its time.", exception);
        }
    }
}
