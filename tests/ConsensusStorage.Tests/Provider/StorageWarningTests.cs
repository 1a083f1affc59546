using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Tests.Engines;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>What failed calls leave in the log.</summary>
public sealed class StorageWarningTests
{
    private readonly LogLines _lines = new();
    private readonly FakeTimeProvider _time = new();
    private readonly StorageFixture _fixture;
    private readonly ConsensusGrainStorage _storage;

    public StorageWarningTests()
    {
        _fixture = new() { Loggers = _lines, Time = _time };
        _storage = _fixture.Create();
    }

    [Theory]
    [InlineData((int)Fate.NotApplied)]
    [InlineData((int)Fate.InDoubtAndLost)]
    public async Task A_failed_call_is_one_warning_that_says_each_thing_once(int fate)
    {
        await FailAsync((Fate)fate);
        var line = Assert.Single(_lines.Taken());
        Assert.StartsWith(
            "Warning 160: Writing state 'balance' of grain account/7 (provider 'bank') ",
            line,
            StringComparison.Ordinal);
        foreach (var once in new[] { "state 'balance'", "account/7", "happened|changed nothing", "safe|again" })
        {
            Assert.Equal(1, Regex.Count(line, once));
        }
    }

    [Fact]
    public async Task Calls_that_fail_one_after_the_other_are_counted_and_not_told_each()
    {
        for (var i = 0; i < 50; i++)
        {
            await FailAsync(Fate.NotApplied);
        }

        Assert.Single(_lines.Taken());
        _time.Advance(TimeSpan.FromSeconds(1));
        await FailAsync(Fate.NotApplied);
        var lines = _lines.Taken();
        Assert.Equal("Warning 162: 49 more calls of provider 'bank' failed since the last warning of one.", lines[0]);
        Assert.Equal(2, lines.Count);
    }

    [Fact]
    public async Task A_write_in_doubt_is_told_beside_calls_that_changed_nothing()
    {
        await FailAsync(Fate.NotApplied);
        await FailAsync(Fate.InDoubtAndLost);
        Assert.Equal(2, _lines.Taken().Count);
    }

    private async Task FailAsync(Fate fate)
    {
        _fixture.Engine.Fates.Enqueue(fate);
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => _storage.WriteStateAsync(
            "balance", StorageFixture.Grain(), Account.Of("owner")));
    }
}
