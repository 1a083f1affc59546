using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Serialization;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

/// <summary>What an account remembers, and what that costs.</summary>
public sealed class AccountMemoryTests
{
    private const int MostBytes = 4096;

    private readonly FakeBank _bank = new();
    private int _deposits;

    /// <summary>Every write that a page comes with, or the removal of one, and whether it is done.</summary>
    public static TheoryData<int, bool> Crashes
    {
        get
        {
            var crashes = new TheoryData<int, bool>();
            for (var step = 1; step <= 6; step++)
            {
                crashes.Add(step, false);
                crashes.Add(step, true);
            }

            return crashes;
        }
    }

    [Theory]
    [InlineData(1, 'd')]
    [InlineData(100, 'd')]
    [InlineData(100, '\u20ac')]
    [InlineData(100, '\0')]
    public async Task A_state_stays_small_whatever_its_history(int idLength, char filler)
    {
        var suffix = new string(filler, Math.Max(0, idLength - 7));
        var serializer = new ServiceCollection().AddSerializer().BuildServiceProvider()
            .GetRequiredService<Serializer>();
        var alice = _bank.Account("alice");
        var most = 0;
        for (var number = 0; number < 3000; number++)
        {
            _bank.Time.Advance(TimeSpan.FromMinutes(2));
            await alice.ApplyAsync(new(OperationKind.Deposit, $"{number}{suffix}", 1_000_000_000m));
            await alice.ApplyAsync(new(OperationKind.TransferOut, $"{number}{suffix}", 0.01m));
            most = Math.Max(most, serializer.SerializeToArray(_bank.Balance("alice")).Length);
        }

        Assert.InRange(most, 1, MostBytes);
        Assert.All(_bank.Pages("alice").All, page => Assert.InRange(
            serializer.SerializeToArray(new AccountPage { Entries = page.Entries }).Length, 1, MostBytes));
    }

    [Fact]
    public async Task A_hundred_thousand_requests_leave_a_thousand_and_a_day_of_them()
    {
        const int perDay = 5000;
        while (_deposits < 100_000)
        {
            await DepositAsync();
            _bank.Time.Advance(AccountState.RememberedFor / perDay);
        }

        var held = _bank.Pages("alice").All.Sum(page => page.Entries.Length) + _bank.Balance("alice").Entries.Length;
        Assert.InRange(held, perDay, perDay + 100);
        Assert.InRange(_bank.Balance("alice").Entries.Sum(entry => entry.Size), 1, MostBytes);
        await AssertKnownAsync(_deposits - perDay);
        Assert.Equal(_deposits, _bank.Balance("alice").Balance);
    }

    [Fact]
    public async Task The_last_thousand_requests_are_known_however_long_ago_they_were()
    {
        await DepositAsync(3 * AccountState.Remembered);
        _bank.Time.Advance(10 * AccountState.RememberedFor);
        await DepositAsync(100);
        await AssertKnownAsync(_deposits - AccountState.Remembered);
        Assert.InRange(_bank.Pages("alice").All.Sum(page => page.Entries.Length), 1, AccountState.Remembered + 100);
    }

    [Fact]
    public async Task All_requests_of_a_day_are_known_however_many_they_are()
    {
        await DepositAsync(5 * AccountState.Remembered);
        _bank.Time.Advance(AccountState.RememberedFor - TimeSpan.FromSeconds(1));
        await DepositAsync(100);
        await AssertKnownAsync(0);
    }

    [Fact]
    public async Task A_request_that_was_never_seen_costs_one_small_write_and_no_read()
    {
        await DepositAsync(5 * AccountState.Remembered);
        _bank.Crash();
        await DepositAsync();
        var (writes, reads) = (_bank.Plan.Writes, _bank.Plan.PageReads);
        await DepositAsync(1000);
        Assert.Equal(reads, _bank.Plan.PageReads);
        Assert.InRange(_bank.Plan.Writes - writes, 1000, 1150);
    }

