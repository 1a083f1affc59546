using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Engines;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>One at a time in each register (S20), also where there is room for few of them.</summary>
public sealed class RegisterSessionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly RegisterSessions _sessions = new(capacity: 1, seed: 1);

    [Fact]
    [Trait("Rule", "S20")]
    public async Task A_register_that_somebody_is_inside_of_is_not_forgotten_to_make_room()
    {
        var inside = await EnterAsync("k");
        await VisitManyAsync();
        var second = EnterAsync("k");
        Assert.False(second.IsCompleted);

        _sessions.Leave(inside!);
        Assert.Same(inside, await second);
    }

    [Fact]
    [Trait("Rule", "S20")]
    public async Task Who_comes_while_the_next_in_line_is_inside_waits_too()
    {
        var first = await EnterAsync("k");
        var second = EnterAsync("k");
        _sessions.Leave(first!);
        var third = EnterAsync("k");

        Assert.NotNull(await second);
        Assert.False(third.IsCompleted);
        _time.Advance(Patience);
        Assert.Null(await third);
    }

    [Fact]
    [Trait("Rule", "S20")]
    public async Task Who_gave_up_waiting_is_passed_over()
    {
        var first = await EnterAsync("k");
        var second = EnterAsync("k");
        _time.Advance(Patience / 2);
        var third = EnterAsync("k");
        _time.Advance(Patience / 2);
        Assert.Null(await second);

        _sessions.Leave(first!);
        Assert.NotNull(await third);
    }

    /// <summary>Capacity 1 is one for each of 32 parts; what was used last is looked at twice.</summary>
    [Fact]
    [Trait("Rule", "S25")]
    public async Task However_many_registers_are_used_few_are_remembered()
    {
        await VisitManyAsync();
        Assert.InRange(_sessions.Count, 16, 64);
    }

    private Task<RegisterSession?> EnterAsync(string key) =>
        _sessions.EnterAsync(Register(key), Patience, _time, CancellationToken.None).AsTask();

    private async Task VisitManyAsync()
    {
        for (var i = 0; i < 500; i++)
        {
            _sessions.Leave((await EnterAsync($"other{i}"))!);
        }
    }
}
