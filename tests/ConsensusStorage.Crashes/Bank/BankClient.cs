using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>A bank's customer over HTTP; tries its next address when one gives no answer. Thread-safe.</summary>
internal sealed class BankClient(HttpMessageHandler handler, params Uri[] addresses) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>A bank that is killed and started again is away for a while.</summary>
    private static readonly TimeSpan Patience = 2 * Waiting.Patience;

    // The bank itself gives up after 12 seconds.
    private readonly HttpClient _http = new(handler) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ConcurrentQueue<Trouble> _troubles = new();
    private int _repeated;
    private int _at;
    private volatile string? _noAnswer;

    public BankClient(params Uri[] addresses)
        : this(new SocketsHttpHandler(), addresses)
    {
    }

    /// <summary>When a request is given up, to be repeated.</summary>
    public TimeSpan Timeout
    {
        init => _http.Timeout = value;
    }

    /// <summary>How often a request had to be repeated, as nobody knew what became of it.</summary>
    public int Repeated => Volatile.Read(ref _repeated);

    /// <summary>Of the requests that had to be repeated: those that got an answer in the end.</summary>
    public IEnumerable<Trouble> Troubles => _troubles;

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Answer> PostAsync(string path, object? body = null) =>
        SendAsync(HttpMethod.Post, path, body is null ? null : JsonContent.Create(body));

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        var address = addresses[(uint)Volatile.Read(ref _at) % addresses.Length];
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = content };
        using var response = await _http.SendAsync(request);
        return new(
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadFromJsonAsync<JsonElement>(),
            response.Headers.RetryAfter?.Delta);
    }

    /// <summary>Repeats a request until there is an answer other than 503.</summary>
    /// <exception cref="TimeoutException">There is none.</exception>
    public async Task<Answer> InsistAsync(Func<Task<Answer>> send, CancellationToken cancellationToken = default)
    {
        var started = Stopwatch.GetTimestamp();
        for (var attempts = 1; ; attempts++, await Task.Delay(Pause, cancellationToken))
        {
            var at = Volatile.Read(ref _at);
            if (await TryAsync(send, cancellationToken) is { } answer)
            {
                if (attempts > 1)
                {
                    _troubles.Enqueue(new(started, Stopwatch.GetTimestamp()));
                }

                return answer with { Attempts = attempts };
            }

            Interlocked.Increment(ref _repeated);

            // Requests that fail together go on to one other address, and not around to the same one.
            Interlocked.CompareExchange(ref _at, at + 1, at);
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"The bank gives no answer: {_noAnswer}");
            }
        }
    }

    /// <summary>Sends a request once; null if there is no answer, or 503, which tells as little.</summary>
    public async Task<Answer?> TryAsync(Func<Task<Answer>> send, CancellationToken cancellationToken = default)
    {
        try
        {
            var answer = await send().WaitAsync(cancellationToken);
            if (answer.Status != HttpStatusCode.ServiceUnavailable)
            {
                return answer;
            }

            _noAnswer = answer.Text("detail");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && IsNoAnswer(exception))
        {
            _noAnswer = exception.Message;
        }

        return null;
    }

    public void Dispose() => _http.Dispose();

    private static bool IsNoAnswer(Exception exception) =>
        exception is HttpRequestException or IOException or OperationCanceledException;
}

/// <summary>A request that had to be repeated, by the clock of <see cref="Stopwatch.GetTimestamp"/>.</summary>
/// <param name="Sent">When it was sent first.</param>
/// <param name="Answered">When it was answered.</param>
internal readonly record struct Trouble(long Sent, long Answered)
{
    public TimeSpan Duration => Stopwatch.GetElapsedTime(Sent, Answered);
}

/// <summary>What the bank answered.</summary>
/// <param name="RetryAfter">What it says about trying again, or null.</param>
internal sealed record Answer(HttpStatusCode Status, string? MediaType, JsonElement Body, TimeSpan? RetryAfter)
{
    /// <summary>Requests that it took: all but the last got no answer.</summary>
    public int Attempts { get; init; } = 1;

    public decimal Balance => Body.GetProperty("balance").GetDecimal();

    public long Version => Body.GetProperty("version").GetInt64();

    public string? Text(string property) => Body.GetProperty(property).GetString();
}
