using System.Diagnostics.Metrics;

namespace Orleans.Consensus.Diagnostics;

/// <summary>What is measured of a store whenever a collector asks. Thread-safe, and never waits.</summary>
internal interface IStoreGauges
{
    /// <summary>States that each hosted replica holds.</summary>
    IEnumerable<Measurement<long>> States { get; }

    /// <summary>Size of each hosted replica's log.</summary>
    IEnumerable<Measurement<long>> LogBytes { get; }

    /// <summary>Seconds by which each hosted replica trails its peers.</summary>
    IEnumerable<Measurement<double>> Lag { get; }

    /// <summary>Replicas that can be used.</summary>
    IEnumerable<Measurement<int>> Serving { get; }
}