    /// <summary>Whatever write is the last one, what was answered is known, and nothing is applied twice.</summary>
    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task A_crash_at_any_write_of_a_page_loses_and_doubles_nothing(int step, bool heard)
    {
        await DepositAsync(2 * AccountState.Remembered);
        _bank.Time.Advance(2 * AccountState.RememberedFor);
        for (var page = 0; page < 20; page++)
        {
            (_bank.Plan.FailAt, _bank.Plan.Fault) =
                (_bank.Plan.Writes + step + (3 * page), heard ? Fault.AppliedUnheard : Fault.Lost);
            for (var attempts = 0; attempts < 17; attempts++)
            {
                await DepositAndCrashAsync();
            }
        }

        Assert.Equal(_deposits, _bank.Balance("alice").Balance);
        Assert.Equal(_deposits, _bank.Balance("alice").Version);
        await AssertKnownAsync(_deposits - AccountState.Remembered);
    }

    [Fact]
    public async Task An_activation_that_was_left_behind_writes_nothing_that_counts()
    {
        await DepositAsync(AccountState.Remembered);
        var behind = _bank.Activate("alice");
        await behind.ApplyAsync(Deposit(0));
        await DepositAsync(AccountState.Remembered);
        _bank.Time.Advance(2 * AccountState.RememberedFor);
        await DepositAsync(AccountState.Remembered);
        await Assert.ThrowsAsync<InconsistentStateException>(() => behind.ApplyAsync(Deposit(-1)));
        var before = _bank.Balance("alice");
        Assert.IsType<OperationResult.Applied>(await behind.ApplyAsync(Deposit(_deposits - 1)));
        Assert.Equal(before, _bank.Balance("alice"));
        Assert.Equal(_deposits, before.Balance);
        await AssertKnownAsync(_deposits - AccountState.Remembered);
    }

    [Fact]
    public async Task The_end_of_a_transfer_is_remembered_until_the_transfer_is_settled()
    {
        var credit = new Operation(OperationKind.TransferIn, "t1", 1);
        await _bank.Account("alice").ApplyAsync(credit);
        for (var days = 0; days < 5; days++)
        {
            await DepositAsync(2 * AccountState.Remembered);
            _bank.Time.Advance(2 * AccountState.RememberedFor);
        }

        _bank.Crash();
        await _bank.Account("alice").ApplyAsync(credit);
        Assert.Equal(_deposits + 1, _bank.Balance("alice").Balance);

        await _bank.Account("alice").SettleAsync(RequestScope.TransferIn, "t1");
        await DepositAsync(2 * AccountState.Remembered);
        _bank.Time.Advance(2 * AccountState.RememberedFor);
        await DepositAsync(2 * AccountState.Remembered);
        Assert.DoesNotContain(
            _bank.Pages("alice").All.SelectMany(page => page.Entries), entry => entry.Operation == credit);
    }

    [Fact]
    public async Task History_goes_back_into_the_pages()
    {
        await DepositAsync(300);
        var history = await _bank.Account("alice").GetHistoryAsync(100);
        Assert.Equal(Enumerable.Range(201, 100).Reverse(), history.Select(entry => (int)entry.Version));
    }

    private static Operation Deposit(int number) => new(OperationKind.Deposit, $"d{number}", 1);

    private async Task DepositAsync(int count = 1)
    {
        for (var done = 0; done < count; done++)
        {
            await _bank.Account("alice").ApplyAsync(Deposit(_deposits++));
        }
    }

    /// <summary>A deposit that is asked for again after a crash, until it is answered.</summary>
    private async Task DepositAndCrashAsync()
    {
        var deposit = Deposit(_deposits++);
        while (await Record.ExceptionAsync(() => _bank.Account("alice").ApplyAsync(deposit)) is { } failure)
        {
            Assert.IsType<StorageDownException>(failure);
            _bank.Crash();
        }
    }

    /// <summary>Asks for all deposits from one on again: by an activation that has to read its pages.</summary>
    private async Task AssertKnownAsync(int first)
    {
        _bank.Crash();
        var before = _bank.Balance("alice");
        for (var number = first; number < _deposits; number++)
        {
            Assert.IsType<OperationResult.Applied>(await _bank.Account("alice").ApplyAsync(Deposit(number)));
        }

        Assert.Equal(before, _bank.Balance("alice"));
    }
}
