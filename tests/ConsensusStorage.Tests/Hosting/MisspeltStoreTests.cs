using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>
/// A misspelt name of a store would be a store of its own, which nobody asked for: on this silo alone, and with the
/// only copy of its states.
/// </summary>
public sealed class MisspeltStoreTests
{
    private static readonly (string, string?)[] Main =
    [
        ("Orleans:ConsensusStores:main:Replicas", "a,b,c"), ("Orleans:ConsensusStores:main:ReplicaId", "a"),
    ];

    [Fact]
    public void A_provider_that_misspells_its_store_is_refused() => AssertRefused(
        "grain storage provider 'bank'",
        silo => silo.UseConsensusStore("main", Three)
            .AddConsensusGrainStorage("bank", options => options.StoreName = "mian"));

    [Fact]
    public void A_provider_that_forgets_to_name_the_store_is_refused() => AssertRefused(
        "grain storage provider 'Default'",
        silo => silo.UseConsensusStore("main", Three).AddConsensusGrainStorageAsDefault(),
        stranger: "Default");

    [Fact]
    public void Reminders_that_misspell_their_store_are_refused() => AssertRefused(
        "reminders", silo => silo.UseConsensusStore("main", Three).UseConsensusReminders("mian"));

    [Theory]
    [InlineData("Orleans:GrainStorage:bank")]
    [InlineData("Orleans:Reminders")]
    public void A_section_that_misspells_its_store_is_refused(string section) => AssertRefused(
        "mian",
        _ => { },
        settings: [.. Main, ($"{section}:ProviderType", "Consensus"), ($"{section}:StoreName", "mian")]);

    [Fact]
    public void A_store_that_is_misspelt_where_its_options_stand_is_refused() => AssertRefused(
        "grain storage provider 'Default'",
        silo => silo.AddConsensusGrainStorageAsDefault(),
        stranger: "Default",
        settings: Main);

    [Fact]
    public void Stores_that_are_set_up_or_alone_are_taken()
    {
        Validate(silo => silo.AddConsensusGrainStorage("bank", options => options.StoreName = "vault"));
        Validate(silo => silo.UseConsensusReminders("vault"));
        Validate(silo => silo.UseConsensusStore("main", Three).UseConsensusStore("vault"));
        Validate(silo => silo.UseConsensusStore("main", Three).UseConsensusStore("vault", vault => vault.Groups = 4)
            .AddConsensusGrainStorage("bank", options => options.StoreName = "vault"));
        Validate(
            silo => silo.AddConsensusGrainStorage("bank", options => options.StoreName = "vault"),
            [.. Main, ("Orleans:ConsensusStores:vault:DataDirectory", "/vault")]);
    }

    [Fact]
    public void Health_checks_that_misspell_their_store_are_refused_at_the_start()
    {
        using var host = SiloUnderTest.Build(silo =>
        {
            silo.UseConsensusStore("main", Three);
            silo.Services.AddHealthChecks().AddConsensusStorage("mian");
        });

        var refused = Assert.Throws<OrleansConfigurationException>(
            () => new HealthCheckValidator(host.Services, "mian").ValidateConfiguration());

        Assert.Contains("'mian'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Known stores: main", refused.Message, StringComparison.Ordinal);
        Assert.Contains(
            host.Services.GetServices<IConfigurationValidator>(), validator => validator is HealthCheckValidator);
    }

    private static void Three(Configuration.ConsensusStoreOptions options) =>
        (options.Replicas, options.ReplicaId) = (["a", "b", "c"], "a");

    private static void AssertRefused(
        string user,
        Action<ISiloBuilder> configure,
        string stranger = "mian",
        params (string, string?)[] settings)
    {
        var refused = Assert.Throws<OrleansConfigurationException>(() => Validate(configure, settings));

        Assert.StartsWith($"Consensus store '{stranger}', which", refused.Message, StringComparison.Ordinal);
        Assert.Contains(user, refused.Message, StringComparison.Ordinal);
        Assert.Contains("Known stores: main.", refused.Message, StringComparison.Ordinal);
    }

    private static void Validate(Action<ISiloBuilder> configure, params (string Key, string? Value)[] settings)
    {
        using var host = SiloUnderTest.Build(configure, settings.ToDictionary(pair => pair.Key, pair => pair.Value));
        host.Validate();
    }
}
