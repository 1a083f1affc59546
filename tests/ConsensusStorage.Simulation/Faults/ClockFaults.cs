using Orleans.Consensus.Simulation.Clusters;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// What happens to the clocks of machines. All may be minutes off at any time, so that no two replicas ever differ by
/// the hour that a replica tolerates. Those of a minority of the replicas, and of any silo without a replica, may be
/// off by many hours: so far that a replica whose clock is about right refuses what such a silo asks for (S4). And once
/// no replica will be lost, a silo without one may be about an hour off, so that only some replicas believe it.
/// </summary>
internal sealed class ClockFaults(SimulatedCluster cluster, Minority minority)
{
    private static readonly TimeSpan LongestNear = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Doubtful = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan ShortestFar = TimeSpan.FromHours(2);
    private static readonly TimeSpan LongestFar = TimeSpan.FromHours(18);

    /// <summary>Seconds gained or lost in a second, at most; a run's load takes a minute at most.</summary>
    private const double Fastest = 5;

    /// <param name="far">The share of the jumps that go over hours.</param>
    public void Jump(int silo, double far, Random random)
    {
        if (silo >= cluster.Replicas.Count && random.Next(2) == 0 && minority.TryNeedAll())
        {
            for (var replica = 0; replica < cluster.Replicas.Count; replica++)
            {
                JumpNear(replica, random);
            }

            cluster.ClockOf(silo).Offset = Doubtful + (LongestNear * random.NextDouble());
            return;
        }

        var isFar = random.NextDouble() < far && minority.TryBreak(silo);
        if (isFar)
        {
            var size = ShortestFar + ((LongestFar - ShortestFar) * random.NextDouble());
            cluster.ClockOf(silo).Offset = random.Next(2) == 0 ? size : -size;
        }
        else
        {
            JumpNear(silo, random);
        }
    }

    private void JumpNear(int silo, Random random) =>
        cluster.ClockOf(silo).Offset = LongestNear * ((random.NextDouble() * 2) - 1);

    public void Drift(int silo, Random random) =>
        cluster.ClockOf(silo).Drift = ((random.NextDouble() * 2) - 1) * Fastest;

    public void SetRight(int silo)
    {
        var clock = cluster.ClockOf(silo);
        (clock.Drift, clock.Offset) = (0, TimeSpan.Zero);
    }
}
