using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>
/// The sample as users run it, a process of its own, and what it has printed. It never outlives the object, nor these
/// tests. Thread-safe.
/// </summary>
internal sealed class SampleProgram : IAsyncDisposable
{
    /// <summary>Ctrl-C.</summary>
    public const int Interrupt = 2;

    /// <summary>What a service manager sends first.</summary>
    public const int Terminate = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];

    private SampleProgram(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        // Referenced programs are copied beside the tests, with all they need to run.
        var program = Path.Combine(AppContext.BaseDirectory, "SampleSilo.dll");
        _process = new Process
        {
            StartInfo = new("dotnet", [program, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,

                // Whoever forgets --data finds ./data there.
                WorkingDirectory = Path.GetTempPath(),
            },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            _process.StartInfo.Environment[name] = value;
        }

        _process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_errors, line.Data);
        AppDomain.CurrentDomain.ProcessExit += OnTestsExit;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Output => Copy(_output);

    public IReadOnlyList<string> Errors => Copy(_errors);

    public static SampleProgram Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        new(arguments, environment);

    /// <summary>Runs it to its end.</summary>
    public static async Task<ProgramResult> RunAsync(params string[] arguments)
    {
        await using var program = new SampleProgram(arguments);
        var code = await program.ExitAsync(Eventually.Patience);
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

            if (Stopwatch.GetElapsedTime(started) > Eventually.Patience)
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
        AppDomain.CurrentDomain.ProcessExit -= OnTestsExit;
        await KillAsync();
        _process.Dispose();
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

    private static void Add(List<string> lines, string? line)
    {
        if (line is not null)
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }
    }

    private static List<string> Copy(List<string> lines)
    {
        lock (lines)
        {
            return [.. lines];
        }
    }

    private async Task<int> ExitAsync(TimeSpan within)
    {
        using var deadline = new CancellationTokenSource(within);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"It has not ended within {within}.", exception);
        }
    }

    private void OnTestsExit(object? sender, EventArgs arguments) => _process.Kill();
}

/// <summary>A program's end.</summary>
internal sealed record ProgramResult(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors);
