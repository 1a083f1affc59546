using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Where other silos' calls arrive. It is a trust boundary: Orleans lets every client call a grain service whose
/// address it can make up, so each call is admitted by <see cref="CallerCheck"/> before anything of it is read.
/// Runs on a scheduler of its own, one thread at a time, and hands batches over to the thread pool.
/// </summary>
internal sealed class ConsensusGrainService : GrainService, IConsensusGrainService, IIncomingGrainCallFilter
{
    private readonly SiloAddress _local;
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
        _local = silo.SiloAddress;
        _callers = new(membership, time, logger);
        _receiver = new(targets, ClusterSecret.From(options), time, logger);
    }

    /// <summary>Lets calls of live silos through and answers all others itself.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod.ReturnType == typeof(Task<ReadOnlyMemory<byte>>))
        {
            _receiver.Refuse(FirstVersion.Called(context.SourceId?.ToString()));
            context.Response = Response.FromResult(FirstVersion.Refusal(_local));
            return;
        }

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
    public Task<FrameBytes> ExchangeAsync(FrameBytes request, CancellationToken cancellationToken) =>
        _admitted.Value
            ? OffThisThread(() => _receiver.ExchangeAsync(request.Whole, cancellationToken))
            : Task.FromResult(NotAdmitted("not checked"));

    /// <inheritdoc/>
    public Task<FrameBytes> DescribeAsync(FrameBytes request, CancellationToken cancellationToken) =>
        Task.FromResult(_admitted.Value ? _receiver.Describe(request.Whole) : NotAdmitted("not checked"));

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> ExchangeOfFirstVersionAsync(
        ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        Task.FromResult(FirstVersion.Refusal(_local));

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> DescribeOfFirstVersionAsync(
        ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        Task.FromResult(FirstVersion.Refusal(_local));

    /// <summary>Megabytes take milliseconds to check and seal: questions of other silos must not wait for it.</summary>
    private static Task<FrameBytes> OffThisThread(Func<Task<FrameBytes>> work) => Task.Factory
        .StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default)
        .Unwrap();

    private FrameBytes NotAdmitted(string? caller) =>
        _receiver.Refuse($"Only silos of this cluster may call this; the caller is '{caller ?? "unknown"}'.");
}
