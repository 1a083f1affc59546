using Orleans.Configuration;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks;

/// <summary>What is measured.</summary>
internal enum BenchmarkMode
{
    /// <summary>Calls of <c>IGrainStorage</c>, taken from the services of the silos.</summary>
    Storage,

    /// <summary>Calls of grains by a client; each writes its state.</summary>
    Grain,

    /// <summary><see cref="Storage"/> over Azure blobs, and appends to blobs with nothing above them.</summary>
    Blob,

    /// <summary>Bytes of index that a replica holds for each register.</summary>
    Memory,

    /// <summary>Reads and writes of states from nothing to the largest that a store takes.</summary>
    Sizes,

    /// <summary>Time to take a log in blobs over from another silo.</summary>
    TakeOver,
}

/// <summary>One run of the benchmark, as asked for on the command line.</summary>
internal sealed record BenchmarkOptions
{
    public required BenchmarkMode Mode { get; init; }

    public required IReadOnlyList<string> Providers { get; init; }

    /// <summary>Callers at a time, of writes.</summary>
    public required IReadOnlyList<int> Concurrency { get; init; }

    /// <summary>Callers at a time, of cold reads; empty for no reads.</summary>
    public required IReadOnlyList<int> ReadConcurrency { get; init; }

    /// <summary>Bytes of the states of <see cref="BenchmarkMode.Sizes"/>.</summary>
    public required IReadOnlyList<int> Sizes { get; init; }

    public required int Rounds { get; init; }

    public required TimeSpan Duration { get; init; }

    public required TimeSpan Warmup { get; init; }

    /// <summary>Grain states of each caller, written in turn.</summary>
    public required int Accounts { get; init; }

    /// <summary>States that are written to be read once by each other silo.</summary>
    public required int ColdKeys { get; init; }

    /// <summary>
    /// Registers of <see cref="BenchmarkMode.Memory"/> and <see cref="BenchmarkMode.TakeOver"/>.
    /// </summary>
    public required int Registers { get; init; }

    /// <summary>The directory of all logs and of servers: one disk for all.</summary>
    public required string Data { get; init; }

    /// <summary>The file that results are appended to, or null.</summary>
    public required string? Json { get; init; }

    /// <summary>Bytes of the largest state that a store takes by default.</summary>
    public static int LargestState { get; } = new ConsensusStoreOptions().MaxStateBytes;

    /// <summary>What has to be started beside the silos.</summary>
    public IReadOnlyCollection<ServerKind> Servers =>
    [
        .. Providers.Select(name => Provider.Of(name).Needs),
        Mode == BenchmarkMode.Blob ? ServerKind.Azurite : ServerKind.None,
    ];

    /// <summary>What can't be run, in words.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var unknown in Providers.Where(name => Provider.All.All(known => known.Name != name)))
        {
            yield return $"There is no provider '{unknown}'; known are "
                + $"{string.Join(", ", Provider.All.Select(known => known.Name))}.";
        }

        var callers = Mode == BenchmarkMode.Sizes ? Concurrency.Concat(ReadConcurrency) : Concurrency;
        if (Providers.Count == 0 || !callers.Any() || Sizes.Count == 0)
        {
            yield return "Nothing to measure: give at least one provider, one concurrency and one size.";
        }

        if (Sizes.Any(size => size < 0 || size > LargestState))
        {
            yield return $"A size is 0 to {LargestState} bytes, the default of MaxStateBytes.";
        }

        if (Concurrency.Concat(ReadConcurrency).Any(callers => callers is < 1 or > 10_000))
        {
            yield return "A concurrency is 1 to 10,000.";
        }

        if (Rounds < 1 || Accounts < 1 || ColdKeys < 1 || Registers < 1)
        {
            yield return "Rounds, accounts, cold keys and registers are at least 1.";
        }

        if (Duration <= TimeSpan.Zero || Warmup < TimeSpan.Zero)
        {
            yield return "Seconds are more than 0, and the warm-up is not negative.";
        }
    }
}
