using System.Globalization;
using System.Net;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>
/// Customers that deposit, withdraw, transfer and read, between accounts they share, and repeat each request until they
/// know what became of it. After a few orders they go on to new accounts: activations are a part of the
/// load, and many accounts have a last order that no later one would write again. An answer that must not be ends the
/// load, and is thrown by whoever waits for it.
/// </summary>
internal sealed class BankLoad : IAsyncDisposable
{
    private const int Customers = 6;
    private const int Accounts = 4;
    private const int OrdersPerAccounts = 6;
    private const int OrdersPerDouble = 4;
    private const int OrdersPerRead = 3;

    private readonly IReadOnlyList<BankClient> _banks;
    private readonly TimeSpan _pause;
    private readonly string _name = Guid.NewGuid().ToString("N")[..8];
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly int[] _counts = new int[Customers];
    private readonly Task _running;

    private BankLoad(IReadOnlyList<BankClient> banks, TimeSpan pause)
    {
        (_banks, _pause) = (banks, pause);
        _running = Task.WhenAll(Enumerable.Range(0, Customers).Select(number => Task.Run(() => RunAsync(number))));
    }

    public BankLedger Ledger { get; } = new();

    /// <summary>An account that is used at this time.</summary>
    public string CurrentAccount => AccountOf(_counts.Min(), 0);

    /// <param name="bank">Of all customers.</param>
    public static BankLoad Start(BankClient bank) => new([bank], TimeSpan.Zero);

    /// <param name="banks">The customers share them out.</param>
    /// <param name="pause">Between a customer's orders.</param>
    public static BankLoad Start(IReadOnlyList<BankClient> banks, TimeSpan pause) => new(banks, pause);

    /// <summary>Waits until every customer got <paramref name="more"/> further orders acknowledged.</summary>
    /// <param name="more">Orders.</param>
    /// <param name="meanwhile">Done again and again until then.</param>
    /// <exception cref="TimeoutException">One of them got stuck.</exception>
    public async Task ProgressAsync(int more, Func<Task>? meanwhile = null)
    {
        var goals = Enumerable.Range(0, Customers).Select(number => Volatile.Read(ref _counts[number]) + more).ToList();
        var progress = Waiting.UntilWellAsync(
            async () =>
            {
                await (meanwhile?.Invoke() ?? Task.CompletedTask);
                var late = goals.Where((goal, number) => Volatile.Read(ref _counts[number]) < goal).Count();
                return late == 0 ? null : $"{late} of {Customers} customers got stuck.";
            },
            _abort.Token);
        await Task.WhenAny(progress, _running);
        await (_abort.IsCancellationRequested ? _running : progress);
    }

    /// <summary>Ends the load when all that is under way is decided.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    /// <summary>Ends it at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync(int customer)
    {
        var random = new Random(customer);
        try
        {
            while (!_stop.IsCancellationRequested && !_abort.IsCancellationRequested)
            {
                var order = Next(random, customer, _counts[customer]);
                var bank = _banks[customer % _banks.Count];
                var invoked = Ledger.Tick();
                var answer = await PlaceAsync(bank, order, twice: _counts[customer] % OrdersPerDouble == 0);
                Ledger.Add(order, answer, invoked);
                if (_counts[customer] % OrdersPerRead == 0)
                {
                    await Ledger.ReadAsync(bank, order.Account, _abort.Token);
                }

                Interlocked.Increment(ref _counts[customer]);
                await Task.Delay(_pause, _abort.Token);
            }
        }
        catch
        {
            await _abort.CancelAsync();
            throw;
        }
    }

    private BankOrder Next(Random random, int customer, int number)
    {
        var from = random.Next(Accounts);
        var to = (from + 1 + random.Next(Accounts - 1)) % Accounts;
        return new(
            random.Next(10) switch { < 5 => OrderKind.Deposit, < 7 => OrderKind.Withdraw, _ => OrderKind.Transfer },
            string.Create(CultureInfo.InvariantCulture, $"{_name}-{customer}-{number}"),
            AccountOf(number, from),
            AccountOf(number, to),
            random.Next(1, 10_000) / 100m);
    }

    private string AccountOf(int number, int account) =>
        string.Create(CultureInfo.InvariantCulture, $"{_name}-{number / OrdersPerAccounts}-{account}");

    private async Task<Answer> PlaceAsync(BankClient bank, BankOrder order, bool twice)
    {
        Task<Answer> InsistAsync() => bank.InsistAsync(() => order.SendAsync(bank), _abort.Token);
        Task<Answer>[] copies = twice && order.Kind == OrderKind.Deposit
            ? [InsistAsync(), InsistAsync()]
            : [InsistAsync()];
        var answers = await Task.WhenAll(copies);
        var answer = answers[0];
        ViolationException.Unless(
            answers.All(copy => copy.Status == answer.Status)
            && (answers.Length == 1 || (answers[1].Balance, answers[1].Version) == (answer.Balance, answer.Version)),
            $"{order} was answered {string.Join(" and ", answers.Select(copy => copy.Body))}");
        if (answer.Status == HttpStatusCode.OK)
        {
            ViolationException.Unless(
                order.Kind != OrderKind.Transfer || answer.Text("state") == "done",
                $"{order} was answered {answer.Body}");
            return answer;
        }

        ViolationException.Unless(
            answer.Status == HttpStatusCode.Conflict
            && order.Kind != OrderKind.Deposit
            && answer.Text("type") == "urn:bank:insufficient-funds",
            $"{order} was answered {answer.Status} {answer.Body}");
        return answer;
    }
}
