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
    public BinaryData Serialize<T>(T? input)
    {
        var bucket = (ReminderBucket)(object)input!;
        return new(JsonSerializer.SerializeToUtf8Bytes(new Bucket(
            bucket.Reminders.ConvertAll(
                row => new Row(row.Grain.ToString(), row.Name, row.StartAt, row.Period, row.ETag)),
            bucket.Last)));
    }

    public T Deserialize<T>(BinaryData input)
    {
        var bucket = JsonSerializer.Deserialize<Bucket>(input)!;
        return (T)(object)new ReminderBucket(
            bucket.Rows.ConvertAll(
                row => new ReminderRow(GrainId.Parse(row.Grain), row.Name, row.StartAt, row.Period, row.ETag)),
            bucket.Last);
    }

    public IActivator<T> GetActivator<T>() => new Activator<T>();

    private sealed record Bucket(List<Row> Rows, List<string>? Last);

    private sealed record Row(string Grain, string Name, DateTime StartAt, TimeSpan Period, string ETag);

    private sealed class Activator<T> : IActivator<T>
    {
        public T Create() => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
    }
}
