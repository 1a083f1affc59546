using System.Globalization;
using System.Text.RegularExpressions;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Refuses options out of range before the silo starts, naming store or provider, option, value and range.
/// </summary>
internal sealed partial class ConsensusOptionsValidator(ConfiguredStores stores) : IConfigurationValidator
{
    private const string NameRange =
        "1–64 characters out of a–z A–Z 0–9 - _ . and must not begin with a dot, because it names a directory";

    /// <summary>Each has logs of its own, which a silo may have to open all at once.</summary>
    private const int MostFloatingGroups = 64;

    private const int Kilobyte = 1024;
    private const int Megabyte = 1024 * Kilobyte;
    private const long Gigabyte = 1024L * Megabyte;

    /// <exception cref="OrleansConfigurationException">An option is out of range.</exception>
    public void ValidateConfiguration()
    {
        foreach (var provider in stores.Providers)
        {
            RequireOwnName(provider);
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
        RequireNoStranger();
    }

    private static void Validate(StoreChecks check, ConsensusStoreOptions options)
    {
        ValidateReplicas(check, options);
        ValidatePlacement(check, options);
        check.Range(
            nameof(options.Groups),
            options.Groups,
            1,
            options.Placement == ConsensusPlacement.Floating ? MostFloatingGroups : 4096);
        check.Range(
            nameof(options.RequestTimeout),
            options.RequestTimeout,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(10));
        check.Range(
            nameof(options.RoundTimeout), options.RoundTimeout, TimeSpan.FromMilliseconds(10), options.RequestTimeout);
        check.Range(nameof(options.MaxStateBytes), options.MaxStateBytes, 1, 32 * Megabyte);
        check.Range(nameof(options.MaxBatchBytes), options.MaxBatchBytes, 4 * Kilobyte, 16 * Megabyte);
        check.Range(nameof(options.MaxPendingChanges), options.MaxPendingChanges, 1, 10_000_000);
        check.Range(
            nameof(options.MaxQueuedBytesPerReplica),
            options.MaxQueuedBytesPerReplica,
            (2 * (options.MaxStateBytes + options.MaxBatchBytes)) + Megabyte,
            (int)Gigabyte);
        check.Range(nameof(options.PromiseCacheSize), options.PromiseCacheSize, 0, 100_000_000);
        check.Range(nameof(options.ValueCacheBytes), options.ValueCacheBytes, 0, 1024 * Gigabyte);
        check.Range(nameof(options.SegmentBytes), options.SegmentBytes, Megabyte, Gigabyte);
        ValidateSecrets(check, options);
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

        var hosts = options.ReplicaId is not null || names.Count == 0
            || options.Placement == ConsensusPlacement.Floating;
        if (hosts && !options.UsesBlobs && !IsPath(options.DataDirectory))
        {
            throw check.Wrong(
                nameof(options.DataDirectory), $"is '{options.DataDirectory}'", "be a path where a replica is hosted");
        }
    }

    private static void ValidatePlacement(StoreChecks check, ConsensusStoreOptions options)
    {
        if (!Enum.IsDefined(options.Placement))
        {
            throw check.Wrong(nameof(options.Placement), $"is {options.Placement}", "be Pinned or Floating");
        }

        if (options is { Placement: ConsensusPlacement.Floating, ReplicaId: { } id })
        {
            throw check.Wrong(
                nameof(options.ReplicaId),
                $"is '{id}'",
                "be null where replicas float, because no silo has one of its own. Logs in blobs float unless "
                + $"{nameof(options.Placement)} is Pinned");
        }

        if (options.ConnectionStrings is null || options.ServiceKeys is null)
        {
            throw check.Wrong(
                $"{nameof(options.ConnectionStrings)} or {nameof(options.ServiceKeys)}",
                "is null",
                "have an entry for each replica, or be empty");
        }

        if (options.UsesBlobs)
        {
            ValidateBlobs(check, options);
        }
        else if (options.Placement == ConsensusPlacement.Floating && !Path.IsPathRooted(options.DataDirectory))
        {
            throw check.Wrong(
                nameof(options.DataDirectory),
                $"is '{options.DataDirectory}'",
                "be an absolute path where replicas float, on a file system that all silos share and whose locks keep "
                + "other machines out");
        }
    }

    private static void ValidateBlobs(StoreChecks check, ConsensusStoreOptions options)
    {
        var names = options.Replicas.Count == 0 ? [ConsensusStoreOptions.DevelopmentReplica] : options.Replicas;
        var sources = new (string Option, IEnumerable<string> Replicas, bool ForAll)[]
        {
            (nameof(options.ConnectionStrings), options.ConnectionStrings.Keys, options.ConnectionString is not null),
            (nameof(options.ServiceKeys), options.ServiceKeys.Keys, options.ServiceKey is not null),
            (nameof(options.UseBlobs), options.Clients.Keys, options.Client is not null),
        };
        foreach (var (option, replicas, _) in sources)
        {
            if (replicas.FirstOrDefault(replica => !names.Contains(replica, StringComparer.Ordinal)) is { } unknown)
            {
                throw check.Wrong(option, $"names '{unknown}'", $"name replicas only ({string.Join(", ", names)})");
            }
        }

        RequireText(check, nameof(options.ConnectionStrings), options.ConnectionStrings.Values);
        RequireText(check, nameof(options.ServiceKeys), options.ServiceKeys.Values);
        RequireText(check, nameof(options.ConnectionString), [options.ConnectionString ?? "none"]);
        RequireText(check, nameof(options.ServiceKey), [options.ServiceKey ?? "none"]);
        if (sources.Count(source => source.ForAll) > 1)
        {
            throw check.Wrong(
                nameof(options.ConnectionString),
                "is not the only account for all replicas",
                $"be the only one of it, {nameof(options.ServiceKey)} and a client without replica");
        }

        foreach (var name in names)
        {
            var own = sources.Where(source => source.Replicas.Contains(name, StringComparer.Ordinal)).ToList();
            if (own.Count > 1 || (own.Count == 0 && !sources.Any(source => source.ForAll)))
            {
                throw check.Wrong(
                    own.FirstOrDefault().Option ?? nameof(options.ConnectionStrings),
                    $"gives replica '{name}' {own.Count} storage accounts",
                    "give each replica one, or all together");
            }
        }

        check.Range(
            nameof(options.BlobTryTimeout),
            options.BlobTryTimeout,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(1));
        if (!IsContainerName(options.ContainerName))
        {
            throw check.Wrong(
                nameof(options.ContainerName),
                $"is '{options.ContainerName}'",
                "have 3–63 lower case letters, digits and single dashes between them");
        }
    }

    private static void RequireText(StoreChecks check, string option, IEnumerable<string> texts)
    {
        if (texts.Any(string.IsNullOrWhiteSpace))
        {
            throw check.Wrong(option, "is empty", "name a storage account, or be left out");
        }
    }

    /// <summary>Whether it can be the path of a directory.</summary>
    public static bool IsPath(string? path) =>
        !string.IsNullOrWhiteSpace(path) && path.AsSpan().IndexOfAny(Path.GetInvalidPathChars()) < 0;

    /// <summary>Whether a container in blob storage may have that name.</summary>
    public static bool IsContainerName(string? name) => ContainerName().IsMatch(name ?? "");

    [GeneratedRegex("^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerName();

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

    /// <summary>A store of its own is what a misspelled name makes: with no options, on this silo alone.</summary>
    private void RequireNoStranger()
    {
        var known = stores.SetUp.ToList();
        if (known.Count > 0 && stores.Names.FirstOrDefault(name => !stores.IsSetUp(name)) is { } stranger)
        {
            var users = stores.Providers
                .Where(provider => stores.Provider(provider).StoreName == stranger)
                .Select(provider => $"grain storage provider '{provider}'")
                .DefaultIfEmpty("reminders");
            throw new OrleansConfigurationException(
                $"Consensus store '{stranger}', which {string.Join(" and ", users)} would use, is set up nowhere. "
                + $"Known stores: {string.Join(", ", known)}. If the name is wrong, correct "
                + $"{nameof(ConsensusGrainStorageOptions.StoreName)}; else set the store up, with UseConsensusStore or "
                + $"as Orleans:ConsensusStores:{stranger}. Without options it would keep the only copy of its states "
                + "on this silo.");
        }
    }

    private static void ValidateSecrets(StoreChecks check, ConsensusStoreOptions options)
    {
        const string alternate = nameof(ConsensusStoreOptions.AlternateClusterSecret);
        foreach (var (option, value) in new[]
            { (nameof(options.ClusterSecret), options.ClusterSecret), (alternate, options.AlternateClusterSecret) })
        {
            if (value is { Length: < 16 or > 1024 })
            {
                throw check.Wrong(option, $"has {value.Length} characters", "have 16 to 1024, or be null");
            }
        }

        if (options is { AlternateClusterSecret: not null, ClusterSecret: null })
        {
            throw check.Wrong(
                alternate, $"is set without {nameof(options.ClusterSecret)}", "be null, or be the second of two");
        }

        if (options.AlternateClusterSecret is { } same && same == options.ClusterSecret)
        {
            throw check.Wrong(
                alternate, $"is equal to {nameof(options.ClusterSecret)}", "be another secret, or be null");
        }
    }

    private void RequireOneSecret()
    {
        RequireOneSecret(nameof(ConsensusStoreOptions.ClusterSecret), options => options.ClusterSecret);
        RequireOneSecret(
            nameof(ConsensusStoreOptions.AlternateClusterSecret), options => options.AlternateClusterSecret);
    }

    private void RequireOneSecret(string option, Func<ConsensusStoreOptions, string?> secretOf)
    {
        var secrets = stores.Names
            .Where(name => secretOf(stores[name]) is not null)
            .DistinctBy(name => secretOf(stores[name]), StringComparer.Ordinal)
            .ToList();
        if (secrets.Count > 1)
        {
            throw new OrleansConfigurationException(
                $"Option {option} has different values in the consensus stores "
                + $"'{secrets[0]}' and '{secrets[1]}'; it must be the same in all stores of a silo that set it.");
        }
    }

    /// <summary>Names with a dot in front are this package's own, like that of the reminders in a store.</summary>
    private static void RequireOwnName(string provider)
    {
        if (provider.StartsWith('.'))
        {
            throw new OrleansConfigurationException(
                $"A grain storage provider is named '{provider}'. Names that begin with a dot are reserved: with "
                + $"'{ConsensusReminderExtensions.Provider}' its states would be mixed up with the reminders. Give the "
                + "provider another name.");
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
