using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// One state of one silo's provider with its state object, as an activation holds it; the same grain may be opened on
/// several silos, as duplicate activations.
/// </summary>
internal sealed class StorageClient(TestedCluster cluster, int silo, GrainId id)
{
    private const string StateName = "number";

    /// <summary>The deadline that the options promise, and what a noisy machine adds to it.</summary>
    private readonly TimeSpan _deadline = cluster.RequestTimeout + TimeSpan.FromSeconds(6);

    public GrainState<CounterState> State { get; } = new(new CounterState());

    public static GrainId NewId() => GrainId.Create("client", Guid.NewGuid().ToString("N"));

    /// <summary>Writes. An outcome later than the deadline fails the test, here and below.</summary>
    public Task WriteAsync(int value)
    {
        State.State = new() { Value = value };
        return RetryAsync();
    }

    /// <summary>Writes the state object again as it is.</summary>
    public Task RetryAsync() => InTimeAsync(cluster.Storage(silo).WriteStateAsync(StateName, id, State));

    public async Task<int> ReadAsync()
    {
        await InTimeAsync(cluster.Storage(silo).ReadStateAsync(StateName, id, State));
        return State.State!.Value;
    }

    public async Task<int> WriteAndReadAsync(int value)
    {
        await WriteAsync(value);
        return await ReadAsync();
    }

    private async Task InTimeAsync(Task operation)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await operation;
        }
        finally
        {
            var took = Stopwatch.GetElapsedTime(started);
            Assert.True(took < _deadline, $"The outcome came after {took}.");
        }
    }
}
