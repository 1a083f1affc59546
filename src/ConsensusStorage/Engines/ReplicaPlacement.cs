using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Which silo hosts which floating replica: a function of the silos alone, so that silos that see the same silos agree
/// without a word. Pure.
/// <para>Rendezvous hashing with bounded loads: each replica goes to the silo with the highest hash of the two that is
/// not full, and holds no more of its group than it must. So replicas are spread, the replicas of a group are on
/// different silos while there are enough, and when a silo comes or goes few others move (Thaler and Ravishankar, "A
/// Name-Based Mapping Scheme for Rendezvous", 1996; Mirrokni et al., "Consistent Hashing with Bounded Loads", 2018).
/// </para>
/// </summary>
internal static class ReplicaPlacement
{
    /// <summary>The silo of each replica (inner) of each group (outer); none where there is no silo.</summary>
    /// <param name="silos">The silos to choose from, in any order.</param>
    /// <param name="store">The store's name, so that stores are spread differently.</param>
    public static ImmutableArray<ImmutableArray<SiloAddress>> Of(
        IEnumerable<SiloAddress> silos, string store, int groups, int replicas)
    {
        // A silo that came back at its place takes up what its former life had.
        var candidates = silos
            .GroupBy(silo => silo.Endpoint.ToString(), StringComparer.Ordinal)
            .Select(lives => new Candidate(lives.MaxBy(life => life.Generation)!, lives.Key))
            .OrderBy(candidate => candidate.Place, StringComparer.Ordinal)
            .ToList();
        if (candidates.Count == 0)
        {
            return [];
        }

        var perSilo = Ceiling(groups * replicas, candidates.Count);
        var perGroup = Ceiling(replicas, candidates.Count);
        var placed = ImmutableArray.CreateBuilder<ImmutableArray<SiloAddress>>(groups);
        for (var group = 0; group < groups; group++)
        {
            candidates.ForEach(candidate => candidate.OfGroup = 0);
            var hosts = ImmutableArray.CreateBuilder<SiloAddress>(replicas);
            for (var replica = 0; replica < replicas; replica++)
            {
                var key = $"{store}/{group}/{replica}";
                var host = candidates
                    .Where(candidate => candidate.OfGroup < perGroup)
                    .OrderBy(candidate => candidate.Load >= perSilo ? candidate.Load : 0)
                    .ThenByDescending(candidate => Weight(candidate.Place, key))
                    .First();
                host.Load++;
                host.OfGroup++;
                hosts.Add(host.Silo);
            }

            placed.Add(hosts.MoveToImmutable());
        }

        return placed.MoveToImmutable();
    }

    private static ulong Weight(string place, string key) =>
        XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{place}|{key}"));

    private static int Ceiling(int dividend, int divisor) => (dividend + divisor - 1) / divisor;

    private sealed class Candidate(SiloAddress silo, string place)
    {
        public SiloAddress Silo => silo;

        public string Place => place;

        /// <summary>Replicas placed there so far.</summary>
        public int Load { get; set; }

        /// <summary>Those of the group that is being placed.</summary>
        public int OfGroup { get; set; }
    }
}
