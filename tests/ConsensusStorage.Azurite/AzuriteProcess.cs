using System.Diagnostics;

namespace Orleans.Consensus.Azurite;

/// <summary>One run of Azurite's blob service. Ends with this process at the latest.</summary>
internal sealed class AzuriteProcess : IDisposable
{
    private const string Ready = "successfully listens on";
    private const int KeptLines = 50;

    /// <summary>Exit code after SIGKILL.</summary>
    private const int Killed = 137;

    private static readonly TimeSpan LongestSaving = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Queue<string> _lines = [];
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PauseGuard? _paused;

    private AzuriteProcess(ProcessStartInfo start)
    {
        _process = new() { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Exited += (_, _) => _ready.TrySetResult(false);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool IsRunning => !_process.HasExited;

    public TimeSpan ProcessorTime => _process.TotalProcessorTime;

    /// <summary>Whether somebody else had the port.</summary>
    public bool PortWasTaken => Told.Contains("EADDRINUSE", StringComparison.Ordinal);

    /// <summary>The last lines of what it printed.</summary>
    public string Told
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <param name="arguments">The program and its arguments.</param>
    /// <param name="account">Name and key of its account, joined by a colon.</param>
    /// <param name="directory">Where it runs.</param>
    public static AzuriteProcess Start(IEnumerable<string> arguments, string account, string directory)
    {
        // The end of its input tells it that this process has ended.
        var start = new ProcessStartInfo("node", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        start.Environment["AZURITE_ACCOUNTS"] = account;
        return new(start);
    }

    /// <summary>Whether it listens, or has ended.</summary>
    /// <exception cref="TimeoutException">It does neither.</exception>
    public Task<bool> IsReadyAsync(TimeSpan patience, CancellationToken cancellationToken) =>
        _ready.Task.WaitAsync(patience, cancellationToken);

    public void Pause()
    {
        // First the guard: nobody else could end a paused process if this one were killed in between.
        _paused ??= new PauseGuard(_process.Id);
        Signals.Suspend(_process.Id);
    }

    public void Resume()
    {
        Signals.GoOn(_process.Id);
        _paused?.Dispose();
        _paused = null;
    }

    /// <summary>
    /// Ends it as SIGKILL does, once what it has answered is saved; returns when it has ended. One that is paused may
    /// do, and answer, what waits for it before.
    /// </summary>
    /// <exception cref="AzuriteException">It has ended otherwise, or not saved what it knows.</exception>
    public void SaveAndKill()
    {
        var isSaved = false;
        try
        {
            _process.StandardInput.WriteLine();
            _process.StandardInput.Flush();
            if (_paused is not null)
            {
                Resume();
            }

            isSaved = _process.WaitForExit(LongestSaving) && _process.ExitCode == Killed;
        }
        catch (IOException)
        {
            // It reads nothing any more: it has ended by itself.
        }

        Kill();
        if (!isSaved)
        {
            throw new AzuriteException($"Azurite did not save what it knew before it was killed: {Told}");
        }
    }

    /// <summary>Ends it in order, and what it knows is saved; returns when it has ended, or has had its time.</summary>
    public void SaveAndEnd()
    {
        _process.StandardInput.Close();
        if (_paused is not null)
        {
            Resume();
        }

        _process.WaitForExit(LongestSaving);
    }

    /// <summary>Ends it as SIGKILL does, paused or not, and returns when it has ended.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
        _paused?.Dispose();
        _paused = null;
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _lines.Dequeue();
            }
        }

        if (line.Contains(Ready, StringComparison.Ordinal))
        {
            _ready.TrySetResult(true);
        }
    }
}
