using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Engines;

namespace Orleans.Consensus.Tests.Engines;

public sealed class ReplicaObstaclesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ReplicaObstacles _obstacles;

    public ReplicaObstaclesTests() => _obstacles = new(_time);

    [Fact]
    public void Refusals_that_go_on_are_an_overload_and_a_burst_is_not()
    {
        for (var i = 0; i < 10; i++)
        {
            _obstacles.Overloaded();
            Assert.Null(_obstacles.Current);
            _time.Advance(TimeSpan.FromMilliseconds(500));
        }

        _obstacles.Overloaded();
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Contains("too many wait", _obstacles.Current, StringComparison.Ordinal);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_obstacles.Current);
        _obstacles.Overloaded();
        Assert.Null(_obstacles.Current);
    }

    [Fact]
    public void An_append_that_does_not_end_is_an_obstacle_until_it_does()
    {
        _obstacles.AppendBegins();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(_obstacles.Current);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("does not answer", _obstacles.Current, StringComparison.Ordinal);
        _obstacles.AppendEnds();
        Assert.Null(_obstacles.Current);
    }

    [Fact]
    public void A_full_disk_is_an_obstacle_until_it_has_room_for_as_much_again()
    {
        _obstacles.Full("no room", 1000);
        Assert.Equal("no room", _obstacles.Current);
        _obstacles.HadRoom(999);
        Assert.Equal("no room", _obstacles.Current);
        _obstacles.HadRoom(1000);
        Assert.Null(_obstacles.Current);
    }
}
