using Orleans.Storage;

namespace Orleans.Configuration;

/// <summary>Options of one grain storage provider, by its name. Read once, when the silo starts.</summary>
public sealed class ConsensusGrainStorageOptions : IStorageProviderSerializerOptions
{
    /// <summary>
    /// Turns states into bytes and back. Default: the <see cref="IGrainStorageSerializer"/> registered under the
    /// provider's name, else the silo's, which is JSON unless configured otherwise.
    /// </summary>
    public IGrainStorageSerializer GrainStorageSerializer { get; set; } = default!;

    /// <summary>
    /// The store that keeps the states, 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot.
    /// Providers may share a store: they don't see one another's states. Default <c>Default</c>.
    /// </summary>
    public string StoreName { get; set; } = ConsensusStoreOptions.DefaultStoreName;
}
