using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// How long the states are that replicas answer with: a message asks for no more of them than a message is meant to
/// carry. Without it a few hundred reads of large states make one answer that all of them, and discovery, wait for.
/// Shared by the links to all replicas. Thread-safe.
/// </summary>
internal sealed class StateSizes
{
    private volatile int _expected;

    /// <summary>Bytes of a state, on average, in the last answer that brought some.</summary>
    public int Expected => _expected;

    /// <summary>Takes note of what an answer brought.</summary>
    public void Learn(ImmutableArray<Reply> replies)
    {
        var (states, bytes) = (0, 0L);
        foreach (var reply in replies)
        {
            if (reply is Promise { Value.Payload: PayloadBytes state })
            {
                states++;
                bytes += state.Bytes.Length;
            }
        }

        if (states > 0)
        {
            _expected = (int)(bytes / states);
        }
    }
}
