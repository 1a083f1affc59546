using CsCheck;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Tests.Transport;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Records as an acceptor writes them, one after the other with ballots that rise.</summary>
internal static class RecordGen
{
    public const int Groups = 16;

    private static readonly Gen<(byte Kind, byte[] Bytes)> Peers = MessageGen.Wide.Array[1, ReplicaSet.MaxReplicas]
        .Select(logs => Written(AcceptorRecords.PeersKind, writer =>
            AcceptorRecords.WritePeers(writer, [.. logs.Select(log => new LogId(log))])));

    /// <summary>What a new log begins with, then up to eight steps of four registers.</summary>
    public static readonly Gen<(byte Kind, byte[] Bytes)[]> Row = Gen.Select(
        Peers,
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], MessageGen.Wide, Gen.Byte.Array[0, 40].Null()).Array[0, 8],
        (peers, steps) => ((byte, byte[])[])
        [
            peers,
            (AcceptorRecords.FormedKind, []),
            .. steps.SelectMany((step, index) => Records(index + 1, step.Item1, step.Item2, step.Item3, step.Item4)),
        ]);

    /// <summary>One of them.</summary>
    public static Gen<byte[]> Of(byte kind) =>
        Row.Where(row => row.Any(one => one.Kind == kind)).Select(row => row.First(one => one.Kind == kind).Bytes);

    /// <summary>One record, or a floor and what is dropped at it (S12).</summary>
    private static (byte Kind, byte[] Bytes)[] Records(
        int round, int kind, int name, UInt128 other, byte[]? payload)
    {
        var register = RegisterId.Create("s", "p", "n", "t"u8, [(byte)name]);
        var group = register.GroupOf(Groups);
        var ballot = new Ballot(round, new(other));
        var value = new RegisterValue(
            new(new(other), (ulong)round), payload is null ? null : StoredPayload.Pending(new(payload)));
        void WritePromise(ByteWriter writer) => AcceptorRecords.WritePromise(writer, group, register, ballot);
        void WriteFloor(ByteWriter writer) => AcceptorRecords.WriteFloor(writer, group, new(ballot, ballot));
        return kind switch
        {
            0 => [Written(AcceptorRecords.PromiseKind, WritePromise)],
            1 => [Written(AcceptorRecords.FloorKind, WriteFloor)],
            2 => [Written(AcceptorRecords.FloorKind, WriteFloor), Written(AcceptorRecords.DropKind, WritePromise)],
            _ => [Written(AcceptorRecords.AcceptKind, writer =>
                AcceptorRecords.WriteAccept(writer, group, register, new(ballot, ballot, value)))],
        };
    }

    private static (byte Kind, byte[] Bytes) Written(byte kind, Action<ByteWriter> write)
    {
        var writer = new ByteWriter(64);
        write(writer);
        return (kind, writer.WrittenSpan.ToArray());
    }
}
