using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Messaging;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>How a silo and a client are told where the membership is.</summary>
public sealed class ClusteringOptionsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    public void The_places_are_one_three_or_five(int count)
    {
        var refused = Validate(options => options.Directories = Directories(count));
        Assert.Contains($"name {count} places", refused?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_not_work_is_refused()
    {
        Assert.Null(Validate(options => options.Directories = Directories(1)));
        Assert.Null(Validate(options => options.ConnectionStrings = ["x", "y", "z"]));
        Assert.NotNull(Validate(options => options.Directories = null!));
        Assert.NotNull(Validate(options => options.Directories = [" "]));
        Assert.NotNull(Validate(options => options.Directories = ["/a", "/b", "/a/../a"]));
        Assert.NotNull(Validate(options => options.ConnectionStrings = ["x", "x", "z"]));
        Assert.NotNull(Validate(options =>
        {
            options.Directories = ["/a"];
            options.ServiceKeys = ["b", "c"];
        }));
        Assert.NotNull(Validate(options => (options.ServiceKeys, options.ContainerName) = (["a"], "No")));
        Assert.NotNull(Validate(options => (options.ServiceKeys, options.BlobTryTimeout) = (["a"], TimeSpan.Zero)));
        Assert.NotNull(Validate(options => (options.ServiceKeys, options.RequestTimeout) = (["a"], TimeSpan.Zero)));
    }

    [Fact]
    public void A_silo_gets_its_table_from_configuration()
    {
        using var host = Host(
            builder => builder.UseOrleans(_ => { }),
            ("Orleans:Clustering:ProviderType", "Consensus"),
            ("Orleans:Clustering:Directory", "/somewhere"),
            ("Orleans:Clustering:RequestTimeout", "00:00:07"));
        Assert.IsType<ConsensusMembershipTable>(host.Services.GetRequiredService<IMembershipTable>());
        var options = host.Services.GetRequiredService<IOptions<ConsensusClusteringOptions>>().Value;
        Assert.Equal(["/somewhere"], options.Directories);
        Assert.Equal(TimeSpan.FromSeconds(7), options.RequestTimeout);
    }

    [Fact]
    public void A_client_gets_its_gateways_from_configuration()
    {
        using var host = Host(
            builder => builder.UseOrleansClient(_ => { }),
            ("Orleans:Clustering:ProviderType", "Consensus"),
            ("Orleans:Clustering:ConnectionStrings:0", "UseDevelopmentStorage=true"));
        Assert.IsType<ConsensusGatewayListProvider>(host.Services.GetRequiredService<IGatewayListProvider>());
    }

    [Fact]
    public void A_misspelt_key_is_refused()
    {
        using var host = Host(
            builder => builder.UseOrleans(_ => { }),
            ("Orleans:Clustering:ProviderType", "Consensus"),
            ("Orleans:Clustering:Directry", "/somewhere"));
        var refused = Assert.Throws<OrleansConfigurationException>(
            () => host.Services.GetRequiredService<IOptions<ConsensusClusteringOptions>>().Value);
        Assert.Contains("Directry is unknown", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Clients_of_accounts_may_be_given_or_be_services()
    {
        using var given = Host(builder => builder.UseOrleans(silo => silo.UseConsensusClustering(
            options => options.UseBlobs(new BlobServiceClient("UseDevelopmentStorage=true")))));
        Assert.NotNull(given.Services.GetRequiredService<IMembershipTable>());
        using var keyed = Host(builder => builder.UseOrleans(silo => silo.UseConsensusClustering(
            options => options.ServiceKeys = ["east"])));
        var refused = Assert.Throws<OrleansConfigurationException>(
            () => keyed.Services.GetRequiredService<IMembershipTable>());
        Assert.Contains("'east'", refused.Message, StringComparison.Ordinal);
        using var wrong = Host(builder => builder.UseOrleans(silo => silo.UseConsensusClustering(
            options => options.ConnectionStrings = ["AccountKey=secret"])));
        refused = Assert.Throws<OrleansConfigurationException>(
            () => wrong.Services.GetRequiredService<IMembershipTable>());
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    private static List<string> Directories(int count) =>
        [.. Enumerable.Range(1, count).Select(number => $"/{number}")];

    private static OrleansConfigurationException? Validate(Action<ConsensusClusteringOptions> configure)
    {
        var options = new ConsensusClusteringOptions();
        configure(options);
        return Record.Exception(new ConsensusClusteringValidator(Options.Create(options)).ValidateConfiguration)
            as OrleansConfigurationException;
    }

    private static IHost Host(
        Action<HostApplicationBuilder> configure, params (string Key, string Value)[] configuration)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(
            configuration.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value)));
        configure(builder);
        return builder.Build();
    }
}
