using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.ClusterTests.Transport;

/// <summary>Batches to send.</summary>
internal static class Batches
{
    private static readonly Ballot First = new(1, new(1));

    /// <summary>One accept of <paramref name="payload"/>.</summary>
    public static RequestBatch Accept(byte[] payload, string store = EchoTarget.Store) => new(
        store,
        new("a"),
        new(7),
        1,
        [new(RegisterId.FromKey([1, 65]), new Accept(First, new(new(new(1), 1), new PayloadBytes(payload)), First))],
        new(1, 1));

    /// <summary>The payload that an <see cref="EchoTarget"/> sent back.</summary>
    public static byte[] PayloadOf(BatchReply reply) =>
        ((PayloadBytes)((Promise)reply.Replies.Single()).Value!.Payload!).Bytes.ToArray();
}
