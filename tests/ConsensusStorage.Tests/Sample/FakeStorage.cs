using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

/// <summary>A write that was told to fail.</summary>
public sealed class StorageDownException() : OrleansException("The storage is down.");

/// <summary>Whether a failing write happens all the same.</summary>
internal enum Fault
{
    Lost,
    AppliedUnheard,
}

/// <summary>Counts the writes of a whole bank, and fails one of them.</summary>
internal sealed class FaultPlan
{
    public int Writes { get; private set; }

    public int? FailAt { get; set; }

    public Fault Fault { get; set; }

    public bool ReadsFail { get; set; }

    public bool NextFails() => ++Writes == FailAt;
}

/// <summary>What is stored of one state.</summary>
internal sealed class FakeRegister<T>
{
    public T? Value { get; set; }

    public int Version { get; set; }
}

/// <summary>An activation's persistent state over a register that other activations may share.</summary>
internal sealed class FakeState<T>(FakeRegister<T> register, FaultPlan plan) : IPersistentState<T>
    where T : class, new()
{
    private int _version = register.Version;

    public T State { get; set; } = register.Value ?? new();

    public string? Etag => _version == 0 ? null : $"{_version}";

    public bool RecordExists => _version > 0;

    public Task ReadStateAsync()
    {
        if (plan.ReadsFail)
        {
            throw new StorageDownException();
        }

        State = register.Value ?? new();
        _version = register.Version;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync()
    {
        if (_version != register.Version)
        {
            throw new InconsistentStateException("stale");
        }

        var fails = plan.NextFails();
        if (!fails || plan.Fault == Fault.AppliedUnheard)
        {
            register.Value = State;
            register.Version++;
        }

        if (fails)
        {
            throw new StorageDownException();
        }

        _version = register.Version;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync() => throw new NotSupportedException();
}

/// <summary>A bank without Orleans: registers that survive, and activations that do not.</summary>
internal sealed class FakeBank
{
    private readonly Dictionary<string, FakeRegister<AccountState>> _accounts = [];
    private readonly Dictionary<string, FakeRegister<TransferState>> _transfers = [];
    private readonly Dictionary<string, FakeAccount> _active = [];

    public FaultPlan Plan { get; } = new();

    /// <summary>The account's one activation.</summary>
    public IAccountGrain Account(string id) =>
        _active.TryGetValue(id, out var active) ? active : _active[id] = Activate(id);

    /// <summary>One more activation of the account, as on a silo that was cut off.</summary>
    public FakeAccount Activate(string id) => new(new(id, "a", new FakeState<AccountState>(Stored(id), Plan)));

    /// <summary>A new activation of the transfer.</summary>
    public Transfer Transfer(string id)
    {
        _transfers.TryAdd(id, new());
        return new(id, new FakeState<TransferState>(_transfers[id], Plan), Account);
    }

    /// <summary>All activations are lost.</summary>
    public void Crash() => _active.Clear();

    public AccountState Balance(string id) => Stored(id).Value ?? new();

    public TransferStage Stage(string id) => _transfers[id].Value?.Stage ?? TransferStage.None;

    private FakeRegister<AccountState> Stored(string id)
    {
        _accounts.TryAdd(id, new());
        return _accounts[id];
    }
}

/// <summary>Calls an account without a silo between.</summary>
internal sealed class FakeAccount(Account account) : IAccountGrain
{
    public Task<AccountView> GetAsync(bool fresh) => account.GetAsync(fresh);

    public Task<IReadOnlyList<AccountEntry>> GetHistoryAsync(int limit) => account.GetHistoryAsync(limit);

    public Task<OperationResult> ApplyAsync(Operation operation) => account.ApplyAsync(operation);

    public Task<AccountView> SettleAsync(RequestScope scope, string requestId) =>
        account.SettleAsync(scope, requestId);
}
