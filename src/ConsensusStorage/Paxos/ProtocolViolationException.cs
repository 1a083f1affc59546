using System.Diagnostics.CodeAnalysis;

namespace Orleans.Consensus.Paxos;

/// <summary>
/// Something happened that the protocol rules out: a bug, a damaged log, or a replica that forgot. Whoever sees it
/// stops rather than goes on with a state that can't be right.
/// </summary>
internal sealed class ProtocolViolationException(string message) : Exception(message)
{
    public static void ThrowIf([DoesNotReturnIf(true)] bool violated, string message)
    {
        if (violated)
        {
            throw new ProtocolViolationException(message);
        }
    }
}
