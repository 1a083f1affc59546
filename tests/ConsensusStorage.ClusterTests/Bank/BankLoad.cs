using System.Globalization;
using System.Net;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>
/// Customers that deposit, withdraw and transfer without a pause, between accounts they share, and repeat each request
/// until they know what became of it. After a few orders they go on to new accounts: activations are a part of the
/// load, and many accounts have a last order that no later one would write again. An answer that must not be ends the
/// load, and is thrown by whoever waits for it.
/// </summary>
internal sealed class BankLoad : IAsyncDisposable
{
    private const int Customers = 6;
    private const int Accounts = 4;
    private const int OrdersPerAccounts = 6;
    private const int OrdersPerDouble = 4;

    private readonly BankClient _bank;
    private readonly string _name = Guid.NewGuid().ToString("N")[..8];
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly int[] _counts = new int[Customers];
    private readonly Task _running;

    private BankLoad(BankClient bank)
    {
        _bank = bank;
        _running = Task.WhenAll(Enumerable.Range(0, Customers).Select(number => Task.Run(() => RunAsync(number))));
    }

    public BankLedger Ledger { get; } = new();

    public static BankLoad Start(BankClient bank) => new(bank);

    /// <summary>Waits until every customer got <paramref name="more"/> further orders acknowledged.</summary>
    public async Task ProgressAsync(int more)
    {
        var goals = Enumerable.Range(0, Customers).Select(number => Volatile.Read(ref _counts[number]) + more).ToList();
        var progress = Eventually.SucceedsAsync(() =>
        {
            var late = goals.Where((goal, number) => Volatile.Read(ref _counts[number]) < goal).Count();
            return late == 0 || _abort.IsCancellationRequested
                ? Task.CompletedTask
                : throw new InvalidOperationException($"{late} of {Customers} customers got stuck.");
        });
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
                Ledger.Add(order, await PlaceAsync(order, twice: _counts[customer] % OrdersPerDouble == 0));
                Interlocked.Increment(ref _counts[customer]);
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
            string.Create(CultureInfo.InvariantCulture, $"{_name}-{number / OrdersPerAccounts}-{from}"),
            string.Create(CultureInfo.InvariantCulture, $"{_name}-{number / OrdersPerAccounts}-{to}"),
            random.Next(1, 10_000) / 100m);
    }

    private async Task<Answer> PlaceAsync(BankOrder order, bool twice)
    {
        Task<Answer> InsistAsync() => _bank.InsistAsync(() => order.SendAsync(_bank), _abort.Token);
        Task<Answer>[] copies = twice && order.Kind == OrderKind.Deposit
            ? [InsistAsync(), InsistAsync()]
            : [InsistAsync()];
        var answers = await Task.WhenAll(copies);
        var answer = answers[0];
        Assert.All(answers.Skip(1), copy => Assert.Equal(
            (answer.Status, answer.Balance, answer.Version), (copy.Status, copy.Balance, copy.Version)));
        if (answer.Status == HttpStatusCode.OK)
        {
            Assert.True(order.Kind != OrderKind.Transfer || answer.Text("state") == "done", answer.Body.ToString());
            return answer;
        }

        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.NotEqual(OrderKind.Deposit, order.Kind);
        Assert.Equal("urn:bank:insufficient-funds", answer.Text("type"));
        return answer;
    }
}
