using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// What happens to the clocks of machines. All may be minutes off at any time, so that no two replicas ever differ by
/// the hour that a replica tolerates. Those of a minority of the replicas, and of any silo without a replica, may be
/// off by many hours: so far that a replica whose clock is about right refuses what such a silo asks for (S4). And
/// where no replica will be lost, a silo without one may be so much ahead that only some replicas believe it.
/// </summary>
internal sealed class ClockFaults(SimulatedCluster cluster, Minority minority)
{
    private static readonly TimeSpan LongestNear = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Ahead = LongestNear + TimeSpan.FromMinutes(7);
    private static readonly TimeSpan Doubtful = Ahead + TimeSpan.FromMinutes(59);
    private static readonly TimeSpan ShortestFar = TimeSpan.FromHours(2);
    private static readonly TimeSpan LongestFar = TimeSpan.FromHours(18);

    /// <summary>Seconds gained or lost in a second, at most; a run's load takes a minute at most.</summary>
    private const double Fastest = 5;

    /// <param name="far">The share of the jumps that go over hours.</param>
    public void Jump(int silo, double far, Random random)
    {
        var isFar = random.NextDouble() < far && minority.TryBreak(silo);
        var size = isFar
            ? ShortestFar + ((LongestFar - ShortestFar) * random.NextDouble())
            : LongestNear * random.NextDouble();
        cluster.ClockOf(silo).Offset = random.Next(2) == 0 ? size : -size;
    }

    /// <summary>
    /// Sets a silo's clock so far ahead that only a quorum believes what it asks for, whose own clocks are ahead too.
    /// </summary>
    /// <returns>The silos of the replicas that don't believe it, until they hear of the others' rounds.</returns>
    public IReadOnlyCollection<int> Divide(int silo, Random random)
    {
        var count = cluster.Replicas.Count;
        if (silo < count || !minority.TryNeedAll())
        {
            return [];
        }

        var replicas = Enumerable.Range(0, count).ToArray();
        random.Shuffle(replicas);
        var quorum = Votes.QuorumOf(count);
        foreach (var one in replicas[..quorum].Append(silo))
        {
            var clock = cluster.ClockOf(one);
            (clock.Drift, clock.Offset) = (0, one == silo ? Doubtful : Ahead);
        }

        return replicas[quorum..];
    }

    public void Drift(int silo, Random random) =>
        cluster.ClockOf(silo).Drift = ((random.NextDouble() * 2) - 1) * Fastest;

    public void SetRight(int silo)
    {
        var clock = cluster.ClockOf(silo);
        (clock.Drift, clock.Offset) = (0, TimeSpan.Zero);
    }
}
