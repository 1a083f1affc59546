using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>What customers were told, to be compared with what the bank knows. Thread-safe.</summary>
internal sealed class BankLedger
{
    /// <summary>So many lines of an account's history the bank shows.</summary>
    private const int HistoryLength = 100;

    private readonly ConcurrentQueue<Acknowledgement> _acknowledged = new();

    public void Add(BankOrder order, Answer answer) => _acknowledged.Enqueue(new(order, answer));

    /// <summary>
    /// The bank knows exactly what was acknowledged, once each; repeating every request changes nothing and is answered
    /// as before.
    /// </summary>
    public async Task VerifyAsync(BankClient bank)
    {
        var expected = _acknowledged.Where(each => each.Applied)
            .SelectMany(each => each.Order.Entries()).ToLookup(entry => entry.Account);
        var created = _acknowledged.Where(each => each.Applied && each.Order.Kind != OrderKind.Transfer)
            .SelectMany(each => each.Order.Entries()).Sum(entry => entry.Change);

        Assert.Equal(created, await SumAsync(bank, expected));
        await Parallel.ForEachAsync(expected, async (account, _) => await CompareHistoryAsync(bank, account));
        await Parallel.ForEachAsync(
            _acknowledged.Where(each => each.Final), async (each, _) => await RepeatAsync(bank, each));
        Assert.Equal(created, await SumAsync(bank, expected));
    }

    /// <summary>Compares balances and versions and adds the balances up.</summary>
    private static async Task<decimal> SumAsync(BankClient bank, ILookup<string, BankEntry> expected)
    {
        var sum = 0m;
        foreach (var account in expected)
        {
            var remembered = await GetAsync(bank, $"/accounts/{account.Key}");
            var fresh = await GetAsync(bank, $"/accounts/{account.Key}?fresh=true");

            Assert.Equal(account.Sum(entry => entry.Change), fresh.Balance);
            Assert.Equal(account.Count(), fresh.Version);
            Assert.Equal((fresh.Balance, fresh.Version), (remembered.Balance, remembered.Version));
            sum += fresh.Balance;
        }

        return sum;
    }

    private static async Task CompareHistoryAsync(BankClient bank, IGrouping<string, BankEntry> expected)
    {
        Assert.True(expected.Count() <= HistoryLength, "The load was to leave shorter histories.");
        var history = await GetAsync(bank, $"/accounts/{expected.Key}/history");
        var lines = history.Body.GetProperty("entries").EnumerateArray().Reverse().ToList();
        var balance = 0m;
        var found = new List<BankEntry>();
        foreach (var line in lines)
        {
            var before = balance;
            balance = line.GetProperty("balance").GetDecimal();
            found.Add(EntryOf(expected.Key, line, balance - before));
            Assert.True(balance >= 0);
            Assert.Equal(found.Count, line.GetProperty("version").GetInt64());
            Assert.Equal(Math.Abs(balance - before), line.GetProperty("amount").GetDecimal());
        }

        Assert.Equal(Sorted(expected), Sorted(found));
    }

    private static async Task RepeatAsync(BankClient bank, Acknowledgement before)
    {
        var order = before.Order;
        var again = await bank.InsistAsync(() => order.SendAsync(bank));

        Assert.Equal(before.Answer.Status, again.Status);
        if (order.Kind != OrderKind.Transfer)
        {
            Assert.Equal((before.Answer.Balance, before.Answer.Version), (again.Balance, again.Version));
            return;
        }

        Assert.Equal(before.Answer.Text("state"), again.Text("state"));
        var transfer = await GetAsync(bank, $"/transfers/{order.RequestId}");
        Assert.Equal(before.Answer.Text("state"), transfer.Text("state"));
        Assert.Equal(order.Amount, transfer.Body.GetProperty("amount").GetDecimal());
    }

    private static async Task<Answer> GetAsync(BankClient bank, string path)
    {
        var answer = await bank.InsistAsync(() => bank.GetAsync(path));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer;
    }

    private static BankEntry EntryOf(string account, JsonElement line, decimal change) =>
        new(account, line.GetProperty("kind").GetString()!, line.GetProperty("requestId").GetString()!, change);

    private static IEnumerable<BankEntry> Sorted(IEnumerable<BankEntry> entries) => entries
        .OrderBy(entry => entry.RequestId, StringComparer.Ordinal).ThenBy(entry => entry.Kind, StringComparer.Ordinal);
}
