using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Messaging;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>
/// Whichever verb brings a store or the membership into a host, its options are looked at before anything is made of
/// them: the start ends with what is wrong, and nothing is on the disk.
/// </summary>
public sealed class WrongOptionTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("consensus-").FullName;

    /// <summary>The verbs, and what a silo makes of them early.</summary>
    private static readonly Dictionary<
        string, (Action<ISiloBuilder> Add, Func<IServiceProvider, object?> Make)> Stores = new()
        {
            ["UseConsensusStore"] = (silo => silo.UseConsensusStore(), MakeStore),
            ["AddConsensusGrainStorage"] = (silo => silo.AddConsensusGrainStorage("bank"), MakeStorage("bank")),
            ["AddConsensusGrainStorageAsDefault"] =
                (silo => silo.AddConsensusGrainStorageAsDefault(), MakeStorage("Default")),
            ["AddConsensusGrainStorageForTesting"] =
                (silo => silo.AddConsensusGrainStorageForTesting(inMemory: false), MakeStorage("PubSubStore")),
            ["UseConsensusReminders"] = (silo => silo.UseConsensusReminders(), MakeReminders),
            ["AddConsensusStorage"] =
                (silo => silo.UseConsensusStore().Services.AddHealthChecks().AddConsensusStorage(), MakeChecks),
            ["Orleans:GrainStorage"] = (
                silo => new ConsensusGrainStorageProviderBuilder().Configure(silo, "bank", Nothing(silo)),
                MakeStorage("bank")),
            ["Orleans:Reminders"] =
                (silo => new ConsensusReminderProviderBuilder().Configure(silo, null, Nothing(silo)), MakeReminders),
        };

    private static readonly (string Words, Action<ConsensusClusteringOptions> Configure)[] WrongPlaces =
    [
        ("name 0 places", _ => { }),
        ("is null", options => options.Directories = null!),
        ("is null", options => options.ConnectionStrings = null!),
        ("name 2 places", options => options.Directories = ["/a", "/b"]),
        ("names a place twice", options => options.Directories = ["/a", "/b", "/c/../b"]),
        ("have paths", options => options.Directories = ["/a", "", "/c"]),
        ("have paths", options => options.Directories = ["a\0b"]),
        ("the only kind", options => (options.Directories, options.ServiceKeys) = (["/a"], ["b", "c"])),
        ("empty entry", options => options.ServiceKeys = [null!]),
        ("empty entry", options => options.ConnectionStrings = [" "]),
        ("is not one of a storage account", options => options.ConnectionStrings = ["nonsense"]),
        ("under that key", options => options.ServiceKeys = ["nothing"]),
        ("is null", options => options.UseBlobs([null!])),
        ("ContainerName", options => (options.ServiceKeys, options.ContainerName) = (["a"], "No")),
        ("BlobTryTimeout", options => (options.ServiceKeys, options.BlobTryTimeout) = (["a"], TimeSpan.Zero)),
        ("RequestTimeout", options => (options.ServiceKeys, options.RequestTimeout) = (["a"], TimeSpan.Zero)),
    ];

    public static TheoryData<string> Verbs => [.. Stores.Keys];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_looks_at_all_options_of_a_store_first(string verb)
    {
        foreach (var row in ConsensusOptionsValidatorTests.Wrong)
        {
            var (option, configure, words) = row.Data;
            var silo = new UnbuiltSilo();
            Configure(silo, verb, configure);

            // Replicas of tests float: there are other options that can be wrong first.
            var floats = verb == nameof(ConsensusTestingExtensions.AddConsensusGrainStorageForTesting);
            var refused = AssertTold(
                silo.Refusal(Stores[verb].Make), floats ? "of consensus store 'Default' " : words);

            Assert.StartsWith(
                floats ? "Option " : $"Option {option} of consensus store ", refused, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_start_with_wrong_options_of_a_store_ends_at_once(string verb) => AssertTold(
        await StartAsync(builder => builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            Configure(silo, verb, options => options.Replicas = null!);
        })),
        "Option Replicas of consensus store 'Default' is null");

    [Fact]
    public void Clustering_looks_at_all_its_options_first()
    {
        foreach (var (words, configure) in WrongPlaces)
        {
            var silo = new UnbuiltSilo();
            ((ISiloBuilder)silo).UseConsensusClustering(configure);
            var client = new UnbuiltSilo();
            ((IClientBuilder)client).UseConsensusClustering(configure);

            AssertTold(silo.Refusal(services => services.GetRequiredService<IMembershipTable>()), words);
            AssertTold(client.Refusal(services => services.GetRequiredService<IGatewayListProvider>()), words);
        }
    }

    [Fact]
    public async Task A_start_without_places_of_the_membership_ends_at_once()
    {
        AssertTold(
            await StartAsync(builder => builder.UseOrleans(silo => silo
                .Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = ("shop", "blue"))
                .UseConsensusStore(options => options.DataDirectory = _root)
                .UseConsensusClustering())),
            "name 0 places");
        AssertTold(
            await StartAsync(builder => builder.UseOrleansClient(client => client
                .Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = ("shop", "blue"))
                .UseConsensusClustering())),
            "name 0 places");
    }

    [Theory]
    [InlineData("Orleans:Reminders", "StoreName", "", "Orleans:Reminders:StoreName is empty")]
    [InlineData("Orleans:Reminders", "StoreName", "../b", "'../b'")]
    [InlineData("Orleans:GrainStorage:bank", "StoreName", " ", "Orleans:GrainStorage:bank:StoreName is empty")]
    [InlineData("Orleans:GrainStorage:bank", "StoreName", "a/b", "'a/b'")]
    [InlineData("Orleans:GrainStorage:bank", "ConnectionString", "", "is empty")]
    [InlineData("Orleans:Clustering", "RequestTimeout", "soon", "Orleans:Clustering:RequestTimeout")]
    public async Task A_start_with_a_wrong_value_in_the_configuration_ends_at_once(
        string section, string key, string value, string words) => AssertTold(
        await StartAsync(
            builder => builder.UseOrleans(silo =>
            {
                silo.UseConsensusStore(options => options.DataDirectory = _root);
                if (section != "Orleans:Clustering")
                {
                    silo.UseLocalhostClustering();
                }
            }),
            ($"{section}:ProviderType", "Consensus"),
            ($"{section}:{key}", value)),
        words);

    private static object MakeStore(IServiceProvider services) =>
        services.GetRequiredKeyedService<IConsensusStore>("Default");

    private static Func<IServiceProvider, object> MakeStorage(string provider) =>
        services => services.GetRequiredKeyedService<IGrainStorage>(provider);

    private static object MakeReminders(IServiceProvider services) => services.GetRequiredService<IReminderTable>();

    private static List<IHealthCheck> MakeChecks(IServiceProvider services) => services
        .GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations
        .Select(check => check.Factory(services))
        .ToList();

    private static IConfigurationSection Nothing(ISiloBuilder silo) => silo.Configuration.GetSection("nothing");

    private void Configure(ISiloBuilder silo, string verb, Action<ConsensusStoreOptions> configure)
    {
        silo.Configure<SiloOptions>(options => options.SiloName = "Silo_0");
        Stores[verb].Add(silo);
        silo.UseConsensusStore(options =>
        {
            (options.Replicas, options.ReplicaId, options.DataDirectory) = ([], null, _root);
            configure(options);
        });
    }

    private string AssertTold(Exception? exception, string words)
    {
        Assert.IsAssignableFrom<OrleansConfigurationException>(exception);
        Assert.Contains(words, exception!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
        return exception.Message;
    }

    /// <summary>How the start of such a host ends.</summary>
    private static async Task<Exception?> StartAsync(
        Action<HostApplicationBuilder> configure, params (string Key, string Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(
            settings.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value)));
        return await Record.ExceptionAsync(async () =>
        {
            configure(builder);
            using var host = builder.Build();
            await host.StartAsync(TestContext.Current.CancellationToken);
        });
    }
}
