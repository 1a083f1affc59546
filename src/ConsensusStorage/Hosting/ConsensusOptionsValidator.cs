using System.Globalization;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Refuses options out of range before the silo starts, naming store or provider, option, value and range.
/// </summary>
internal sealed class ConsensusOptionsValidator(ConfiguredStores stores) : IConfigurationValidator
{
    private const string NameRange =
        "1–64 characters out of a–z A–Z 0–9 - _ . and must not begin with a dot, because it names a directory";

    private const int Kilobyte = 1024;
    private const int Megabyte = 1024 * Kilobyte;
    private const long Gigabyte = 1024L * Megabyte;

    /// <exception cref="OrleansConfigurationException">An option is out of range.</exception>
    public void ValidateConfiguration()
    {
        foreach (var provider in stores.Providers)
        {
            RequireName($"Option {nameof(ConsensusGrainStorageOptions.StoreName)} of grain storage provider "
                + $"'{provider}'", stores.Provider(provider).StoreName);
        }

        foreach (var store in stores.Names)
        {
            RequireName("The name of a consensus store", store);
            Validate(new(store), stores[store]);
        }

        RequireDifferentDirectories();
        RequireOneSecret();
    }

    private static void Validate(StoreChecks check, ConsensusStoreOptions options)
    {
        ValidateReplicas(check, options);
        check.Range(nameof(options.Groups), options.Groups, 1, 4096);
        check.Range(
            nameof(options.RequestTimeout),
            options.RequestTimeout,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(10));
        check.Range(
            nameof(options.RoundTimeout), options.RoundTimeout, TimeSpan.FromMilliseconds(10), options.RequestTimeout);
        check.Range(nameof(options.MaxStateBytes), options.MaxStateBytes, 1, 32 * Megabyte);
        check.Range(nameof(options.MaxPendingChanges), options.MaxPendingChanges, 1, 10_000_000);
        check.Range(
            nameof(options.MaxQueuedBytesPerReplica),
            options.MaxQueuedBytesPerReplica,
            (2 * (options.MaxStateBytes + options.MaxBatchBytes)) + Megabyte,
            (int)Gigabyte);
        check.Range(nameof(options.PromiseCacheSize), options.PromiseCacheSize, 0, 100_000_000);
        check.Range(nameof(options.ValueCacheBytes), options.ValueCacheBytes, 0, 1024 * Gigabyte);
        check.Range(nameof(options.MaxBatchBytes), options.MaxBatchBytes, 4 * Kilobyte, 16 * Megabyte);
        check.Range(nameof(options.SegmentBytes), options.SegmentBytes, Megabyte, Gigabyte);
        if (options.ClusterSecret is { Length: < 16 or > 1024 } secret)
        {
            throw check.Wrong(
                nameof(options.ClusterSecret), $"has {secret.Length} characters", "have 16 to 1024, or be null");
        }
    }

    private static void ValidateReplicas(StoreChecks check, ConsensusStoreOptions options)
    {
        const string replicas = nameof(ConsensusStoreOptions.Replicas);
        const string replicaId = nameof(ConsensusStoreOptions.ReplicaId);
        if (options.Replicas is not { } names)
        {
            throw check.Wrong(replicas, "is null", "be a list of names, or empty");
        }

        if (names.Count is not (0 or 1 or 3 or 5))
        {
            throw check.Wrong(
                replicas,
                $"has {names.Count} names ({string.Join(", ", names)})",
                "have 1, 3 or 5 (or none, for one development replica). An even number survives no more failures than "
                + "one replica fewer, and makes every write wait for one more");
        }

        foreach (var name in names.Where(name => !Orleans.Consensus.ReplicaId.IsValid(name)))
        {
            throw check.Wrong(replicas, $"contains '{name}'", $"have names of {NameRange}");
        }

        // Names are directories, and some file systems don't tell 'A' from 'a'.
        if (names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1)
            is { } twice)
        {
            throw check.Wrong(replicas, $"contains {string.Join(" and ", twice)}", "name each replica once");
        }

        if (options.ReplicaId is { } id && !names.Contains(id, StringComparer.Ordinal))
        {
            throw check.Wrong(
                replicaId, $"is '{id}'", $"be one of {replicas} ({string.Join(", ", names)}), or null to host none");
        }

        var hosts = options.ReplicaId is not null || names.Count == 0;
        if (hosts && string.IsNullOrWhiteSpace(options.DataDirectory))
        {
            throw check.Wrong(
                nameof(options.DataDirectory), $"is '{options.DataDirectory}'", "be a path where a replica is hosted");
        }
    }

    private void RequireDifferentDirectories()
    {
        if (stores.Names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new OrleansConfigurationException(
                $"The consensus stores {string.Join(" and ", twice)} have the same name but for upper and lower case; "
                + "the names must differ otherwise, because they name directories.");
        }
    }

    private void RequireOneSecret()
    {
        var secrets = stores.Names
            .Where(name => stores[name].ClusterSecret is not null)
            .DistinctBy(name => stores[name].ClusterSecret, StringComparer.Ordinal)
            .ToList();
        if (secrets.Count > 1)
        {
            throw new OrleansConfigurationException(
                $"Option {nameof(ConsensusStoreOptions.ClusterSecret)} has different values in the consensus stores "
                + $"'{secrets[0]}' and '{secrets[1]}'; it must be the same in all stores of a silo that set it.");
        }
    }

    private static void RequireName(string what, string? name)
    {
        if (!ReplicaId.IsValid(name))
        {
            throw new OrleansConfigurationException($"{what} is '{name}'; it must have {NameRange}.");
        }
    }

    /// <summary>Words the errors of one store.</summary>
    private readonly record struct StoreChecks(string Store)
    {
        public void Range<T>(string option, T value, T least, T most)
            where T : IComparable<T>, IFormattable
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            {
                throw Wrong(option, $"is {Text(value)}", $"be {Text(least)} to {Text(most)}");
            }
        }

        public OrleansConfigurationException Wrong(string option, string value, string range) =>
            new($"Option {option} of consensus store '{Store}' {value}; it must {range}.");

        private static string Text<T>(T value)
            where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
    }
}
