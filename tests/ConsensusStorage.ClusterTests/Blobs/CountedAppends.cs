using Azure.Core;
using Azure.Core.Pipeline;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>What becomes of an answer that gets lost.</summary>
public enum Loss
{
    /// <summary>Whoever waits for it waits until its time is over.</summary>
    Silence,

    /// <summary>The connection breaks; a client that tries again by itself does.</summary>
    BrokenConnection,
}

/// <summary>Counts the appends of a blob client, and loses the answer of each <c>n</c>-th that was done.</summary>
/// <param name="every">0 to lose none.</param>
internal sealed class CountedAppends(int every = 0, Loss loss = Loss.Silence) : HttpPipelinePolicy
{
    private int _begun;
    private int _done;
    private int _lost;

    public int Begun => Volatile.Read(ref _begun);

    public int Lost => Volatile.Read(ref _lost);

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var isAppend = message.Request.Method == RequestMethod.Put
            && message.Request.Uri.Query.Contains("comp=appendblock", StringComparison.Ordinal);
        if (isAppend)
        {
            Interlocked.Increment(ref _begun);
        }

        await ProcessNextAsync(message, pipeline);
        if (isAppend && message.Response.Status == 201 && IsToBeLost())
        {
            Interlocked.Increment(ref _lost);
            if (loss == Loss.BrokenConnection)
            {
                throw new IOException("The connection broke before the answer came.");
            }

            await Task.Delay(Timeout.Infinite, message.CancellationToken);
        }
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("Logs append without blocking a thread.");

    private bool IsToBeLost() => every > 0 && Interlocked.Increment(ref _done) % every == 0;
}
