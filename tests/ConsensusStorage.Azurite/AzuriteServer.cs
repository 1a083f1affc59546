using System.Globalization;
using System.Security.Cryptography;

namespace Orleans.Consensus.Azurite;

/// <summary>How an <see cref="AzuriteServer"/> works.</summary>
public sealed record AzuriteOptions
{
    /// <summary>Where its data are, and stay; a temporary directory, deleted at the end, if null.</summary>
    public string? Directory { get; init; }

    /// <summary>
    /// Whether what was answered is there after <see cref="AzuriteServer.Kill"/>, as with the real service. By itself
    /// Azurite saves its list of blobs and blocks every five seconds, and forgets what came after. The list is saved
    /// when it is killed then, and not before.
    /// </summary>
    public bool ForgetsNothing { get; init; } = true;
}

/// <summary>
/// Azurite's blob service in a process of its own on a loopback port, with one account of its own. It never outlives
/// this process. Not thread-safe.
/// </summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    // Below the ports that systems give to outgoing connections, and beside those of test silos.
    private const int FirstPort = 12_000;
    private const int EndOfPorts = 20_000;
    private const int Tries = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly AzuriteInstallation _installation;
    private readonly AzuriteOptions _options;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));
    private AzuriteProcess? _process;

    private AzuriteServer(AzuriteInstallation installation, AzuriteOptions options)
    {
        _installation = installation;
        _options = options;
        Directory = options.Directory ?? System.IO.Directory.CreateTempSubdirectory("consensus-azurite-").FullName;
        System.IO.Directory.CreateDirectory(Directory);
    }

    /// <summary>Where its data are.</summary>
    public string Directory { get; }

    /// <summary>The same for all its life.</summary>
    public int Port { get; private set; }

    /// <summary>The same for every server, so that a wrong key, not a wrong name, tells servers apart.</summary>
    public const string AccountName = "consensus";

    /// <summary>For clients of the storage account; with Azurite it has a blob endpoint alone.</summary>
    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture,
        $"DefaultEndpointsProtocol=http;AccountName={AccountName};AccountKey={_key};"
        + $"BlobEndpoint=http://127.0.0.1:{Port}/{AccountName};");

    /// <summary>False after <see cref="Kill"/>.</summary>
    public bool IsRunning => _process is { IsRunning: true };

    /// <summary>What it printed last, if it has ended and nobody has killed it; else null.</summary>
    public string? LastWords => _process is { IsRunning: false } ended ? ended.Told : null;

    /// <summary>Of its process; another one after each start.</summary>
    public int ProcessId => Running.Id;

    /// <summary>Processor time its process has used.</summary>
    public TimeSpan ProcessorTime => Running.ProcessorTime;

    private AzuriteProcess Running => _process ?? throw new InvalidOperationException("Azurite was killed.");

    /// <summary>Installs Azurite if need be, starts it, and waits until it answers.</summary>
    /// <exception cref="AzuriteException">It can't be installed, or doesn't start.</exception>
    public static async Task<AzuriteServer> StartAsync(
        AzuriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        var installation = await AzuriteInstallation.EnsureAsync(cancellationToken: cancellationToken);
        var server = new AzuriteServer(installation, options ?? new());
        try
        {
            for (var tries = 1; !await server.TryAnyPortAsync(cancellationToken); tries++)
            {
                if (tries == Tries)
                {
                    throw new AzuriteException("No free port was found for Azurite.");
                }
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Several at once, each with an account of its own, and directories below the one given.</summary>
    /// <exception cref="AzuriteException">One of them can't be started; none is left.</exception>
    public static async Task<IReadOnlyList<AzuriteServer>> StartAsync(
        int count, AzuriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var starts = Enumerable.Range(0, count)
            .Select(number => StartAsync(
                options with
                {
                    Directory = options.Directory is null
                        ? null
                        : Path.Combine(options.Directory, number.ToString(CultureInfo.InvariantCulture)),
                },
                cancellationToken))
            .ToList();
        try
        {
            return await Task.WhenAll(starts);
        }
        catch
        {
            foreach (var start in starts.Where(start => start.IsCompletedSuccessfully))
            {
                await (await start).DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Ends it like <c>kill -9</c>, also while it is paused; returns when it has ended.</summary>
    /// <exception cref="AzuriteException">It would forget what it answered, and must not.</exception>
    public void Kill()
    {
        if (_options.ForgetsNothing)
        {
            _process?.SaveAndKill();
        }

        End();
    }

    /// <summary>Starts it after <see cref="Kill"/>, at the same port, with the same account and data.</summary>
    /// <exception cref="AzuriteException">It doesn't start.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (IsRunning)
        {
            throw new InvalidOperationException("Azurite is running.");
        }

        End();
        if (!await TryStartAsync(cancellationToken))
        {
            throw new AzuriteException($"Somebody else took port {Port} while Azurite was not running.");
        }
    }

    /// <summary>Stops it in its tracks: connections are made, requests are taken, nothing is answered. Linux.</summary>
    public void Pause() => Running.Pause();

    /// <summary>Lets it go on, with the requests that came meanwhile.</summary>
    public void Resume() => Running.Resume();

    /// <summary>Ends it; deletes its data if they are in a temporary directory.</summary>
    public ValueTask DisposeAsync()
    {
        if (_options.Directory is not null)
        {
            _process?.SaveAndEnd();
        }

        End();
        if (_options.Directory is null && System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    private void End()
    {
        _process?.Dispose();
        _process = null;
    }

    private Task<bool> TryAnyPortAsync(CancellationToken cancellationToken)
    {
        Port = RandomNumberGenerator.GetInt32(FirstPort, EndOfPorts);
        return TryStartAsync(cancellationToken);
    }

    /// <summary>False if the port is taken.</summary>
    private async Task<bool> TryStartAsync(CancellationToken cancellationToken)
    {
        var process = AzuriteProcess.Start(Arguments(), $"{AccountName}:{_key}", Directory);
        var started = false;
        try
        {
            started = await process.IsReadyAsync(Patience, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new AzuriteException($"Azurite does not listen after {Patience}: {process.Told}", exception);
        }
        finally
        {
            if (!started)
            {
                process.Dispose();
            }
        }

        _process = started ? process : null;
        return started || process.PortWasTaken
            ? started
            : throw new AzuriteException($"Azurite ended instead of listening: {process.Told}");
    }

    private IEnumerable<string> Arguments() =>
    [
        AzuriteInstallation.Server, _installation.Directory, _options.ForgetsNothing ? "saved" : "lazy",
        "--blobHost", "127.0.0.1", "--blobPort", Port.ToString(CultureInfo.InvariantCulture),
        "--location", Directory,

        // The client library is newer than this Azurite, which would refuse its version.
        "--skipApiVersionCheck", "--disableTelemetry", "--silent",
    ];
}
