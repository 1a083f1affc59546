using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>
/// One process's way to a storage account. What has been sent gets there whatever becomes of the process; while that
/// stands still it hears of no answer, and when it has ended whatever is left of its code asks for nothing more.
/// </summary>
internal sealed class ProcessBlobs(IAppendBlobs blobs, SimulatedProcess process, SimulatedScheduler kernel)
    : IAppendBlobs
{
    public string Location => blobs.Location;

    public ValueTask<bool> CreateAsync(string name, bool withContainer, CancellationToken cancellationToken) =>
        SendAsync(() => blobs.CreateAsync(name, withContainer, CancellationToken.None), cancellationToken);

    public ValueTask<AppendOutcome> AppendAsync(
        string name, long position, ReadOnlyMemory<byte> bytes, Guid? hold, CancellationToken cancellationToken)
    {
        var sent = bytes.ToArray();
        return SendAsync(
            () => blobs.AppendAsync(name, position, sent, hold, CancellationToken.None), cancellationToken);
    }

    public ValueTask<bool> HoldAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        SendAsync(() => blobs.HoldAsync(name, hold, CancellationToken.None), cancellationToken);

    public ValueTask ReleaseAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        SendAsync(() => blobs.ReleaseAsync(name, hold, CancellationToken.None), cancellationToken);

    public ValueTask BreakAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(() => blobs.BreakAsync(name, CancellationToken.None), cancellationToken);

    public ValueTask<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(() => blobs.LengthAsync(name, CancellationToken.None), cancellationToken);

    public async ValueTask<int> ReadAsync(
        string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Who has given up may use the buffer for something else by the time the answer is there.
        var read = new byte[buffer.Length];
        var count = await SendAsync(
            () => blobs.ReadAsync(name, offset, read, CancellationToken.None), cancellationToken);
        read.AsSpan(0, count).CopyTo(buffer.Span);
        return count;
    }

    private async ValueTask SendAsync(Func<ValueTask> request, CancellationToken cancellationToken) =>
        await SendAsync(
            async () =>
            {
                await request();
                return true;
            },
            cancellationToken);

    private async ValueTask<T> SendAsync<T>(Func<ValueTask<T>> request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (process.HasEnded)
        {
            throw new IOException("This process has ended.");
        }

        var sent = Task.Factory.StartNew(
            () => request().AsTask(), CancellationToken.None, TaskCreationOptions.None, kernel).Unwrap();
        return await sent.WaitAsync(cancellationToken);
    }
}
