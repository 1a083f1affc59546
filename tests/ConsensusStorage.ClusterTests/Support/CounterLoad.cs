using System.Globalization;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// Clients that add to counters without a pause and repeat each request until it is acknowledged, and what they were
/// told. Each works on one counter after another, so that activations are a part of the load.
/// </summary>
internal sealed class CounterLoad : IAsyncDisposable
{
    private const int RequestsPerCounter = 100;

    private readonly IGrainFactory _grains;
    private readonly string _name = Guid.NewGuid().ToString("N");
    private readonly CancellationTokenSource _stop = new();
    private readonly Client[] _clients;
    private readonly Task _running;

    private CounterLoad(IGrainFactory grains, int clients)
    {
        _grains = grains;
        _clients = [.. Enumerable.Range(0, clients).Select(_ => new Client())];
        _running = Task.WhenAll(_clients.Select((client, number) => Task.Run(() => RunAsync(client, number))));
    }

    public static CounterLoad Start(IGrainFactory grains, int clients = 8) => new(grains, clients);

    /// <summary>Waits until every client got <paramref name="more"/> further requests acknowledged.</summary>
    public async Task ProgressAsync(int more)
    {
        var goals = _clients.Select(client => client.Count + more).ToArray();
        await Eventually.SucceedsAsync(() =>
        {
            var late = _clients.Where((client, number) => client.Count < goals[number]).FirstOrDefault();
            return late is null
                ? Task.CompletedTask
                : throw new InvalidOperationException($"A client got stuck: {late.Failure}", late.Failure);
        });
    }

    /// <summary>Ends the load; what is under way stays unacknowledged.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    /// <summary>Ends the load and compares every counter with what was acknowledged.</summary>
    /// <param name="reader">Who reads them, if it is another cluster of the same service.</param>
    public async Task VerifyAsync(IGrainFactory? reader = null)
    {
        await DisposeAsync();
        reader ??= _grains;
        var counters = _clients.SelectMany(client => client.Acknowledged)
            .GroupBy(request => request.Counter, request => request.Request);
        foreach (var counter in counters)
        {
            var state = await Eventually.SucceedsAsync(() => reader.GetGrain<ICounterGrain>(counter.Key).ReadAsync());

            Assert.Equal(state.Requests.Count, state.Value);
            Assert.Equal(state.Requests.Count, state.Requests.Distinct().Count());
            Assert.Empty(counter.Except(state.Requests));
        }
    }

    private async Task RunAsync(Client client, int number)
    {
        for (var request = 0; !_stop.IsCancellationRequested; request++)
        {
            var counter = string.Create(
                CultureInfo.InvariantCulture, $"{_name}-{number}-{request / RequestsPerCounter}");
            await AddAsync(client, counter, Guid.NewGuid());
        }
    }

    private async Task AddAsync(Client client, string counter, Guid request)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _grains.GetGrain<ICounterGrain>(counter).AddAsync(request);
                client.Acknowledge(counter, request);
                return;
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                client.Failure = exception;
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
        }
    }

    /// <summary>What one client was told. One writer, many readers.</summary>
    private sealed class Client
    {
        private volatile int _count;

        public List<(string Counter, Guid Request)> Acknowledged { get; } = [];

        public int Count => _count;

        public Exception? Failure { get; set; }

        public void Acknowledge(string counter, Guid request)
        {
            Acknowledged.Add((counter, request));
            _count = Acknowledged.Count;
        }
    }
}
