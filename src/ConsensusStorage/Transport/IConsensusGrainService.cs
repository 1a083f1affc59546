using System.Collections.Concurrent;
using Orleans.Concurrency;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace Orleans.Consensus.Transport;

/// <summary>
/// The remote side of a silo's transport; all messages are frames. Silos of different releases call one another: the
/// full name of this type, which Orleans makes the address from, and the aliases must stay as they are.
/// </summary>
[Alias("Orleans.Consensus.Transport.IConsensusGrainService")]
internal interface IConsensusGrainService : IGrainService
{
    /// <summary>Version 1 called this; it is refused.</summary>
    [Alias("Exchange")]
    Task<ReadOnlyMemory<byte>> ExchangeOfFirstVersionAsync(
        [Immutable] ReadOnlyMemory<byte> request, CancellationToken cancellationToken);

    /// <summary>Version 1 called this; it is refused.</summary>
    [Alias("Describe")]
    Task<ReadOnlyMemory<byte>> DescribeOfFirstVersionAsync(
        [Immutable] ReadOnlyMemory<byte> request, CancellationToken cancellationToken);

    /// <summary>Takes a request; answers with a reply or a refusal.</summary>
    [Alias("Exchange2")]
    Task<FrameBytes> ExchangeAsync(FrameBytes request, CancellationToken cancellationToken);

    /// <summary>Takes the name of a store; answers with its description or a refusal.</summary>
    [Alias("Describe2")]
    Task<FrameBytes> DescribeAsync(FrameBytes request, CancellationToken cancellationToken);
}

/// <summary>
/// Keeps references to the grain services of other silos: making one takes a lock of Orleans. Thread-safe.
/// </summary>
internal sealed class ConsensusGrainServiceClient(IServiceProvider services, OrleansMembershipView membership)
    : GrainServiceClient<IConsensusGrainService>(services)
{
    /// <summary>References to silos that left, kept until there are more.</summary>
    private const int MaxLeftovers = 16;

    private readonly ConcurrentDictionary<SiloAddress, IConsensusGrainService> _references = new();

    /// <summary>The grain service of <paramref name="silo"/>.</summary>
    public IConsensusGrainService Of(SiloAddress silo) =>
        _references.TryGetValue(silo, out var reference) ? reference : Add(silo);

    private IConsensusGrainService Add(SiloAddress silo)
    {
        var live = membership.Silos;
        if (_references.Count >= live.Length + MaxLeftovers)
        {
            foreach (var known in _references.Keys.Where(known => !live.Contains(known)))
            {
                _references.TryRemove(known, out _);
            }
        }

        return _references.GetOrAdd(silo, GetGrainService(silo));
    }
}
