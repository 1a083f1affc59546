using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Transport;

/// <summary>Says yes to everything and remembers what came; silent on demand.</summary>
internal sealed class EchoTarget : ITransportTarget
{
    public const string Store = "echo";

    private readonly TaskCompletionSource<BatchReply> _never = new();
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<RequestBatch> Batches { get; } = new();

    public ConcurrentQueue<string> Ambient { get; } = new();

    public bool Silent { get; set; }

    /// <summary>What each batch is held up by, on the thread that brings it.</summary>
    public WaitHandle? Holds { get; set; }

    /// <summary>Completes with the first batch.</summary>
    public Task Arrived => _arrived.Task;

    public Task<BatchReply> HandleAsync(RequestBatch batch, CancellationToken cancellationToken)
    {
        Batches.Enqueue(batch);
        _arrived.TrySetResult();
        Holds?.WaitOne();
        foreach (var (key, value) in RequestContext.Entries)
        {
            Ambient.Enqueue($"{key}={value}");
        }

        if (Activity.Current is { } activity)
        {
            Ambient.Enqueue(activity.OperationName);
        }

        return Silent ? _never.Task : Task.FromResult(new BatchReply(null, [.. batch.Requests.Select(Answer)]));
    }

    public StoreDescription Describe() => new(
        "shape",
        [new(new("a"), new LogId(7), ReplicaState.Serving, [new LogId(7)], [Ballot.None], 12, Problem: null)]);

    private static Reply Answer(RegisterRequest request) => request.Request is Accept accept
        ? new Promise(accept.Ballot, accept.Ballot, accept.Value)
        : new Accepted(request.Request.Ballot);
}
