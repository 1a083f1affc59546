using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Orleans.Hosting;

/// <summary>
/// Adds consensus stores and grain storage on them to a silo. Repeating a verb adds nothing twice; its options
/// delegates run one after the other. For use while the silo is configured, on one thread.
/// </summary>
public static class ConsensusSiloBuilderExtensions
{
    /// <summary>Adds the store <c>Default</c>, or configures it further.</summary>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ISiloBuilder UseConsensusStore(
        this ISiloBuilder builder, Action<ConsensusStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.UseConsensusStore(configure);
        return builder;
    }

    /// <summary>Adds the store <c>Default</c>, or configures it further.</summary>
    /// <param name="configure">Sets the store's options, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ISiloBuilder UseConsensusStore(
        this ISiloBuilder builder, Action<OptionsBuilder<ConsensusStoreOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.UseConsensusStore(configure);
        return builder;
    }

    /// <summary>Adds a store, or configures it further.</summary>
    /// <param name="name">
    /// The store's name, equal on all silos: 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot.
    /// </param>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ISiloBuilder UseConsensusStore(
        this ISiloBuilder builder, string name, Action<ConsensusStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.UseConsensusStore(name, configure);
        return builder;
    }

    /// <summary>Adds a store, or configures it further.</summary>
    /// <param name="name">
    /// The store's name, equal on all silos: 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot.
    /// </param>
    /// <param name="configure">Sets the store's options, or null.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ISiloBuilder UseConsensusStore(
        this ISiloBuilder builder, string name, Action<OptionsBuilder<ConsensusStoreOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.UseConsensusStore(name, configure);
        return builder;
    }

    /// <summary>Adds a consensus store as the default grain storage.</summary>
    /// <param name="configure">Sets the provider's options.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ISiloBuilder AddConsensusGrainStorageAsDefault(
        this ISiloBuilder builder, Action<ConsensusGrainStorageOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddConsensusGrainStorageAsDefault(configure);
        return builder;
    }

    /// <summary>Adds a consensus store as the default grain storage.</summary>
    /// <param name="configure">Sets the provider's options, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ISiloBuilder AddConsensusGrainStorageAsDefault(
        this ISiloBuilder builder, Action<OptionsBuilder<ConsensusGrainStorageOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddConsensusGrainStorageAsDefault(configure);
        return builder;
    }

    /// <summary>Adds a consensus store as a named grain storage.</summary>
    /// <param name="name">
    /// The provider's name, not beginning with a dot. It is part of the key of each state: renaming it loses them.
    /// </param>
    /// <param name="configure">Sets the provider's options.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ISiloBuilder AddConsensusGrainStorage(
        this ISiloBuilder builder, string name, Action<ConsensusGrainStorageOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddConsensusGrainStorage(name, configure);
        return builder;
    }

    /// <summary>Adds a consensus store as a named grain storage.</summary>
    /// <param name="name">
    /// The provider's name, not beginning with a dot. It is part of the key of each state: renaming it loses them.
    /// </param>
    /// <param name="configure">Sets the provider's options, or null.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ISiloBuilder AddConsensusGrainStorage(
        this ISiloBuilder builder, string name, Action<OptionsBuilder<ConsensusGrainStorageOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddConsensusGrainStorage(name, configure);
        return builder;
    }
}
