using System.Globalization;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Benchmarks.Load;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;
using Orleans.Storage;
using Orleans.TestingHost;
using StackExchange.Redis;

namespace Orleans.Consensus.Benchmarks.Cluster;

/// <summary>Sets a silo up with the providers of the run. The test cluster creates it.</summary>
internal sealed class BenchmarkSilo : ISiloConfigurator
{
    public const string ProvidersKey = "Benchmark:Providers";
    public const string DataKey = "Benchmark:Data";
    public const string RedisKey = "Benchmark:Redis";
    public const string BlobsKey = "Benchmark:Blobs";

    /// <summary>Of connection strings, which have semicolons themselves.</summary>
    public const char Separator = '|';

    private static readonly string[] Replicas = ["r0", "r1", "r2"];

    public void Configure(ISiloBuilder siloBuilder)
    {
        var providers = siloBuilder.Configuration[ProvidersKey]!.Split(',');
        foreach (var provider in providers)
        {
            Add(siloBuilder, provider);
        }
    }

    private static void Add(ISiloBuilder silo, string provider)
    {
        switch (provider)
        {
            case Provider.Consensus:
                var data = silo.Configuration[DataKey]!;
                silo.UseConsensusStore(store => store.Configure<IOptions<SiloOptions>>((options, local) =>
                {
                    options.Replicas = Replicas;
                    options.ReplicaId = Replicas[NumberOf(local.Value.SiloName)];
                    options.DataDirectory = Path.Combine(data, local.Value.SiloName);
                }));
                silo.AddConsensusGrainStorage(provider);
                silo.AddConsensusGrainStorage(
                    SizedStates.Provider,
                    (ConsensusGrainStorageOptions options) =>
                        options.GrainStorageSerializer = new SizedStateSerializer());
                break;
            case Provider.ConsensusBlobs:
                var accounts = silo.Configuration[BlobsKey]!.Split(Separator);
                silo.UseConsensusStore(provider, (ConsensusStoreOptions options) =>
                {
                    options.Replicas = Replicas;
                    options.ConnectionStrings = Replicas
                        .Zip(accounts)
                        .ToDictionary(pair => pair.First, pair => pair.Second);
                });
                silo.AddConsensusGrainStorage(
                    provider, (ConsensusGrainStorageOptions options) => options.StoreName = provider);
                break;
            case Provider.Memory:
                silo.AddMemoryGrainStorage(provider);
                break;
            case Provider.Redis:
                var address = silo.Configuration[RedisKey]!;
                silo.AddRedisGrainStorage(
                    provider, options => options.ConfigurationOptions = ConfigurationOptions.Parse(address));
                break;
            case Provider.BlobPerGrain:
                var account = new BlobServiceClient(silo.Configuration[BlobsKey]!.Split(Separator)[0]);
                silo.Services.AddGrainStorage(
                    provider,
                    (services, _) => new BlobPerGrainStorage(
                        account, services.GetRequiredService<IGrainStorageSerializer>()));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(provider), provider, "There is no such provider.");
        }
    }

    private static int NumberOf(string silo) =>
        silo == "Primary" ? 0 : int.Parse(silo["Secondary_".Length..], CultureInfo.InvariantCulture);
}
