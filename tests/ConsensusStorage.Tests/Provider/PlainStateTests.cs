using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Tests.Hosting;
using Orleans.Hosting;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>
/// States whose types have no <c>[GenerateSerializer]</c>: the serializer that silos have by default writes them, and
/// refuses to read them.
/// </summary>
public sealed class PlainStateTests
{
    private const string Name = "plain";

    [Fact]
    public async Task A_state_type_that_may_not_be_read_is_told_with_what_to_do()
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorageAsDefault());
        var storage = new StorageFixture().Create(
            serializer: host.Services.GetRequiredService<IGrainStorageSerializer>());
        var grain = StorageFixture.Grain();
        await storage.WriteStateAsync(Name, grain, new GrainState<PlainState>(new() { Owner = "me" }));
        await storage.WriteStateAsync(
            Name, StorageFixture.Grain("8"), new GrainState<MarkedState>(new() { Part = new PlainState() }));

        var whole = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => storage.ReadStateAsync(Name, grain, new GrainState<PlainState>()));
        var part = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => storage.ReadStateAsync(Name, StorageFixture.Grain("8"), new GrainState<MarkedState>()));

        Assert.All([whole, part], refused =>
        {
            Assert.Contains(nameof(PlainState), refused.Message, StringComparison.Ordinal);
            Assert.Contains("Add [GenerateSerializer] to that type", refused.Message, StringComparison.Ordinal);
            Assert.Contains("nothing of it is lost", refused.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_attribute_makes_readable_what_was_written_without_it()
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorageAsDefault());
        var serializer = host.Services.GetRequiredService<IGrainStorageSerializer>();
        var written = serializer.Serialize(new PlainState { Owner = "me" }).ToString();

        var read = serializer.Deserialize<MarkedState>(new(
            written.Replace(nameof(PlainState), nameof(MarkedState), StringComparison.Ordinal)));

        Assert.Equal("me", read!.Owner);
    }

    [Fact]
    public async Task Other_reasons_are_told_without_that_advice()
    {
        var fixture = new StorageFixture();
        var storage = fixture.Create();
        await storage.WriteStateAsync(Name, StorageFixture.Grain(), Account.Of("owner"));
        fixture.Serializer.OnDeserialize = _ => throw new FormatException("not JSON");

        var refused = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => storage.ReadStateAsync(Name, StorageFixture.Grain(), Account.Of("owner")));

        Assert.DoesNotContain("[GenerateSerializer]", refused.Message, StringComparison.Ordinal);
    }
}

/// <summary>As applications write them first.</summary>
internal sealed class PlainState
{
    public string Owner { get; set; } = "";
}

/// <summary>The same with the attribute.</summary>
[GenerateSerializer]
internal sealed class MarkedState
{
    [Id(0)]
    public string Owner { get; set; } = "";

    [Id(1)]
    public object? Part { get; set; }
}
