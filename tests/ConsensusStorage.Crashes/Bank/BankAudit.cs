using System.Net;
using System.Text.Json;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>Compares what customers were told with what the bank knows.</summary>
internal sealed class BankAudit
{
    /// <summary>So many lines of an account's history the bank shows.</summary>
    private const int HistoryLength = 100;

    /// <summary>Requests to repeat at most: those first that had got no answer most often.</summary>
    private const int MostRepeated = 10_000;

    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    private readonly IReadOnlyCollection<Acknowledgement> _acknowledged;
    private readonly BankLedger _ledger;
    private readonly IReadOnlyList<BankClient> _banks;
    private readonly IReadOnlyList<(string Account, List<BankEntry> Applied)> _accounts;
    private readonly HashSet<BankEntry> _maybe;

    public BankAudit(
        IReadOnlyCollection<Acknowledgement> acknowledged, BankLedger ledger, IReadOnlyList<BankClient> banks)
    {
        (_acknowledged, _ledger, _banks) = (acknowledged, ledger, banks);
        var applied = acknowledged.Where(each => each.Applied)
            .SelectMany(each => each.Order.Entries()).ToLookup(entry => entry.Account);

        // Also those that nothing was to come to: all of their orders were refused.
        _accounts =
        [
            .. acknowledged.SelectMany(each => each.Order.Entries()).Select(entry => entry.Account).Distinct()
                .Select(account => (account, applied[account].ToList())),
        ];
        _maybe = [.. acknowledged.Where(each => !each.Final).SelectMany(each => each.Order.Entries())];
    }

    /// <summary>
    /// Every account has what it should have, and silos say so. No money was made or lost then: both ends of a transfer
    /// are among what should be there.
    /// </summary>
    /// <param name="silos">How many of them have to say so.</param>
    /// <exception cref="ViolationException">It is not so.</exception>
    public async Task CompareAsync(int silos)
    {
        await Parallel.ForEachAsync(_accounts, AtOnce, async (each, _) =>
        {
            var withdrawn = await CompareHistoryAsync(each.Account, each.Applied);
            await CompareBalanceAsync(each.Account, [.. each.Applied, .. withdrawn], silos);
        });
    }

    /// <summary>Every final answer is given again.</summary>
    /// <exception cref="ViolationException">It is not.</exception>
    public Task RepeatAsync() => Parallel.ForEachAsync(
        _acknowledged.Where(each => each.Final).OrderByDescending(each => each.Answer.Attempts).Take(MostRepeated),
        AtOnce,
        async (each, _) => await RepeatAsync(AnyBank(each.Order.RequestId), each));

    private BankClient AnyBank(string name) =>
        _banks[(int)((uint)name.GetHashCode(StringComparison.Ordinal) % _banks.Count)];

    /// <summary>The balance, which so many silos know, in their memory and in the register.</summary>
    private async Task CompareBalanceAsync(string account, IReadOnlyCollection<BankEntry> entries, int silos)
    {
        var expected = new AccountModel(entries.Sum(entry => entry.Change), entries.Count);
        foreach (var bank in _banks.Take(silos))
        {
            var remembered = await GetAsync(bank, $"/accounts/{account}");
            var fresh = await _ledger.ReadAsync(bank, account);
            var memory = new AccountModel(remembered.Balance, remembered.Version);
            ViolationException.Unless(
                fresh == expected && memory == expected,
                $"Account {account} is {fresh}, and {memory} in memory; acknowledged was {expected}.");
        }
    }

    /// <summary>
    /// The account's lines are those of the acknowledged orders. Returns the further ones: withdrawals that were
    /// refused, and applied by an earlier request that came late.
    /// </summary>
    private async Task<IReadOnlyCollection<BankEntry>> CompareHistoryAsync(
        string account, List<BankEntry> expected)
    {
        ViolationException.Unless(expected.Count < HistoryLength, $"The load was to leave shorter histories.");
        var history = await GetAsync(AnyBank(account), $"/accounts/{account}/history");
        var balance = 0m;
        var found = new List<BankEntry>();
        foreach (var line in history.Body.GetProperty("entries").EnumerateArray().Reverse())
        {
            var before = balance;
            balance = line.GetProperty("balance").GetDecimal();
            found.Add(EntryOf(account, line, balance - before));
            ViolationException.Unless(
                balance >= 0
                && line.GetProperty("version").GetInt64() == found.Count
                && line.GetProperty("amount").GetDecimal() == Math.Abs(balance - before),
                $"Account {account}: line {found.Count} of its history makes no sense: {line}");
        }

        var lost = expected.Except(found).ToList();
        ViolationException.Unless(lost.Count == 0, $"Acknowledged and lost: {string.Join(", ", lost)}");
        var doubled = found.GroupBy(entry => entry).Where(lines => lines.Count() > 1).Select(lines => lines.Key);
        ViolationException.Unless(!doubled.Any(), $"Applied twice: {string.Join(", ", doubled)}");
        var further = found.Except(expected).ToList();
        var strange = further.Where(entry => !_maybe.Contains(entry)).ToList();
        ViolationException.Unless(strange.Count == 0, $"Never acknowledged: {string.Join(", ", strange)}");
        return further;
    }

    private static async Task RepeatAsync(BankClient bank, Acknowledgement before)
    {
        var order = before.Order;
        var again = await bank.InsistAsync(() => order.SendAsync(bank));
        var isSame = again.Status == before.Answer.Status && (order.Kind == OrderKind.Transfer
            ? again.Text("state") == before.Answer.Text("state")
            : (again.Balance, again.Version) == (before.Answer.Balance, before.Answer.Version));
        ViolationException.Unless(
            isSame, $"{order} was answered {before.Answer.Body}, and now {again.Status} {again.Body}");
        if (order.Kind == OrderKind.Transfer)
        {
            var transfer = await GetAsync(bank, $"/transfers/{order.RequestId}");
            ViolationException.Unless(
                transfer.Text("state") == before.Answer.Text("state")
                && transfer.Body.GetProperty("amount").GetDecimal() == order.Amount,
                $"{order} was answered {before.Answer.Body}, and is {transfer.Body}");
        }
    }

    private static async Task<Answer> GetAsync(BankClient bank, string path)
    {
        var answer = await bank.InsistAsync(() => bank.GetAsync(path));
        ViolationException.Unless(answer.Status == HttpStatusCode.OK, $"{path}: {answer.Status} {answer.Body}");
        return answer;
    }

    private static BankEntry EntryOf(string account, JsonElement line, decimal change) =>
        new(account, line.GetProperty("kind").GetString()!, line.GetProperty("requestId").GetString()!, change);
}
