using System.Diagnostics;
using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>All who use the bank while it is struck: the load, and a <see cref="Pulse"/> for each silo.</summary>
internal sealed class Customers : IAsyncDisposable
{
    /// <summary>Below what the bank gives itself: customers come again while their first request goes on.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PauseBetweenOrders = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan PauseBetweenBeats = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Of both, over Azurite: it takes a quarter of a millisecond and more to read an append, and a silo that takes a
    /// log over reads all of them.
    /// </summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(3);

    private readonly List<BankClient> _clients = [];
    private readonly IReadOnlyList<BankClient> _free;
    private readonly List<Pulse> _pulses;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly Task _beating;

    /// <param name="slow">Whether they take their time: the logs stay short.</param>
    public Customers(Uri[] silos, Stopwatch clock, bool slow)
    {
        Banks = [.. silos.Select(silo => Client(silo))];
        _free = [.. silos.Select((_, first) => Client([.. silos[first..], .. silos[..first]]))];
        Load = BankLoad.Start(_free, slow ? LongPause : PauseBetweenOrders);
        var pause = slow ? LongPause : PauseBetweenBeats;
        _pulses = [.. silos.Select((silo, number) => new Pulse(number, Client(silo), Load.Ledger, clock, pause))];
        _beating = Task.WhenAll(_pulses.Select(pulse => pulse.RunAsync(_stop.Token, _abort.Token)));
    }

    /// <summary>A way to each silo.</summary>
    public IReadOnlyList<BankClient> Banks { get; }

    public BankLoad Load { get; }

    public int Repeated => _clients.Sum(client => client.Repeated);

    /// <summary>All waits for each silo, after <see cref="StopAsync"/>.</summary>
    public IEnumerable<Beat> Beats => _pulses.SelectMany(pulse => pulse.Beats);

    /// <summary>The longest that a request which had to be repeated took until it succeeded.</summary>
    /// <param name="since">By the clock of <see cref="Stopwatch.GetTimestamp"/>: those that were sent later.</param>
    public TimeSpan LongestTrouble(long since) => _free.SelectMany(client => client.Troubles)
        .Where(trouble => trouble.Sent >= since)
        .Select(trouble => trouble.Duration)
        .DefaultIfEmpty()
        .Max();

    /// <summary>Throws what has ended a pulse, if one has ended.</summary>
    public Task CheckAsync() => _beating.IsCompleted ? _beating : Task.CompletedTask;

    /// <summary>Ends all when what is under way is decided.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _beating;
        await Load.StopAsync();
    }

    /// <summary>Ends all at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await _beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Load.DisposeAsync();
        _clients.ForEach(client => client.Dispose());
        _stop.Dispose();
        _abort.Dispose();
    }

    private BankClient Client(params Uri[] silos)
    {
        var client = new BankClient(silos) { Timeout = RequestTimeout };
        _clients.Add(client);
        return client;
    }
}
