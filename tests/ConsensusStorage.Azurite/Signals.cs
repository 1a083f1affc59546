using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Orleans.Consensus.Azurite;

/// <summary>Stops a process in its tracks and lets it go on. Unix alone.</summary>
internal static class Signals
{
    private const int Continue = 18;
    private const int Stop = 19;

    /// <summary>Returns when the process does nothing any more.</summary>
    public static void Suspend(int process)
    {
        Send(process, Stop);
        var status = $"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat";

        // The signal is under way when kill returns. Nothing tells of its arrival but a look.
        if (File.Exists(status) && !SpinWait.SpinUntil(() => IsStopped(status), TimeSpan.FromSeconds(10)))
        {
            throw new TimeoutException($"Process {process} goes on after SIGSTOP.");
        }
    }

    public static void GoOn(int process) => Send(process, Continue);

    /// <summary>The state is the first word after the name, which stands in parentheses.</summary>
    private static bool IsStopped(string status)
    {
        var text = File.ReadAllText(status);
        return text[text.LastIndexOf(')')..].StartsWith(") T", StringComparison.Ordinal);
    }

    private static void Send(int process, int signal)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Only on Linux are processes paused: signals have other numbers.");
        }

        if (Kill(process, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}

/// <summary>
/// Kills a paused process when this one has ended: being paused, it would not notice, and stay for ever. A shell waits
/// for the end of its input, or for a line that tells it that nothing is to be done.
/// </summary>
internal sealed class PauseGuard : IDisposable
{
    private readonly Process _shell;

    public PauseGuard(int process) => _shell = Process.Start(new ProcessStartInfo(
        "sh", ["-c", "read line || kill -KILL \"$0\"", process.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardInput = true,
    })!;

    /// <summary>Ends the watch.</summary>
    public void Dispose()
    {
        _shell.StandardInput.WriteLine("over");
        _shell.StandardInput.Close();
        _shell.WaitForExit();
        _shell.Dispose();
    }
}
