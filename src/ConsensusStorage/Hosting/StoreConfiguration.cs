using System.Collections;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Fills store options from configuration: from <c>Orleans:ConsensusStores:(store)</c> and from the sections of the
/// providers that use the store. Sections that set the same key to different values are an error.
/// </summary>
internal sealed class StoreConfiguration(ConsensusRegistrations registrations, IConfiguration? configuration)
    : IConfigureNamedOptions<ConsensusStoreOptions>
{
    public const string StoreNameKey = nameof(ConsensusGrainStorageOptions.StoreName);
    public const string SerializerKey = "SerializerKey";

    private const string StoresSection = "Orleans:ConsensusStores";

    private static readonly string[] ProviderKeys = [StoreNameKey, SerializerKey, "ProviderType"];

    private static readonly PropertyInfo[] Settings =
        [.. typeof(ConsensusStoreOptions).GetProperties().Where(property => property.CanWrite)];

    private static IEnumerable<string> StoreKeys => Settings.Select(setting => setting.Name);

    /// <summary>The store that the section of a provider or of reminders names.</summary>
    /// <exception cref="OrleansConfigurationException">The name is empty.</exception>
    public static string StoreNameIn(IConfigurationSection section)
    {
        var store = section[StoreNameKey] ?? ConsensusStoreOptions.DefaultStoreName;
        return string.IsNullOrWhiteSpace(store)
            ? throw new OrleansConfigurationException(
                $"The configuration key {section.Path}:{StoreNameKey} is empty. Name a consensus store, or leave the "
                + $"key out for the store '{ConsensusStoreOptions.DefaultStoreName}'.")
            : store;
    }

    /// <summary>The stores that the configuration has sections of.</summary>
    public static IEnumerable<string> SectionsIn(IConfiguration? configuration) =>
        configuration?.GetSection(StoresSection).GetChildren().Select(section => section.Key) ?? [];

    /// <summary>Whether each option is as it is when nothing sets it.</summary>
    public static bool IsUntouched(ConsensusStoreOptions options)
    {
        var fresh = new ConsensusStoreOptions();
        return !options.UsesBlobs && Settings.All(setting =>
            setting.GetValue(options) is var value
            && (Equals(value, setting.GetValue(fresh)) || value is IEnumerable<object> and ICollection { Count: 0 }
                || value is IDictionary { Count: 0 }));
    }

    public void Configure(ConsensusStoreOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, ConsensusStoreOptions options)
    {
        var sources = SourcesOf(name ?? Options.DefaultName);
        foreach (var setting in Settings)
        {
            var found = sources
                .Select(source => source.GetSection(setting.Name))
                .Where(section => section.Exists())
                .ToList();
            if (found.Count == 0)
            {
                continue;
            }

            RefuseDifferent(name, found);
            setting.SetValue(options, ValueOf(found[0], setting.PropertyType));
        }
    }

    private List<IConfigurationSection> SourcesOf(string store)
    {
        var sources = new List<IConfigurationSection>();
        if (configuration?.GetSection(StoresSection).GetSection(store) is { } section && section.Exists())
        {
            KnownKeys.Require(section, [.. StoreKeys]);
            sources.Add(section);
        }

        foreach (var provider in registrations.Sections.Where(provider => provider.Store == store))
        {
            KnownKeys.Require(provider.Section, [.. StoreKeys, .. ProviderKeys]);
            sources.Add(provider.Section);
        }

        return sources;
    }

    private static void RefuseDifferent(string? store, List<IConfigurationSection> found)
    {
        var first = found[0];
        var different = found.Find(section => TextOf(section) != TextOf(first));
        if (different is not null)
        {
            throw new OrleansConfigurationException(
                $"The configuration keys {first.Path} and {different.Path} set option {first.Key} of consensus store "
                + $"'{store}' to different values. Set it once, for example as {StoresSection}:{store}:{first.Key}, or "
                + $"give the providers different stores with {StoreNameKey}.");
        }
    }

    private static string TextOf(IConfigurationSection section) =>
        section.Value ?? string.Join(',', section.GetChildren().Select(ItemOf));

    /// <summary>Items of lists count without their numbers, those of dictionaries with their names.</summary>
    private static string? ItemOf(IConfigurationSection child) =>
        int.TryParse(child.Key, CultureInfo.InvariantCulture, out _) ? child.Value : $"{child.Key}={child.Value}";

    private static object? ValueOf(IConfigurationSection section, Type type)
    {
        if (type == typeof(IList<string>))
        {
            const StringSplitOptions split = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
            return TextOf(section).Split(',', split).ToList();
        }

        if (type == typeof(IDictionary<string, string>) && section.Value is not null)
        {
            throw new OrleansConfigurationException(
                $"The configuration key {section.Path} has one value; it takes one for each replica, by its name.");
        }

        try
        {
            return section.Get(type);
        }
        catch (InvalidOperationException exception)
        {
            var isSecret = section.Key.EndsWith(
                nameof(ConsensusStoreOptions.ClusterSecret), StringComparison.Ordinal);
            var value = isSecret ? "" : $" '{section.Value}'";
            throw new OrleansConfigurationException(
                $"The configuration key {section.Path} has a value{value} that is not a {type.Name}.", exception);
        }
    }
}
