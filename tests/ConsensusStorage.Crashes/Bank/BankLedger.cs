using System.Collections.Concurrent;
using System.Net;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>What customers were told, to be compared with what the bank knows. Thread-safe.</summary>
internal sealed class BankLedger
{
    private readonly ConcurrentQueue<Acknowledgement> _acknowledged = new();
    private readonly ConcurrentQueue<FreshRead> _reads = new();
    private int _now;

    public IReadOnlyCollection<Acknowledgement> Acknowledged => _acknowledged;

    public int Reads => _reads.Count;

    /// <summary>The next moment: whatever ended before another thing began has an earlier one.</summary>
    public int Tick() => Interlocked.Increment(ref _now);

    /// <summary>Notes a definite answer.</summary>
    /// <param name="order">To what.</param>
    /// <param name="answer">200 or 409.</param>
    /// <param name="invoked">When it was first asked for.</param>
    public void Add(BankOrder order, Answer answer, int invoked) =>
        _acknowledged.Enqueue(new(order, answer, invoked, Tick()));

    /// <summary>Reads an account's register, and notes what was there.</summary>
    public async Task<AccountModel> ReadAsync(
        BankClient bank, string account, CancellationToken cancellationToken = default)
    {
        var invoked = Tick();
        var answer = await bank.InsistAsync(() => bank.GetAsync(Fresh(account)), cancellationToken);
        return Note(account, answer, invoked);
    }

    /// <summary>The same, for a bank that may well give no answer; false if it gives none.</summary>
    public async Task<bool> TryReadAsync(BankClient bank, string account)
    {
        var invoked = Tick();
        if (await bank.TryAsync(() => bank.GetAsync(Fresh(account))) is not { } answer)
        {
            return false;
        }

        Note(account, answer, invoked);
        return true;
    }

    /// <summary>
    /// The bank knows exactly what was acknowledged, once each; all silos agree; every account's history is
    /// linearizable; repeating requests changes nothing and is answered as before. The load must have stopped.
    /// </summary>
    /// <param name="banks">The silos; or one way to all of them.</param>
    /// <exception cref="ViolationException">It is not so.</exception>
    public async Task VerifyAsync(params IReadOnlyList<BankClient> banks)
    {
        var audit = new BankAudit(_acknowledged, this, banks);
        await audit.CompareAsync(banks.Count);
        await audit.RepeatAsync();
        await audit.CompareAsync(silos: 1);
        FindUnexplained();
    }

    private static string Fresh(string account) => $"/accounts/{account}?fresh=true";

    private AccountModel Note(string account, Answer answer, int invoked)
    {
        ViolationException.Unless(
            answer.Status == HttpStatusCode.OK, $"Account {account} can't be read: {answer.Status} {answer.Body}");
        var seen = new AccountModel(answer.Balance, answer.Version);
        _reads.Enqueue(new(account, seen, invoked, Tick()));
        return seen;
    }

    /// <exception cref="ViolationException">No order explains what was told of an account.</exception>
    private void FindUnexplained()
    {
        var operations = _acknowledged.SelectMany(AccountHistory.Of)
            .Concat(_reads.Select(read => (read.Account, Operation: AccountHistory.Of(read))));
        foreach (var account in operations.ToLookup(each => each.Account, each => each.Operation))
        {
            if (!AccountHistory.IsLinearizable(account))
            {
                var told = string.Join('\n', account.OrderBy(operation => operation.Invoked));
                throw new ViolationException($"No order explains what was told of account {account.Key}:\n{told}");
            }
        }
    }
}
