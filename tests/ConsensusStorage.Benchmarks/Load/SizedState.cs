using Orleans.Storage;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>A state that is stored as the bytes it is.</summary>
[GenerateSerializer, Alias("benchmark.sized")]
internal sealed class SizedState
{
    [Id(0)]
    public ReadOnlyMemory<byte> Bytes { get; set; }
}

/// <summary>Stores a <see cref="SizedState"/> as it is, so that a state can be of any size, also 0.</summary>
internal sealed class SizedStateSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) => new(((SizedState)(object)input!).Bytes);

    public T Deserialize<T>(BinaryData input) => (T)(object)new SizedState { Bytes = input.ToMemory() };
}
