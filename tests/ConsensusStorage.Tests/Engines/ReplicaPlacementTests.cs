using System.Collections.Immutable;
using System.Net;
using Orleans.Consensus.Engines;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Engines;

public sealed class ReplicaPlacementTests
{
    [Theory]
    [InlineData(1, 4, 3)]
    [InlineData(2, 4, 3)]
    [InlineData(3, 4, 3)]
    [InlineData(4, 4, 3)]
    [InlineData(5, 4, 3)]
    [InlineData(7, 16, 3)]
    [InlineData(7, 4, 5)]
    [InlineData(20, 16, 5)]
    public void Replicas_are_spread_and_those_of_a_group_are_apart_while_there_are_enough_silos(
        int silos, int groups, int replicas)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var placed = Place(Silos(silos, seed), groups, replicas);

            Assert.Equal(groups, placed.Length);
            Assert.All(placed, group =>
            {
                Assert.Equal(replicas, group.Length);
                var most = group.GroupBy(silo => silo).Max(same => same.Count());
                Assert.Equal((replicas + silos - 1) / silos, most);
            });
            var loads = placed.SelectMany(group => group).GroupBy(silo => silo).Select(same => same.Count()).ToList();
            Assert.InRange(loads.Max(), 1, ((groups * replicas) + silos - 1) / silos + 1);
        }
    }

    [Fact]
    public void All_who_see_the_same_silos_agree()
    {
        var silos = Silos(5, 3);
        var turned = silos.Reverse().ToList();
        Assert.Equal(Text(Place(silos, 4, 3)), Text(Place(turned, 4, 3)));
    }

    [Fact]
    public void Stores_are_spread_differently()
    {
        var silos = Silos(6, 1);
        Assert.NotEqual(
            Text(ReplicaPlacement.Of(silos, "One", 4, 3)), Text(ReplicaPlacement.Of(silos, "Two", 4, 3)));
    }

    [Fact]
    public void A_silo_that_comes_back_at_its_place_takes_up_what_it_had()
    {
        var silos = Silos(4, 2);
        var back = silos[1];
        var again = SiloAddress.New(back.Endpoint, back.Generation + 1);

        var before = Text(Place(silos, 4, 3));
        Assert.Equal(
            before.Replace(back.ToString(), again.ToString(), StringComparison.Ordinal),
            Text(Place([.. silos.Select(silo => silo.Equals(back) ? again : silo)], 4, 3)));

        // While the membership still shows both lives, the later one counts.
        Assert.Equal(
            before.Replace(back.ToString(), again.ToString(), StringComparison.Ordinal),
            Text(Place([.. silos, again], 4, 3)));
    }

    [Fact]
    public void When_a_silo_goes_few_others_move()
    {
        const int trials = 100;
        var (had, moved) = (0, 0);
        for (var seed = 0; seed < trials; seed++)
        {
            var silos = Silos(6, seed);
            var before = Place(silos, 16, 3).SelectMany(group => group).ToList();
            var after = Place(silos.RemoveAt(0), 16, 3).SelectMany(group => group).ToList();
            had += before.Count(silo => silo.Equals(silos[0]));
            moved += before.Zip(after).Count(pair => !pair.First.Equals(pair.Second));
        }

        // 8 of 48 have to, on average. Bounds on the load cost some others.
        Assert.InRange(moved, had, 2 * had);
    }

    [Fact]
    public void Without_silos_nothing_is_placed() => Assert.Empty(Place([], 4, 3));

    private static ImmutableArray<SiloAddress> Silos(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(index => SiloAddress.New(
            new IPEndPoint(new IPAddress([10, 0, (byte)seed, (byte)index]), 11111), random.Next(1, 1000)))];
    }

    private static ImmutableArray<ImmutableArray<SiloAddress>> Place(
        IEnumerable<SiloAddress> silos, int groups, int replicas) =>
        ReplicaPlacement.Of(silos, "Default", groups, replicas);

    private static string Text(ImmutableArray<ImmutableArray<SiloAddress>> placed) =>
        string.Join('\n', placed.Select(group => string.Join(' ', group)));
}
