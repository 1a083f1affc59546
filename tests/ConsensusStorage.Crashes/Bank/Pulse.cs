using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>A deposit of a <see cref="Pulse"/>.</summary>
/// <param name="Silo">The silo that was asked.</param>
/// <param name="Host">The silo that had the account before it; null if nobody knows.</param>
/// <param name="Sent">By the run's clock.</param>
/// <param name="Attempts">Requests that it took.</param>
internal readonly record struct Beat(int Silo, string? Host, TimeSpan Sent, TimeSpan Answered, int Attempts);

/// <summary>
/// A customer of one silo, who asks no other, and deposits at short intervals: how long that takes at most is the
/// longest pause of the service. After some deposits it goes on to a new account, which may live elsewhere.
/// </summary>
internal sealed class Pulse(int silo, BankClient bank, BankLedger ledger, Stopwatch clock, TimeSpan pause)
{
    private const int DepositsPerAccount = 60;

    private readonly string _name = $"pulse-{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>All deposits; complete when <see cref="RunAsync"/> has ended.</summary>
    public List<Beat> Beats { get; } = [];

    /// <param name="stop">Ends it after the deposit that is under way.</param>
    /// <param name="abort">Ends it at once.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        string? host = null;
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            host = number % DepositsPerAccount == 0 ? null : host;
            var order = Order(number);
            var (sent, invoked) = (clock.Elapsed, ledger.Tick());
            var answer = await bank.InsistAsync(() => order.SendAsync(bank), abort);
            ViolationException.Unless(
                answer.Status == HttpStatusCode.OK, $"{order} was answered {answer.Status} {answer.Body}");
            ledger.Add(order, answer, invoked);
            Beats.Add(new(silo, host, sent, clock.Elapsed, answer.Attempts));
            host = answer.Text("silo");
            await Task.Delay(pause, abort);
        }
    }

    private BankOrder Order(int number)
    {
        var account = string.Create(CultureInfo.InvariantCulture, $"{_name}-{number / DepositsPerAccount}");
        var requestId = string.Create(CultureInfo.InvariantCulture, $"{_name}-{number}");
        return new(OrderKind.Deposit, requestId, account, account, 1);
    }
}
