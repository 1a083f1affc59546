using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

public sealed class ConsensusOptionsValidatorTests
{
    private const string Azure = "UseDevelopmentStorage=true";

    public static readonly TheoryData<string, Action<ConsensusStoreOptions>, string> Wrong = new()
    {
        { "Groups", options => options.Groups = 0, "is 0; it must be 1 to 4096" },
        { "Groups", options => options.Groups = 4097, "is 4097" },
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.Zero, "00:00:00.1000000 to 00:10:00" },
        { "RequestTimeout", options => options.RequestTimeout = Timeout.InfiniteTimeSpan, "is -00:00:00.0010000" },
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.FromHours(1), "is 01:00:00" },
        { "RoundTimeout", options => options.RoundTimeout = TimeSpan.Zero, "is 00:00:00" },
        { "RoundTimeout", options => options.RoundTimeout = TimeSpan.FromSeconds(11), "00:00:10" },
        { "MaxStateBytes", options => options.MaxStateBytes = 0, "1 to 33554432" },
        { "MaxStateBytes", options => options.MaxStateBytes = (32 << 20) + 1, "is 33554433" },
        { "MaxPendingChanges", options => options.MaxPendingChanges = 0, "1 to 10000000" },
        { "MaxQueuedBytesPerReplica", options => options.MaxQueuedBytesPerReplica = 1000, "11534336 to 1073741824" },
        { "PromiseCacheSize", options => options.PromiseCacheSize = -1, "0 to 100000000" },
        { "ValueCacheBytes", options => options.ValueCacheBytes = -1, "0 to 1099511627776" },
        { "MaxBatchBytes", options => options.MaxBatchBytes = 4095, "4096 to 16777216" },
        { "SegmentBytes", options => options.SegmentBytes = 1000, "1048576 to 1073741824" },
        { "ClusterSecret", options => options.ClusterSecret = "too short", "has 9 characters" },
        { "AlternateClusterSecret", Secrets("0123456789abcdef", "too short"), "has 9 characters" },
        { "AlternateClusterSecret", Secrets(null, "0123456789abcdef"), "without ClusterSecret" },
        { "AlternateClusterSecret", Secrets("0123456789abcdef", "0123456789abcdef"), "equal to ClusterSecret" },
        { "Replicas", options => options.Replicas = null!, "is null" },
        { "Replicas", options => options.Replicas = ["a", "b"], "An even number survives no more failures" },
        { "Replicas", options => options.Replicas = ["a", "b", "c", "d"], "has 4 names (a, b, c, d)" },
        { "Replicas", options => options.Replicas = ["a", "b", "c", "d", "e", "f", "g"], "1, 3 or 5" },
        { "Replicas", options => options.Replicas = ["a", "b", "b"], "contains b and b" },
        { "Replicas", options => options.Replicas = ["a", "b", "B"], "contains b and B" },
        { "Replicas", options => options.Replicas = ["a", "b", "c/d"], "'c/d'" },
        { "Replicas", options => options.Replicas = ["a", "b", ""], "contains ''" },
        { "Replicas", options => options.Replicas = [".."], "begin with a dot" },
        { "ReplicaId", options => options.ReplicaId = "x", "is 'x'" },
        { "ReplicaId", Three("x"), "(a, b, c)" },
        { "ReplicaId", Three("A"), "is 'A'" },
        { "DataDirectory", options => options.DataDirectory = " ", "is ' '" },
        { "DataDirectory", options => options.DataDirectory = null!, "is ''" },
        { "DataDirectory", options => { Floating(options); options.DataDirectory = ""; }, "is ''" },
        { "DataDirectory", options => { Floating(options); options.DataDirectory = "./data"; }, "an absolute path" },
        { "DataDirectory", options => options.DataDirectory = "a\0b", "be a path" },
        { "MaxBatchBytes", options => options.MaxBatchBytes = -2_000_000_000, "4096 to 16777216" },
        { "ConnectionString", options => options.ConnectionString = "", "is empty" },
        { "ServiceKey", options => options.ServiceKey = " ", "is empty" },
        { "ServiceKeys", options => options.ServiceKeys["local"] = "", "is empty" },
        { "ConnectionStrings", options => options.ConnectionStrings["local"] = null!, "is empty" },
        { "ConnectionStrings or ServiceKeys", options => options.ConnectionStrings = null!, "is null" },
        { "Groups", options => { Floating(options); options.Groups = 65; }, "1 to 64" },
        { "Placement", options => options.Placement = (ConsensusPlacement)7, "is 7" },
        { "ReplicaId", options => { Three("a")(options); Floating(options); }, "be null where replicas float" },
        { "ReplicaId", options => { Three("a")(options); options.ConnectionString = Azure; }, "be null where" },
        { "ConnectionStrings", Blobs(("a", Azure), ("b", Azure)), "gives replica 'c' 0 storage accounts" },
        { "ConnectionStrings", Blobs(("a", Azure), ("b", Azure), ("d", Azure)), "names 'd'" },
        { "ServiceKeys", options => { Three(null)(options); options.ServiceKeys["x"] = "k"; }, "names 'x'" },
        {
            "ConnectionStrings",
            options => { Blobs(("a", Azure))(options); options.ServiceKeys["a"] = "k"; },
            "gives replica 'a' 2 storage accounts"
        },
        {
            "ConnectionString",
            options => { options.ConnectionString = Azure; options.ServiceKey = "k"; },
            "is not the only account"
        },
        { "ContainerName", options => { options.ConnectionString = Azure; options.ContainerName = "A"; }, "is 'A'" },
        {
            "ContainerName",
            options => { options.ConnectionString = Azure; options.ContainerName = "a--b"; },
            "single dashes"
        },
        {
            "BlobTryTimeout",
            options => { options.ConnectionString = Azure; options.BlobTryTimeout = TimeSpan.Zero; },
            "00:00:00.1000000 to 00:01:00"
        },
    };

    public static readonly TheoryData<Action<ConsensusStoreOptions>> Right = new()
    {
        _ => { },
        options => options.Replicas = ["only"],
        options => options.Replicas = ["a", "b", "c", "d", "e"],
        Three("b"),
        options => { Three(null)(options); options.DataDirectory = ""; },
        options => options.ClusterSecret = new('s', 16),
        Secrets(new('s', 16), new('t', 1024)),
        options =>
        {
            options.MaxStateBytes = 32 << 20;
            options.MaxBatchBytes = 8 << 20;
            options.MaxQueuedBytesPerReplica = 128 << 20;
        },
        options => options.RoundTimeout = options.RequestTimeout,
        options => { options.PromiseCacheSize = 0; options.ValueCacheBytes = 0; },
        Floating,
        options => { Three(null)(options); Floating(options); },
        options => options.ConnectionString = Azure,
        options => { Three(null)(options); options.ConnectionString = Azure; },
        options => { Three("c")(options); options.ConnectionString = Azure; Pinned(options); },
        Blobs(("a", Azure), ("b", Azure), ("c", Azure)),
        options => { Blobs(("b", Azure))(options); options.UseBlobs(new(Azure)); },
        options => { Three(null)(options); options.UseBlobs(new(Azure), "a"); options.ServiceKey = "k"; },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Wrong))]
    public void An_option_out_of_range_is_named_with_its_store_value_and_range(
        string option, Action<ConsensusStoreOptions> configure, string words)
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore("vault", configure));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.StartsWith($"Option {option} of consensus store 'vault' ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("too short", exception.Message, StringComparison.Ordinal);
    }

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Right))]
    public void Options_in_range_are_taken(Action<ConsensusStoreOptions> configure)
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(configure));

        host.Validate();
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("naïve")]
    public void A_store_name_that_is_no_directory_name_is_refused(string name)
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(name));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains($"'{name}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_provider_that_names_no_store_is_refused()
    {
        using var host = SiloUnderTest.Build(
            silo => silo.AddConsensusGrainStorage("bank", options => options.StoreName = ""));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("StoreName of grain storage provider 'bank'", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".reminders")]
    [InlineData(".")]
    [InlineData(".later")]
    public void A_provider_with_a_name_of_the_package_itself_is_refused(string name)
    {
        using var host = SiloUnderTest.Build(silo => silo.AddConsensusGrainStorage(name).UseConsensusReminders());

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains($"'{name}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("reserved", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stores_that_would_share_a_directory_are_refused()
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore("vault").UseConsensusStore("Vault"));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("vault and Vault", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_alternate_secrets_in_one_silo_are_refused_without_telling_them()
    {
        using var host = SiloUnderTest.Build(silo => silo
            .UseConsensusStore("one", Secrets("0123456789abcdef", "first alternate!"))
            .UseConsensusStore("two", Secrets("0123456789abcdef", "second alternate")));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("AlternateClusterSecret", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("alternate!", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_secrets_in_one_silo_are_refused_without_telling_them()
    {
        using var host = SiloUnderTest.Build(silo => silo
            .UseConsensusStore("one", options => options.ClusterSecret = "0123456789abcdef")
            .UseConsensusStore("two", options => options.ClusterSecret = "fedcba9876543210"));

        var exception = Assert.Throws<OrleansConfigurationException>(host.Validate);

        Assert.Contains("'one' and 'two'", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", exception.Message, StringComparison.Ordinal);
    }

    private static Action<ConsensusStoreOptions> Secrets(string? secret, string? alternate) => options =>
        (options.ClusterSecret, options.AlternateClusterSecret) = (secret, alternate);

    private static Action<ConsensusStoreOptions> Three(string? local) => options =>
    {
        options.Replicas = ["a", "b", "c"];
        options.ReplicaId = local;
    };

    private static void Floating(ConsensusStoreOptions options) =>
        (options.Placement, options.DataDirectory) = (ConsensusPlacement.Floating, "/mnt/shared");

    private static void Pinned(ConsensusStoreOptions options) => options.Placement = ConsensusPlacement.Pinned;

    private static Action<ConsensusStoreOptions> Blobs(params (string Replica, string Account)[] accounts) => options =>
    {
        Three(null)(options);
        options.ConnectionStrings = accounts.ToDictionary(one => one.Replica, one => one.Account);
    };
}
