using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Transport;
using Orleans.Hosting;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Hosting;

public sealed class HostingVerbTests
{
    [Fact]
    public void A_provider_alone_brings_the_default_store_for_development()
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorage("bank"));
        host.Validate();

        var storage = host.Services.GetRequiredKeyedService<IGrainStorage>("bank");
        var store = host.Services.GetRequiredKeyedService<IConsensusStore>("Default");

        Assert.IsType<ConsensusGrainStorage>(storage);
        Assert.Equal("Default", store.Name);
    }

    [Fact]
    public void The_default_provider_is_found_without_a_name_too()
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorageAsDefault());

        var named = host.Services.GetRequiredKeyedService<IGrainStorage>("Default");

        Assert.Same(named, host.Services.GetRequiredService<IGrainStorage>());
    }

    [Fact]
    public void Providers_share_a_store_unless_they_name_another()
    {
        using var host = SiloUnderTest.Build(silo => silo
            .AddConsensusGrainStorage("one")
            .AddConsensusGrainStorage("two")
            .AddConsensusGrainStorage("three", options => options.StoreName = "vault"));

        host.Validate();
        var stores = host.Services.GetRequiredService<ConfiguredStores>();

        Assert.Equal(["Default", "vault"], stores.Names);
        Assert.Equal("vault", host.Services.GetRequiredKeyedService<IConsensusStore>("vault").Name);
        Assert.NotNull(host.Services.GetRequiredKeyedService<IGrainStorage>("three"));
        Assert.Null(host.Services.GetKeyedService<IConsensusStore>("unknown"));
    }

    [Fact]
    public void Repeated_verbs_add_nothing_twice_and_configure_one_after_the_other()
    {
        var counts = new List<int>();
        using var host = SiloUnderTest.Build(silo =>
        {
            for (var i = 1; i <= 3; i++)
            {
                var groups = i;
                silo.UseConsensusStore("vault", options => options.Groups = groups);
                silo.UseConsensusStore("vault");
                silo.AddConsensusGrainStorage("bank", options => options.StoreName = "vault");
                silo.AddConsensusGrainStorageAsDefault();
                silo.Services.AddConsensusGrainStorageAsDefault(options => options.StoreName = "vault");
                counts.Add(silo.Services.Count(IsService));
            }
        });

        Assert.Equal(counts[0], counts[1]);
        Assert.Equal(counts[1], counts[2]);
        Assert.Equal(3, OptionsOf(host, "vault").Groups);
        Assert.Equal(["vault"], host.Services.GetRequiredService<ConfiguredStores>().Names);

        static bool IsService(ServiceDescriptor service) =>
            service.ServiceType.Name is not ("IConfigureOptions`1" or "IOptionsChangeTokenSource`1");
    }

    [Fact]
    public void The_verbs_of_services_and_silo_builder_do_the_same()
    {
        using var host = SiloUnderTest.Build(silo =>
        {
            silo.UseConsensusStore(options => options.Groups = 2);
            silo.Services.UseConsensusStore(options => options.Configure(store => store.Groups += 1));
            silo.UseConsensusStore("vault", options => options.Configure(store => store.Groups = 5));
            silo.Services.UseConsensusStore("vault", store => store.Groups += 1);
            silo.AddConsensusGrainStorageAsDefault(
                options => options.Configure(provider => provider.StoreName = "vault"));
            silo.Services.AddConsensusGrainStorage("bank", options => options.Configure(_ => { }));
        });

        Assert.Equal(3, OptionsOf(host, "Default").Groups);
        Assert.Equal(6, OptionsOf(host, "vault").Groups);
    }

    [Fact]
    public void The_store_that_is_seen_is_the_one_that_providers_write_to()
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorage("bank"));

        var seen = host.Services.GetRequiredKeyedService<IConsensusStore>("Default");

        Assert.Same(seen, host.Services.GetRequiredService<ConsensusStores>().Find("Default"));
        Assert.Same(seen, host.Services.GetRequiredKeyedService<IConsensusStore>("Default"));
    }

    [Fact]
    public void The_secret_of_a_store_protects_the_transport()
    {
        const string secret = "0123456789abcdef";
        const string other = "fedcba9876543210";
        using var host = SiloUnderTest.Build(silo => silo
            .UseConsensusStore("open")
            .UseConsensusStore("vault", options =>
            {
                options.ClusterSecret = secret;
                options.AlternateClusterSecret = other;
            }));

        Assert.Equal(new(secret, other), host.Services.GetRequiredService<TransportOptions>());
    }

    [Fact]
    public void Options_are_logged_without_the_secret()
    {
        const string secret = "0123456789abcdef";
        const string other = "fedcba9876543210";
        using var host = SiloUnderTest.Build(silo => silo
            .UseConsensusStore("vault", options =>
                (options.ClusterSecret, options.AlternateClusterSecret) = (secret, other))
            .AddConsensusGrainStorage("bank"));

        var lines = host.Services.GetServices<IOptionFormatter>()
            .Where(formatter => formatter.Name.Contains("Consensus", StringComparison.Ordinal))
            .SelectMany(formatter => formatter.Format())
            .ToList();

        Assert.Contains(lines, line => line.Contains("Groups: 16", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("StoreName: Default", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(other, StringComparison.Ordinal));
    }

    [Fact]
    public void A_provider_takes_the_serializer_registered_under_its_name()
    {
        var serializer = new Provider.FakeSerializer();
        using var host = SiloUnderTest.Build(silo =>
        {
            silo.Services.AddKeyedSingleton<IGrainStorageSerializer>("bank", serializer);
            silo.AddConsensusGrainStorage("bank").AddConsensusGrainStorage("other");
        });

        var options = host.Services.GetRequiredService<IOptionsMonitor<ConsensusGrainStorageOptions>>();

        Assert.Same(serializer, options.Get("bank").GrainStorageSerializer);
        Assert.NotSame(serializer, options.Get("other").GrainStorageSerializer);
    }

    [Fact]
    public void The_clock_is_the_system_s_unless_another_one_is_given_for_the_store()
    {
        var standing = new FakeTimeProvider();
        var own = new FakeTimeProvider();
        using var plain = SiloUnderTest.Build(
            silo => silo.UseConsensusStore().Services.AddSingleton<TimeProvider>(standing));
        using var given = SiloUnderTest.Build(silo => silo.UseConsensusStore().Services
            .AddSingleton<TimeProvider>(standing)
            .AddKeyedSingleton<TimeProvider>(ConsensusTimeProviderNames.Consensus, own));

        Assert.Same(TimeProvider.System, StoreClock.Of(plain.Services));
        Assert.Same(own, StoreClock.Of(given.Services));
        Assert.Same(standing, plain.Services.GetRequiredService<TimeProvider>());
    }

    [Fact]
    public void Null_and_empty_arguments_are_refused()
    {
        var services = new ServiceCollection();

        Assert.Throws<ArgumentException>(() => services.AddConsensusGrainStorage(" "));
        Assert.Throws<ArgumentException>(() => services.UseConsensusStore(""));
        Assert.Throws<ArgumentNullException>(
            () => services.UseConsensusStore("a", (Action<ConsensusStoreOptions>)null!));
        Assert.Throws<ArgumentNullException>(() => ((ISiloBuilder)null!).AddConsensusGrainStorageAsDefault());
        Assert.Empty(services);
    }

    [Theory]
    [InlineData("Silo_0")]
    [InlineData("Secondary_12")]
    [InlineData("gateway")]
    public void Test_silos_of_any_name_and_number_share_all_replicas(string silo)
    {
        using var host = SiloUnderTest.Build(
            builder => builder.AddConsensusGrainStorageForTesting(),
            new() { ["InitialSilosCount"] = "2" },
            silo);
        host.Validate();

        var options = OptionsOf(host, "Default");

        Assert.Equal(["r0", "r1", "r2"], options.Replicas);
        Assert.Equal((null, ConsensusPlacement.Floating), (options.ReplicaId, options.Placement));
        Assert.NotNull(host.Services.GetRequiredKeyedService<IGrainStorage>("Default"));
        Assert.NotNull(host.Services.GetRequiredKeyedService<IGrainStorage>("PubSubStore"));
    }

    [Fact]
    public void Test_silos_have_the_time_that_others_have()
    {
        using var host = SiloUnderTest.Build(builder => builder.AddConsensusGrainStorageForTesting());
        var shipped = new ConsensusStoreOptions();

        var options = OptionsOf(host, "Default");

        Assert.Equal(
            (shipped.RequestTimeout, shipped.RoundTimeout), (options.RequestTimeout, options.RoundTimeout));
    }

    [Fact]
    public void Test_logs_of_a_cluster_are_one_place_in_memory_or_on_disk()
    {
        using var host = SiloUnderTest.Build(builder => builder.AddConsensusGrainStorageForTesting(inMemory: false));

        Assert.Null(host.Services.GetKeyedService<JournalStoreFactory>("Default"));
        var directory = OptionsOf(host, "Default").DataDirectory;
        Assert.EndsWith(Path.Combine("shop", "blue"), directory, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => SiloUnderTest.Build(builder => builder.AddConsensusGrainStorageForTesting(replicas: 2)));
    }

    private static ConsensusStoreOptions OptionsOf(Microsoft.Extensions.Hosting.IHost host, string store) =>
        host.Services.GetRequiredService<IOptionsMonitor<ConsensusStoreOptions>>().Get(store);
}
