using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>Exceptions travel from silo to silo and to clients.</summary>
public sealed class ExceptionSerializationTests
{
    private static readonly Serializer Serializer = new ServiceCollection()
        .AddSerializer(builder => builder
            .AddAssembly(typeof(ConsensusStorageException).Assembly)
            .AddAssembly(typeof(InconsistentStateException).Assembly)
            .AddAssembly(typeof(OrleansException).Assembly))
        .BuildServiceProvider()
        .GetRequiredService<Serializer>();

    [Fact]
    public void A_storage_exception_keeps_its_cause()
    {
        var copy = RoundTrip(new ConsensusStorageException("too large", new FormatException("inside")));

        Assert.IsType<ConsensusStorageException>(copy);
        Assert.Equal("too large", copy.Message);
        Assert.Equal("inside", Assert.IsType<FormatException>(copy.InnerException).Message);
        Assert.Empty(copy.Answered);
        Assert.Empty(copy.NotAnswered);
    }

    /// <summary>Such as those of serializers and of applications, also inside of others.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cause_that_Orleans_cannot_serialize_goes_along_as_text(bool isNested)
    {
        var fixture = new StorageFixture();
        Exception cause = new StrangeException("no such member");
        cause = isNested ? new InvalidOperationException("outside", cause) : cause;
        fixture.Serializer.OnSerialize = _ => throw cause;
        var thrown = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => fixture.Create().WriteStateAsync("balance", StorageFixture.Grain(), Account.Of("owner")));

        var copy = RoundTrip(thrown);

        Assert.Equal(thrown.Message, copy.Message);
        var inner = Assert.IsType<ConsensusStorageException>(copy.InnerException);
        Assert.Contains(nameof(StrangeException), inner.Message, StringComparison.Ordinal);
        Assert.Contains("no such member", inner.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unavailable_exception_keeps_its_replicas()
    {
        var copy = RoundTrip(new ConsensusUnavailableException("no quorum", true, ["r0"], ["r1", "r2"]));

        Assert.Equal("no quorum", copy.Message);
        Assert.True(copy.MayHaveHappened);
        Assert.Equal(["r0"], copy.Answered);
        Assert.Equal(["r1", "r2"], copy.NotAnswered);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_unknown_outcome_keeps_what_may_have_happened(bool mayHaveHappened)
    {
        var copy = RoundTrip(new ConsensusOutcomeUnknownException("who knows", mayHaveHappened, [], ["r1"]));

        Assert.Equal("who knows", copy.Message);
        Assert.Equal(mayHaveHappened, copy.MayHaveHappened);
        Assert.Equal(["r1"], copy.NotAnswered);
    }

    [Fact]
    public void A_conflict_in_doubt_keeps_both_ETags()
    {
        var copy = RoundTrip(new ConsensusInDoubtStateException("conflict", "stored", "current"));

        Assert.Equal("conflict", copy.Message);
        Assert.Equal("stored", copy.StoredEtag);
        Assert.Equal("current", copy.CurrentEtag);
        Assert.True(copy.MayHaveHappened);
    }

    [Fact]
    public void Whoever_makes_an_unknown_outcome_says_that_it_may_have_happened()
    {
        Assert.True(new ConsensusOutcomeUnknownException().MayHaveHappened);
        Assert.True(new ConsensusOutcomeUnknownException("message").MayHaveHappened);
        Assert.True(new ConsensusOutcomeUnknownException("message", null).MayHaveHappened);
        Assert.False(new ConsensusUnavailableException("message").MayHaveHappened);
    }

    private sealed class StrangeException(string message) : Exception(message);

    private static T RoundTrip<T>(T exception)
        where T : Exception
    {
        var bytes = Serializer.SerializeToArray<Exception>(exception);
        return Assert.IsType<T>(Serializer.Deserialize<Exception>(bytes));
    }
}
