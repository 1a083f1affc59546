using System.Runtime.CompilerServices;
using System.Text.Json;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;
using Orleans.Serialization.Activators;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Consensus.Simulation.Reminders;

/// <summary>Buckets as bytes; Orleans' serializer needs a host around it.</summary>
internal sealed class ReminderStates : IGrainStorageSerializer, IActivatorProvider
{
    public BinaryData Serialize<T>(T? input) => new(JsonSerializer.SerializeToUtf8Bytes(
        ((ReminderBucket)(object)input!).Reminders.ConvertAll(
            row => new Row(row.Grain.ToString(), row.Name, row.StartAt, row.Period, row.ETag))));

    public T Deserialize<T>(BinaryData input) => (T)(object)new ReminderBucket(
        JsonSerializer.Deserialize<List<Row>>(input)!.ConvertAll(
            row => new ReminderRow(GrainId.Parse(row.Grain), row.Name, row.StartAt, row.Period, row.ETag)));

    public IActivator<T> GetActivator<T>() => new Activator<T>();

    private sealed record Row(string Grain, string Name, DateTime StartAt, TimeSpan Period, string ETag);

    private sealed class Activator<T> : IActivator<T>
    {
        public T Create() => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
    }
}
