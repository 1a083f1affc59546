using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
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

    /// <summary>Pages of accounts that were read.</summary>
    public int PageReads { get; set; }

    public int? FailAt { get; set; }

    public Fault Fault { get; set; }

    public bool ReadsFail { get; set; }

    public bool StopsFail { get; set; }

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

/// <summary>An account's pages over those that are stored of all of them.</summary>
internal sealed class FakePages(
    Dictionary<(string Account, int Number), ImmutableArray<AccountEntry>> stored, string account, FaultPlan plan)
    : IAccountPages
{
    public IEnumerable<(int Number, ImmutableArray<AccountEntry> Entries)> All =>
        stored.Where(page => page.Key.Account == account).Select(page => (page.Key.Number, page.Value));

    public Task<ImmutableArray<AccountEntry>?> ReadAsync(int number)
    {
        plan.PageReads++;
        return plan.ReadsFail
            ? throw new StorageDownException()
            : Task.FromResult<ImmutableArray<AccountEntry>?>(
                stored.TryGetValue((account, number), out var page) ? page : null);
    }

    public Task<ImmutableArray<AccountEntry>> PutAsync(int number, ImmutableArray<AccountEntry> entries)
    {
        Change(() => stored.TryAdd((account, number), entries));
        return Task.FromResult(stored[(account, number)]);
    }

    public Task RemoveAsync(int number)
    {
        Change(() => stored.Remove((account, number)));
        return Task.CompletedTask;
    }

    private void Change(Func<bool> change)
    {
        var fails = plan.NextFails();
        if (!fails || plan.Fault == Fault.AppliedUnheard)
        {
            change();
        }

        if (fails)
        {
            throw new StorageDownException();
        }
    }
}

/// <summary>What is stored of one alarm.</summary>
internal sealed class FakeReminder
{
    /// <summary>Of the last setting; 0 if it is not set.</summary>
    public int Setting { get; set; }

    public int Settings { get; set; }

    public TimeSpan Due { get; set; }

    public bool IsSet => Setting != 0;
}

/// <summary>An activation's alarm. Setting it is a write like others; stopping it fails if told so.</summary>
internal sealed class FakeAlarm(FakeReminder reminder, FaultPlan plan) : IAlarm
{
    private int _setting;

    /// <summary>What happens after it was set, and before whoever set it goes on.</summary>
    public Func<Task> AfterSet { get; set; } = () => Task.CompletedTask;

    /// <summary>What happens after it was looked at.</summary>
    public Func<Task> AfterLook { get; set; } = () => Task.CompletedTask;

    public async Task SetAsync(TimeSpan due)
    {
        var fails = plan.NextFails();
        if (!fails || plan.Fault == Fault.AppliedUnheard)
        {
            reminder.Due = due;
            _setting = reminder.Setting = ++reminder.Settings;
        }

        if (fails)
        {
            throw new StorageDownException();
        }

        await AfterSet();
    }

    public Task LookAsync()
    {
        _setting = reminder.Setting;
        return AfterLook();
    }

    public void Stop()
    {
        if (_setting == reminder.Setting && !plan.StopsFail)
        {
            reminder.Setting = 0;
        }
    }
}

/// <summary>A bank without Orleans: registers that survive, and activations that do not.</summary>
internal sealed class FakeBank
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, FakeRegister<AccountState>> _accounts = [];
    private readonly Dictionary<string, FakeRegister<TransferState>> _transfers = [];
    private readonly Dictionary<string, FakeRegister<StandingOrderState>> _orders = [];
    private readonly Dictionary<string, FakeReminder> _reminders = [];
    private readonly Dictionary<(string Account, int Number), ImmutableArray<AccountEntry>> _pages = [];
    private readonly Dictionary<string, FakeAccount> _active = [];

    public FaultPlan Plan { get; } = new();

    public FakeTimeProvider Time { get; } = new(new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));

    /// <summary>The account's one activation.</summary>
    public IAccountGrain Account(string id) =>
        _active.TryGetValue(id, out var active) ? active : _active[id] = Activate(id);

    /// <summary>One more activation of the account, as on a silo that was cut off.</summary>
    public FakeAccount Activate(string id) =>
        new(new(id, "a", new FakeState<AccountState>(Stored(id), Plan), Pages(id), Time));

    public FakePages Pages(string id) => new(_pages, id, Plan);

    /// <summary>A new activation of the transfer.</summary>
    public Transfer Transfer(string id) => Transfer(id, Alarm(id));

    public Transfer Transfer(string id, FakeAlarm alarm)
    {
        _transfers.TryAdd(id, new());
        return new(id, new FakeState<TransferState>(_transfers[id], Plan), Account, alarm, Patience);
    }

    /// <summary>A new activation of the standing order.</summary>
    public StandingOrder Order(string id) => Order(id, Alarm(id));

    public StandingOrder Order(string id, FakeAlarm alarm)
    {
        _orders.TryAdd(id, new());
        return new(
            id,
            new FakeState<StandingOrderState>(_orders[id], Plan),
            transfer => new FakeTransfer(Transfer(transfer)),
            alarm,
            Time);
    }

    public FakeAlarm Alarm(string id) => new(Reminder(id), Plan);

    /// <summary>The alarm of a transfer or standing order.</summary>
    public FakeReminder Reminder(string id)
    {
        _reminders.TryAdd(id, new());
        return _reminders[id];
    }

    /// <summary>All activations are lost.</summary>
    public void Crash() => _active.Clear();

    public AccountState Balance(string id) => Stored(id).Value ?? new();

    public StandingOrderState Standing(string id) => _orders[id].Value ?? new();

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

/// <summary>Calls a transfer without a silo between.</summary>
internal sealed class FakeTransfer(Transfer transfer) : ITransferGrain
{
    public Task<TransferResult> ExecuteAsync(TransferOrder order) => transfer.ExecuteAsync(order);

    public Task<TransferView?> GetAsync() => transfer.GetAsync();
}
