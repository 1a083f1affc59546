using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Orleans.Consensus.Crashes.Processes;

/// <summary>
/// The sample as users run it, a process of its own, and what it has printed. It never outlives the object, nor this
/// process. Thread-safe.
/// </summary>
internal sealed class SampleProgram : IAsyncDisposable
{
    /// <summary>Ctrl-C.</summary>
    public const int Interrupt = 2;

    /// <summary>What a service manager sends first.</summary>
    public const int Terminate = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly StreamWriter? _log;
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];

    private SampleProgram(IEnumerable<string> arguments, ProgramPlace place)
    {
        // Referenced programs are copied beside those that refer to them, with all they need to run.
        string[] program = place.Program is { } published
            ? [published]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "SampleSilo.dll")];
        string[] command = [.. place.Prefix, .. program, .. arguments];
        _log = place.Log is null ? null : new StreamWriter(place.Log, append: true) { AutoFlush = true };
        _process = new Process
        {
            StartInfo = new(command[0], command[1..])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,

                // Whoever forgets --data finds ./data there.
                WorkingDirectory = Path.GetTempPath(),
            },
        };
        foreach (var (name, value) in place.Environment)
        {
            _process.StartInfo.Environment[name] = value;
        }

        _process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_errors, line.Data);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Output => Copy(_output);

    public IReadOnlyList<string> Errors => Copy(_errors);

    public string LastErrors => string.Join('\n', Errors.TakeLast(20));

    /// <summary>Its exit code once it has ended, else null.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    public static SampleProgram Start(IEnumerable<string> arguments, ProgramPlace? place = null) =>
        new(arguments, place ?? ProgramPlace.Default);

    /// <summary>Runs it to its end.</summary>
    public static async Task<ProgramResult> RunAsync(params string[] arguments)
    {
        await using var program = new SampleProgram(arguments, ProgramPlace.Default);
        var code = await program.ExitAsync(Waiting.Patience);
        return new(code, program.Output, program.Errors);
    }

    /// <summary>Waits for a line that begins with <paramref name="start"/>.</summary>
    /// <exception cref="InvalidOperationException">The program has ended without it.</exception>
    /// <exception cref="TimeoutException">It has not come.</exception>
    public async Task PrintsAsync(string start)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause))
        {
            var ended = _process.HasExited;
            if (Output.Any(line => line.StartsWith(start, StringComparison.Ordinal)))
            {
                return;
            }

            if (ended)
            {
                await _process.WaitForExitAsync();
                throw new InvalidOperationException($"It ended with {_process.ExitCode}: {string.Join('\n', Errors)}");
            }

            if (Stopwatch.GetElapsedTime(started) > Waiting.Patience)
            {
                throw new TimeoutException($"No line '{start}' has come: {string.Join('\n', Output.Concat(Errors))}");
            }
        }
    }

    /// <summary>Sends a signal and waits for the end; returns the exit code.</summary>
    /// <exception cref="TimeoutException">It goes on.</exception>
    public async Task<int> StopAsync(int signal, TimeSpan within)
    {
        Send(signal);
        return await ExitAsync(within);
    }

    /// <summary>Waits for the end; returns the exit code.</summary>
    /// <exception cref="TimeoutException">It goes on.</exception>
    public async Task<int> ExitAsync(TimeSpan within)
    {
        using var deadline = new CancellationTokenSource(within);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException(
                $"It has not ended within {within}: {string.Join('\n', Output.Concat(Errors))}", exception);
        }
    }

    /// <summary>Stops it in the midst of whatever it does (SIGSTOP).</summary>
    public void StandStill() => Send(19);

    /// <summary>Lets it go on (SIGCONT).</summary>
    public void GoOn() => Send(18);

    /// <summary>Ends it with <c>kill -9</c>, without a line of its code being run.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        await KillAsync();
        _process.Dispose();
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }
    }

    private void Send(int signal)
    {
        if (Signal(_process.Id, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Signal(int process, int signal);

    private void Add(List<string> lines, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (lines)
        {
            lines.Add(line);
        }

        lock (_process)
        {
            _log?.WriteLine(line);
        }
    }

    private static List<string> Copy(List<string> lines)
    {
        lock (lines)
        {
            return [.. lines];
        }
    }

    private void OnExit(object? sender, EventArgs arguments) => _process.Kill();
}

/// <summary>Where a program runs.</summary>
/// <param name="Prefix">The command that runs it, in a network of its own, say; none if empty.</param>
/// <param name="Log">The file that what it prints is added to; none if null.</param>
internal sealed record ProgramPlace(IReadOnlyList<string> Prefix, string? Log)
{
    public static readonly ProgramPlace Default = new([], null);

    /// <summary>The sample as it was published; null for the one beside the program that starts it.</summary>
    public string? Program { get; init; }

    /// <summary>Variables besides those of the program that starts it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>A program's end.</summary>
internal sealed record ProgramResult(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors);
