namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>One kind of calls. Every measurement has states of its own.</summary>
internal interface IWorkload
{
    /// <summary>Its name in results.</summary>
    string Name { get; }

    /// <summary>What is compared: providers by their names, most often.</summary>
    IReadOnlyList<string> Subjects { get; }

    IReadOnlyList<int> Concurrency { get; }

    /// <summary>Writes what the calls need, and makes the callers.</summary>
    Task<IReadOnlyList<Call>> PrepareAsync(string subject, int concurrency, CancellationToken cancellationToken);

    /// <summary>How long to run before measuring. Cold states would be used up by it, so reads begin at once.</summary>
    TimeSpan Warmup { get; }

    /// <summary>Looks whether everything that was acknowledged can be read.</summary>
    Task VerifyAsync();
}
