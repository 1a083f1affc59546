using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// One state of one silo's provider with its state object, as an activation holds it; the same grain may be opened on
/// several silos, as duplicate activations.
/// </summary>
internal sealed class StorageClient(FileCluster cluster, int silo, GrainId id)
{
    private const string StateName = "number";

    /// <summary>The deadline that the options promise, and what a noisy machine adds to it.</summary>
    private static readonly TimeSpan Deadline = FileCluster.RequestTimeout + TimeSpan.FromSeconds(6);

    public GrainState<CounterState> State { get; } = new(new CounterState());

    public static GrainId NewId() => GrainId.Create("client", Guid.NewGuid().ToString("N"));

    /// <summary>Writes, and returns how long it took at least: an outcome later than the deadline fails.</summary>
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

    private static async Task InTimeAsync(Task operation)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await operation;
        }
        finally
        {
            var took = Stopwatch.GetElapsedTime(started);
            Assert.True(took < Deadline, $"The outcome came after {took}.");
        }
    }
}
