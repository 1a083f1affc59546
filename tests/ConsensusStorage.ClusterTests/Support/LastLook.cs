using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// Looks at the replicas when a silo that stops has let go of them, or has given that up, before anything else of the
/// store stops.
/// </summary>
internal sealed class LastLook(IServiceProvider services) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Null before.</summary>
    public Task<IReadOnlyList<ConsensusReplicaStatus>>? Status { get; private set; }

    public static void AddTo(IServiceCollection services) => services.AddSingleton<LastLook>()
        .AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<LastLook>());

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(LastLook),
        ServiceLifecycleStage.AfterRuntimeGrainServices + 1,
        _ => Task.CompletedTask,
        cancellationToken => Status = services
            .GetRequiredKeyedService<IConsensusStore>(ConsensusStoreOptions.DefaultStoreName)
            .GetStatusAsync(cancellationToken));
}
