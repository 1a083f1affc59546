using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>A state that is its bytes.</summary>
[GenerateSerializer]
public sealed class Blob
{
    [Id(0)]
    public byte[]? Bytes { get; set; }
}

/// <summary>Stores a <see cref="Blob"/> as it is, so that a state can be of any size, also 0.</summary>
internal sealed class RawSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) => new(((Blob)(object)input!).Bytes!);

    public T Deserialize<T>(BinaryData input) => (T)(object)new Blob { Bytes = input.ToArray() };
}
