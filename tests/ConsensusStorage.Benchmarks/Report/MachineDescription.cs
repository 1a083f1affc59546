using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>Where and when results were measured.</summary>
internal sealed record MachineDescription(
    DateTimeOffset At, string System, int Processors, string Runtime, bool ServerGc, string Load1, int StateBytes)
{
    /// <summary>The load average of the last minute, where the system tells it.</summary>
    public static string Load =>
        File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    public static MachineDescription Here(int stateBytes) => new(
        DateTimeOffset.UtcNow,
        RuntimeInformation.OSDescription,
        Environment.ProcessorCount,
        RuntimeInformation.FrameworkDescription,
        GCSettings.IsServerGC,
        Load,
        stateBytes);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At:u}, {System}, {Processors} processors, {Runtime}, server GC {(ServerGc ? "on" : "off")}, "
        + $"load {Load1}, state of {StateBytes} bytes");
}
