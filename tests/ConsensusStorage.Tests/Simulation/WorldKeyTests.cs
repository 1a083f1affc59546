using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// The names of worlds against the worlds themselves: whatever two worlds of one name differ in, the same may happen in
/// both. Walks that tell everything apart are long, so that they are of the smallest worlds only.
/// </summary>
public sealed class WorldKeyTests(ITestOutputHelper output)
{
    private const int Some = 2_500;

    [Theory]
    [InlineData("w1-crash1")]
    [InlineData("wc1-slow")]
    public void Worlds_of_one_name_lead_to_worlds_of_the_same_names(string name)
    {
        var world = Worlds.Find(name)!;
        var full = new FullWalk(world.Rules, world.Moves, int.MaxValue);
        var walk = new ExhaustiveWalk(world.Rules, world.Moves).Run();

        Assert.Null(full.Run());
        Assert.Null(walk.Violation);
        Assert.True(walk.IsComplete);
        output.WriteLine($"{full.Worlds} worlds of {full.Names} names");
        Assert.Equal(walk.States, full.Names);
        Assert.InRange(full.Worlds, 2 * full.Names, int.MaxValue);
    }

    [Theory]
    [InlineData("w1-r1-twice1")]
    [InlineData("w1-r1-late")]
    [InlineData("wc1-w1-drop1")]
    [InlineData("gone-w2-drop1-floor1")]
    [InlineData("wc1-copy1-slow")]
    public void Some_worlds_of_one_name_lead_to_worlds_of_the_same_names(string name)
    {
        var world = Worlds.Find(name)!;
        var full = new FullWalk(world.Rules, world.Moves, Some);

        Assert.Null(full.Run());
        output.WriteLine($"{full.Worlds} worlds of {full.Names} names");
        Assert.InRange(full.Names, 2, Some * 49 / 50);
    }

    [Fact]
    public void A_broken_world_is_found_with_and_without_names()
    {
        var world = Worlds.Find("w1-r1")!;
        var rules = world.Rules with { AcceptorsCounted = 1 };

        var message = new ExhaustiveWalk(rules, world.Moves).Run().Violation?.Message;
        Assert.NotNull(message);
        Assert.Equal(message, new FullWalk(rules, world.Moves, int.MaxValue).Run());
    }

    /// <summary>
    /// Goes through the worlds that can be reached, told apart by all that they are made of, up to a limit; from any of
    /// those at hand next, so that some are early and some are late.
    /// </summary>
    private sealed class FullWalk(WorldRules rules, Moves moves, int limit)
    {
        private readonly Random _random = new(1);
        private readonly StructuralText _text = new();
        private readonly HashSet<UInt128> _seen = [];
        private readonly List<World> _open = [];
        private readonly Dictionary<UInt128, (World World, UInt128[] Next)> _names = [];

        public int Worlds => _seen.Count;

        public int Names => _names.Count;

        /// <returns>The first violation, or null.</returns>
        public string? Run()
        {
            try
            {
                Visit(moves.Start(rules));
                for (var count = 0; _open.Count > 0 && count < limit; count++)
                {
                    var at = _random.Next(_open.Count);
                    var world = _open[at];
                    _open[at] = _open[^1];
                    _open.RemoveAt(_open.Count - 1);
                    Expand(world);
                }

                return null;
            }
            catch (WorldViolationException violation)
            {
                return violation.Message;
            }
        }

        private void Expand(World world)
        {
            var next = new SortedSet<UInt128>();
            foreach (var step in moves.In(world))
            {
                var after = moves.Prune(step.Take(world));
                next.Add(WorldKey.Of(after));
                Visit(after);
            }

            var name = WorldKey.Of(world);
            if (!_names.TryGetValue(name, out var other))
            {
                _names[name] = (world, [.. next]);
            }
            else if (!next.SequenceEqual(other.Next))
            {
                Assert.Fail($"These have one name and do not go on alike:\n{Tell(world)}\n{Tell(other.World)}");
            }
        }

        private void Visit(World world)
        {
            if (_seen.Add(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(Tell(world).AsSpan()))))
            {
                _open.Add(world);
            }
        }

        private string Tell(World world) => _text.Write(world);
    }
}
