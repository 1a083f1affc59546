using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Documents;

/// <summary>
/// One process's way to a place. What has been sent gets there whatever becomes of the process; while that stands still
/// it hears of no answer, and when it has ended whatever is left of its code asks for nothing more.
/// </summary>
/// <param name="number">What its requests are known by.</param>
internal sealed class ProcessDocuments(
    DocumentPlace place, int number, SimulatedProcess process, SimulatedScheduler kernel) : IDocuments
{
    public string Location => place.Location;

    /// <summary>The tag of the last document that it has written, or knows to be durable.</summary>
    public string? Known { get; private set; }

    public ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(Request("read", name), () => ValueTask.FromResult(place.Find(name)), cancellationToken);

    public async ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // What is sent is sent, whatever becomes of the caller's buffer.
        var sent = bytes.ToArray();
        string? written = null;
        var done = await SendAsync(
            Request("write", name) with { IsChange = true, Content = sent }, WriteAsync, cancellationToken);
        Known = done ? written : Known;
        return done;

        async ValueTask<bool> WriteAsync()
        {
            var isDone = await place.TryWriteAsync(number, name, tag, sent);
            written = place.Find(name)?.Tag;
            return isDone;
        }
    }

    public async ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken)
    {
        var done = await SendAsync(Request("flush", name), () => place.TryFlushAsync(name, tag), cancellationToken);
        Known = done ? tag : Known;
        return done;
    }

    public async ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken) =>
        await SendAsync(
            Request("note", name) with { IsChange = true },
            () => ValueTask.FromResult(place.Note(name, time)),
            cancellationToken);

    public async ValueTask ForgetAsync(string name, CancellationToken cancellationToken) =>
        await SendAsync(
            Request("forget", name) with { IsChange = true },
            () => ValueTask.FromResult(place.Forget(name)),
            cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken) =>
        SendAsync(Request("list", prefix), () => ValueTask.FromResult(place.Notes(prefix)), cancellationToken);

    private DocumentRequest Request(string what, string name) =>
        new(number, place.Number, what, name, IsChange: false, default);

    private async ValueTask<T> SendAsync<T>(
        DocumentRequest request, Func<ValueTask<T>> perform, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (process.HasEnded)
        {
            throw new IOException("This process has ended.");
        }

        var sent = Task.Factory.StartNew(
            () => place.CallAsync(request, perform).AsTask(),
            CancellationToken.None,
            TaskCreationOptions.None,
            kernel).Unwrap();
        return await sent.WaitAsync(cancellationToken);
    }
}
