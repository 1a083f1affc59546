using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>
/// Stops transfers halfway, between debit and credit, for as long as it is told so, and knows where they are.
/// </summary>
internal sealed class HeldCredits : IIncomingGrainCallFilter
{
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile SiloAddress? _silo;

    /// <summary>A credit is held, so the debit has been made.</summary>
    public Task Held => _held.Task;

    /// <summary>The silo of the transfer's first activation.</summary>
    public SiloAddress Silo => _silo ?? throw new InvalidOperationException("No transfer has begun.");

    /// <summary>From now on no credit is held; those that are fail.</summary>
    public void Release() => _released.TrySetResult();

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.Grain is TransferGrain)
        {
            _silo ??= context.TargetContext.Address.SiloAddress;
        }

        if (!_released.Task.IsCompleted && IsCredit(context))
        {
            _held.TrySetResult();
            await _released.Task;
            throw new TimeoutException("The credit was held for too long.");
        }

        await context.Invoke();
    }

    private static bool IsCredit(IIncomingGrainCallContext context) =>
        context is { Grain: AccountGrain, MethodName: nameof(IAccountGrain.ApplyAsync) }
        && context.Request.GetArgument(0) is Operation { Kind: OperationKind.TransferIn };
}
