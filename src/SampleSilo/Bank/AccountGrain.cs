using Orleans.Placement;
using Orleans.Providers;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>Puts an <see cref="Account"/> on plain Orleans persistent state, on any of the silos.</summary>
[RandomPlacement]
internal sealed partial class AccountGrain : Grain, IAccountGrain
{
    private readonly Account _account;
    private readonly ILogger<AccountGrain> _logger;

    public AccountGrain(
        [PersistentState("account")] IPersistentState<AccountState> state,
        IGrainContext context,
        ILocalSiloDetails silo,
        [FromKeyedServices(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME)] IGrainStorage storage,
        TimeProvider time,
        ILogger<AccountGrain> logger)
    {
        var id = context.GrainId.Key.ToString()!;
        _account = new(id, silo.Name, state, new StoredAccountPages(storage, id), time);
        _logger = logger;
    }

    public Task<AccountView> GetAsync(bool fresh) => _account.GetAsync(fresh);

    public Task<IReadOnlyList<AccountEntry>> GetHistoryAsync(int limit) => _account.GetHistoryAsync(limit);

    public Task<OperationResult> ApplyAsync(Operation operation) => _account.ApplyAsync(operation);

    public Task<AccountView> SettleAsync(RequestScope scope, string requestId) =>
        _account.SettleAsync(scope, requestId);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // Only when there is time: a silo that stops must not wait for writes that save a few bytes.
        if (reason.ReasonCode != DeactivationReasonCode.ActivationIdle)
        {
            return;
        }

        try
        {
            await _account.FlushAsync();
        }
        catch (OrleansException exception)
        {
            LogFlushFailed(exception, this.GetPrimaryKeyString());
        }
    }

    [LoggerMessage(4, LogLevel.Information,
        "Account {Account} keeps the entries of settled transfers a little longer.")]
    private partial void LogFlushFailed(Exception exception, string account);
}
