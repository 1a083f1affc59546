using System.Runtime.CompilerServices;
using System.Text.Json;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;
using Orleans.Serialization.Activators;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Consensus.Simulation.Reminders;

/// <summary>Nodes as bytes; Orleans' serializer needs a host around it.</summary>
internal sealed class ReminderStates : IGrainStorageSerializer, IActivatorProvider
{
    public BinaryData Serialize<T>(T? input)
    {
        var node = (ReminderNode)(object)input!;
        return new(JsonSerializer.SerializeToUtf8Bytes(new Node(
            node.Format,
            node.Rows.ConvertAll(row => new Row(row.Grain.ToString(), row.Name, row.StartAt, row.Period, row.ETag)),
            node.Last,
            node.IsSplit)));
    }

    public T Deserialize<T>(BinaryData input)
    {
        var node = JsonSerializer.Deserialize<Node>(input)!;
        return (T)(object)new ReminderNode(
            node.Format,
            node.Rows.ConvertAll(
                row => new ReminderRow(GrainId.Parse(row.Grain), row.Name, row.StartAt, row.Period, row.ETag)),
            node.Last,
            node.IsSplit);
    }

    public IActivator<T> GetActivator<T>() => new Activator<T>();

    private sealed record Node(int Format, List<Row> Rows, List<string> Last, bool IsSplit);

    private sealed record Row(string Grain, string Name, DateTime StartAt, TimeSpan Period, string ETag);

    private sealed class Activator<T> : IActivator<T>
    {
        public T Create() => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
    }
}
