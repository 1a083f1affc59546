using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Hosting;

/// <summary>A silo that is set up by its appsettings.json and nothing else.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_silo_is_set_up_by_its_settings_alone()
    {
        var builder = HostOf("""
            "GrainStorage": {
              "Default": {
                "ProviderType": "Consensus", "StoreName": "main", "DataDirectory": "$data",
                "Replicas": ["one"], "ReplicaId": "one", "Groups": 2, "RequestTimeout": "00:00:20"
              },
              "second": { "ProviderType": "Consensus", "StoreName": "main" }
            }
            """);
        await LoneSilo.RunAsync(builder, async services =>
        {
            var counter = services.GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>("counter");
            await counter.AddAsync(Guid.NewGuid());

            Assert.Equal(1, (await counter.ReadAsync()).Value);
            var status = await services.GetRequiredKeyedService<IConsensusStore>("main").GetStatusAsync();
            Assert.Equal(2, status.Count);
            Assert.All(status, replica => Assert.Equal(
                ("one", ConsensusReplicaState.Serving), (replica.Replica, replica.State)));
            Assert.True(File.Exists(Path.Combine(_directory.Path, "main", "one", "segment-00000001")));
        });
    }

    [Fact]
    public async Task Stores_have_settings_of_their_own()
    {
        var builder = HostOf("""
            "ConsensusStores": { "Default": { "DataDirectory": "$data", "MaxStateBytes": 100 } },
            "GrainStorage": { "Default": { "ProviderType": "Consensus" } }
            """);
        await LoneSilo.RunAsync(builder, async services =>
        {
            var counter = services.GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>("counter");
            var refused = await Assert.ThrowsAsync<ConsensusStorageException>(() => counter.AddAsync(Guid.NewGuid()));

            Assert.Contains("the limit is 100", refused.Message, StringComparison.Ordinal);
            Assert.True(Directory.Exists(Path.Combine(_directory.Path, "Default", "local")));
        });
    }

    [Theory]
    [InlineData("\"Gruops\": 2", "Gruops")]
    [InlineData("\"Groups\": \"many\"", "Groups")]
    [InlineData("\"Groups\": 0", "Groups")]
    [InlineData("\"SerializerKey\": \"nobody\"", "SerializerKey")]
    [InlineData("\"ReplicaId\": \"unknown\"", "ReplicaId")]
    public async Task A_setting_that_is_wrong_is_named(string setting, string name)
    {
        var settings = $$"""
            "GrainStorage": {
              "Default": { "ProviderType": "Consensus", "DataDirectory": "$data", {{setting}} }
            }
            """;

        var thrown = await Assert.ThrowsAnyAsync<Exception>(
            () => LoneSilo.RunAsync(HostOf(settings), _ => Task.CompletedTask));

        var error = Causes.Of(thrown).OfType<OrleansConfigurationException>().First();
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    private HostApplicationBuilder HostOf(string settings)
    {
        var (siloPort, gatewayPort) = (LoneSilo.FreePort(), LoneSilo.FreePort());
        var builder = LoneSilo.CreateBuilder($$"""
            "ClusterId": "settings", "ServiceId": "settings", "Name": "only",
            "Endpoints": {
              "AdvertisedIPAddress": "127.0.0.1", "SiloPort": {{siloPort}}, "GatewayPort": {{gatewayPort}}
            },
            "Clustering": { "ProviderType": "Development" },
            {{settings.Replace("$data", _directory.Path, StringComparison.Ordinal)}}
            """);
        builder.UseOrleans(_ => { });
        return builder;
    }
}
