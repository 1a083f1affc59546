using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Hosting;

public sealed class ConfigurationTests
{
    [Fact]
    public void A_provider_and_its_store_come_from_configuration_alone()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:bank:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:bank:StoreName"] = "vault",
            ["Orleans:GrainStorage:bank:Replicas:0"] = "a",
            ["Orleans:GrainStorage:bank:Replicas:1"] = "b",
            ["Orleans:GrainStorage:bank:Replicas:2"] = "c",
            ["Orleans:GrainStorage:bank:ReplicaId"] = "b",
            ["Orleans:GrainStorage:bank:DataDirectory"] = "/var/lib/bank",
            ["Orleans:GrainStorage:bank:Groups"] = "8",
            ["Orleans:GrainStorage:bank:RequestTimeout"] = "00:00:03",
            ["Orleans:GrainStorage:bank:ClusterSecret"] = "0123456789abcdef",
        });
        host.Validate();

        var options = OptionsOf(host, "vault");

        Assert.IsType<ConsensusGrainStorage>(host.Services.GetRequiredKeyedService<IGrainStorage>("bank"));
        Assert.Equal("vault", host.Services.GetRequiredKeyedService<IConsensusStore>("vault").Name);
        Assert.Equal(["vault"], host.Services.GetRequiredService<ConfiguredStores>().Names);
        Assert.Equal(["a", "b", "c"], options.Replicas);
        Assert.Equal("b", options.ReplicaId);
        Assert.Equal("/var/lib/bank", options.DataDirectory);
        Assert.Equal(8, options.Groups);
        Assert.Equal(TimeSpan.FromSeconds(3), options.RequestTimeout);
        Assert.Equal("0123456789abcdef", options.ClusterSecret);
        Assert.Equal(4 * 1024 * 1024, options.MaxStateBytes);
    }

    [Fact]
    public void Logs_in_blobs_come_from_configuration_alone()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:one:Replicas"] = "a,b,c",
            ["Orleans:GrainStorage:one:ContainerName"] = "logs",
            ["Orleans:GrainStorage:one:ConnectionStrings:a"] = "UseDevelopmentStorage=true",
            ["Orleans:GrainStorage:one:ConnectionStrings:b"] = "https://b.example/?sig=secret",
            ["Orleans:GrainStorage:one:ServiceKey"] = "cloud",
            ["Orleans:GrainStorage:two:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:two:ConnectionStrings:b"] = "https://b.example/?sig=secret",
            ["Orleans:GrainStorage:two:ConnectionStrings:a"] = "UseDevelopmentStorage=true",
        });
        host.Validate();

        var options = OptionsOf(host, "Default");

        Assert.Equal(["a", "b"], options.ConnectionStrings.Keys.Order());
        Assert.Equal("UseDevelopmentStorage=true", options.ConnectionStrings["a"]);
        Assert.Equal(("logs", "cloud"), (options.ContainerName, options.ServiceKey));
        Assert.Equal(ConsensusPlacement.Floating, options.Placement);
        Assert.Equal(1, options.Groups);
    }

    [Fact]
    public void Accounts_of_one_store_that_differ_are_refused_without_a_word_of_them()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:one:ConnectionStrings:a"] = "AccountKey=secret1",
            ["Orleans:GrainStorage:two:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:two:ConnectionStrings:b"] = "AccountKey=secret1",
        });

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("Orleans:GrainStorage:two:ConnectionStrings", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_account_where_each_replica_has_its_own_is_refused_without_a_word_of_it()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:one:ConnectionStrings"] = "AccountKey=secret1",
        });

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("one for each replica", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_key_without_a_client_fails_the_start()
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(store => store.ServiceKey = "cloud"));

        var exception = Assert.ThrowsAny<OrleansConfigurationException>(
            () => host.Services.GetRequiredKeyedService<IConsensusStore>("Default"));

        Assert.Contains("'cloud'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Accounts_are_not_logged()
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(store =>
        {
            store.ConnectionString = "AccountKey=hidden";
            store.ConnectionStrings["local"] = "AccountKey=hidden";
        }));
        var formatter = host.Services.GetServices<IOptionFormatter>()
            .Single(each => each.Name.Contains(nameof(ConsensusStoreOptions), StringComparison.Ordinal));

        Assert.DoesNotContain(
            formatter.Format(), line => line.Contains("hidden", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Two_lines_are_enough_for_development()
    {
        using var host = Build(new() { ["Orleans:GrainStorage:Default:ProviderType"] = "Consensus" });
        host.Validate();

        Assert.NotNull(host.Services.GetRequiredService<IGrainStorage>());
        Assert.Empty(OptionsOf(host, "Default").Replicas);
    }

    [Fact]
    public void A_store_has_a_section_of_its_own_for_code_and_configuration()
    {
        using var host = SiloUnderTest.Build(
            silo => silo.AddConsensusGrainStorage("bank", options => options.StoreName = "vault"),
            new()
            {
                ["Orleans:ConsensusStores:vault:Replicas"] = "a, b, c",
                ["Orleans:ConsensusStores:vault:ReplicaId"] = "a",
                ["Orleans:ConsensusStores:other:Groups"] = "3",
            });
        host.Validate();

        Assert.Equal(["a", "b", "c"], OptionsOf(host, "vault").Replicas);
        Assert.Equal("a", OptionsOf(host, "vault").ReplicaId);
        Assert.Equal(16, OptionsOf(host, "vault").Groups);
    }

    [Fact]
    public void Code_has_the_last_word()
    {
        using var host = SiloUnderTest.Build(
            silo => silo.UseConsensusStore(options => options.Groups += 1),
            new() { ["Orleans:ConsensusStores:Default:Groups"] = "3" });

        Assert.Equal(4, OptionsOf(host, "Default").Groups);
    }

    [Fact]
    public void Equal_settings_of_one_store_may_be_repeated()
    {
        using var host = Build(new()
        {
            ["Orleans:ConsensusStores:Default:Groups"] = "3",
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:one:Groups"] = "3",
            ["Orleans:GrainStorage:one:Replicas:0"] = "a",
            ["Orleans:GrainStorage:two:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:two:Groups"] = "3",
            ["Orleans:GrainStorage:two:Replicas:0"] = "a",
            ["Orleans:GrainStorage:two:MaxStateBytes"] = "77",
        });
        host.Validate();

        Assert.Equal(3, OptionsOf(host, "Default").Groups);
        Assert.Equal(["a"], OptionsOf(host, "Default").Replicas);
        Assert.Equal(77, OptionsOf(host, "Default").MaxStateBytes);
    }

    [Theory]
    [InlineData("Orleans:GrainStorage:one:Groups", "Orleans:GrainStorage:two:Groups")]
    [InlineData("Orleans:ConsensusStores:Default:Groups", "Orleans:GrainStorage:two:Groups")]
    public void Different_settings_of_one_store_are_refused_naming_both(string first, string second)
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:two:ProviderType"] = "Consensus",
            [first] = "3",
            [second] = "4",
        });

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains(first, exception.Message, StringComparison.Ordinal);
        Assert.Contains(second, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Different_settings_of_two_stores_are_fine()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:one:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:one:Groups"] = "3",
            ["Orleans:GrainStorage:two:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:two:StoreName"] = "vault",
            ["Orleans:GrainStorage:two:Groups"] = "4",
        });
        host.Validate();

        Assert.Equal(3, OptionsOf(host, "Default").Groups);
        Assert.Equal(4, OptionsOf(host, "vault").Groups);
    }

    [Theory]
    [InlineData("Replica", "b", "unknown")]
    [InlineData("Groups", "many", "'many' that is not a Int32")]
    [InlineData("RequestTimeout", "soon", "'soon'")]
    public void A_key_that_means_nothing_is_refused(string key, string value, string words)
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:bank:ProviderType"] = "Consensus",
            [$"Orleans:GrainStorage:bank:{key}"] = value,
        });

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains($"Orleans:GrainStorage:bank:{key}", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_reminders_that_means_nothing_is_refused()
    {
        var exception = Assert.Throws<OrleansConfigurationException>(() =>
        {
            using var host = Build(new()
            {
                ["Orleans:Reminders:ProviderType"] = "Consensus",
                ["Orleans:Reminders:StorName"] = "vault",
            });
            host.Validate();
        });

        Assert.Contains("Orleans:Reminders:StorName is unknown", exception.Message, StringComparison.Ordinal);
        Assert.Contains("StoreName", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_serializer_is_found_by_its_key()
    {
        var serializer = new Provider.FakeSerializer();
        using var host = SiloUnderTest.Build(
            silo => silo.Services.AddKeyedSingleton<IGrainStorageSerializer>("own", serializer),
            new()
            {
                ["Orleans:GrainStorage:bank:ProviderType"] = "Consensus",
                ["Orleans:GrainStorage:bank:SerializerKey"] = "own",
            });

        var options = host.Services.GetRequiredService<IOptionsMonitor<ConsensusGrainStorageOptions>>();

        Assert.Same(serializer, options.Get("bank").GrainStorageSerializer);
    }

    [Fact]
    public void A_serializer_that_is_not_there_is_refused()
    {
        using var host = Build(new()
        {
            ["Orleans:GrainStorage:bank:ProviderType"] = "Consensus",
            ["Orleans:GrainStorage:bank:SerializerKey"] = "none",
        });

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("Orleans:GrainStorage:bank:SerializerKey", exception.Message, StringComparison.Ordinal);
    }

    private static IHost Build(Dictionary<string, string?> settings) => SiloUnderTest.Build(_ => { }, settings);

    private static ConsensusStoreOptions OptionsOf(IHost host, string store) =>
        host.Services.GetRequiredService<IOptionsMonitor<ConsensusStoreOptions>>().Get(store);
}
