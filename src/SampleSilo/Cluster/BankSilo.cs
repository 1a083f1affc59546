namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>One silo of this process through its lives. Thread-safe.</summary>
internal sealed class BankSilo(BankSiloSettings settings)
{
    /// <summary>
    /// Time to end once an orderly stop is called off, and for a kill. Orleans goes on for minutes telling the others
    /// that it goes, if the membership is out of reach.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _leaving = new();
    private volatile Life _life = Life.Dead;
    private Task _ending = Task.CompletedTask;

    public BankSiloSettings Settings { get; } = settings;

    public SiloView View =>
        new(Settings.Name, _life.Status, Settings.Address, Settings.Replica);

    /// <summary>The services of the silo while it is alive, else null.</summary>
    public IServiceProvider? Services => _life is { Status: "alive", Host: { } host } ? host.Services : null;

    /// <summary>A way to the grains while it is alive, else null.</summary>
    public BankGateway? Gateway => _life.Gateway;

    /// <summary>Starts it for the first time.</summary>
    /// <exception cref="StartException">It did not start; the message says why.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Orleans joins for as long as the membership is out of reach, whatever the token says.
            await StartAsync(cancellationToken).WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartException(
                $"silo '{Settings.Name}' did not start: {StartException.Explain(exception)}", exception);
        }
    }

    /// <summary>Starts it, or says why not: it lives already, or something is under way.</summary>
    public Task<SiloChange> StartAsync(CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        if (_life.Host is not null)
        {
            return new SiloChange.Refused($"Silo '{Settings.Name}' is {_life.Status}.");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _leaving.Token);
        await BeginLifeAsync(either.Token);
        return new SiloChange.Changed(View);
    });

    /// <summary>
    /// Ends it as a crash would: with a stop token that has fired before, Orleans runs no orderly shutdown. A crash
    /// that runs no code at all takes a process of its own.
    /// </summary>
    public Task<SiloChange> KillAsync() => InTurnAsync(async () =>
    {
        if (_life.Host is null)
        {
            return new SiloChange.Refused($"Silo '{Settings.Name}' is dead.");
        }

        try
        {
            await EndLifeAsync(new CancellationToken(canceled: true));
            return new SiloChange.Changed(View);
        }
        catch (TimeoutException exception)
        {
            return new SiloChange.Failed(exception.Message);
        }
    });

    /// <summary>
    /// Stops it for good and in order, for as long as the token allows; a start under way is given up. What goes wrong
    /// is told on the error stream. One that does not end in time goes on ending by itself.
    /// </summary>
    /// <returns>Whether it stopped cleanly.</returns>
    public async Task<bool> LeaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Whatever hears of it is waited for below, and no longer than that.
            _ = _leaving.CancelAsync();
            if (!await _turn.WaitAsync(Patience, CancellationToken.None))
            {
                throw Late();
            }

            var lives = _life.Host is not null;
            await EndLifeAsync(cancellationToken);
            if (lives && cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException("it was stopped in the midst of its work, because it took too long.");
            }

            return true;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"Silo '{Settings.Name}' did not stop cleanly: {exception.Message}");
            return false;
        }
    }

    private async Task<SiloChange> InTurnAsync(Func<Task<SiloChange>> change)
    {
        if (!await _turn.WaitAsync(0))
        {
            return new SiloChange.Refused($"Silo '{Settings.Name}' is {_life.Status}; wait until that is over.");
        }

        try
        {
            return await change();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task BeginLifeAsync(CancellationToken cancellationToken)
    {
        _life = new("starting", null, null, null);
        IHost? host = null;
        try
        {
            host = BankSiloHost.Build(Settings);
            await host.StartAsync(cancellationToken);
            var stopped = new CancellationTokenSource();
            var gateway = new BankGateway(host.Services.GetRequiredService<IGrainFactory>(), stopped.Token);
            _life = new("alive", host, gateway, stopped);
        }
        catch
        {
            if (host is not null)
            {
                await DisposeAsync(host);
            }

            _life = Life.Dead;
            throw;
        }
    }

    private async Task EndLifeAsync(CancellationToken cancellationToken)
    {
        if (_life is not { Host: { } host, Stopped: { } stopped } life)
        {
            return;
        }

        // It may be on its way out since before.
        if (_ending.IsCompleted)
        {
            _life = life with { Status = "dying", Gateway = null };
            await stopped.CancelAsync();
            _ending = EndAsync(host, cancellationToken);
        }

        // Not much longer once the token has fired.
        using var late = new CancellationTokenSource();
        await using var called = cancellationToken.Register(() => late.CancelAfter(Patience));
        try
        {
            await _ending.WaitAsync(late.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw Late();
        }
    }

    private TimeoutException Late() =>
        new($"Silo '{Settings.Name}' has not ended in time. Perhaps the cluster's membership is out of reach.");

    private async Task EndAsync(IHost host, CancellationToken cancellationToken)
    {
        try
        {
            await host.StopAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // What a crash looks like from inside.
        }
        finally
        {
            await DisposeAsync(host);
            _life = Life.Dead;
        }
    }

    private static async Task DisposeAsync(IHost host)
    {
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
        else
        {
            host.Dispose();
        }
    }

    private sealed record Life(string Status, IHost? Host, BankGateway? Gateway, CancellationTokenSource? Stopped)
    {
        public static readonly Life Dead = new("dead", null, null, null);
    }
}
