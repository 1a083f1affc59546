using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Where other silos' calls arrive. It is a trust boundary: Orleans lets every client call a grain service whose
/// address it can make up, so each call is admitted by <see cref="CallerCheck"/> before anything of it is read.
/// Runs on a scheduler of its own, one thread at a time.
/// </summary>
internal sealed class ConsensusGrainService : GrainService, IConsensusGrainService, IIncomingGrainCallFilter
{
    private readonly CallerCheck _callers;
    private readonly TransportReceiver _receiver;
    private readonly AsyncLocal<bool> _admitted = new();

    public ConsensusGrainService(
        GrainId id,
        Silo silo,
        ILoggerFactory loggers,
        IClusterMembershipService membership,
        TransportTargets targets,
        TransportOptions options,
        [FromKeyedServices(ConsensusTimeProviderNames.Consensus)] TimeProvider time)
        : base(id, silo, loggers)
    {
        var logger = loggers.CreateLogger<ConsensusGrainService>();
        _callers = new(membership, time, logger);
        _receiver = new(targets, ClusterSecret.From(options.ClusterSecret), time, logger);
    }

    /// <summary>Lets calls of live silos through and answers all others itself.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        _admitted.Value = await _callers.IsLiveSiloAsync(context.SourceId);
        if (_admitted.Value)
        {
            await context.Invoke();
            return;
        }

        var refusal = NotAdmitted(context.SourceId?.ToString());
        context.Response = context.InterfaceMethod.DeclaringType == typeof(IConsensusGrainService)
            ? Response.FromResult(refusal)
            : Response.FromException(new UnauthorizedAccessException("Only silos of this cluster may call this."));
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> ExchangeAsync(
        ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        _admitted.Value
            ? _receiver.ExchangeAsync(request, cancellationToken)
            : Task.FromResult(NotAdmitted("not checked"));

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> DescribeAsync(
        ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        Task.FromResult(_admitted.Value ? _receiver.Describe(request) : NotAdmitted("not checked"));

    private ReadOnlyMemory<byte> NotAdmitted(string? caller) =>
        _receiver.Refuse($"Only silos of this cluster may call this; the caller is '{caller ?? "unknown"}'.");
}
