using System.Diagnostics;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>The console of the simulator in a process of its own, with the dependencies of these tests.</summary>
internal static class SimulatorProcess
{
    /// <returns>All that it wrote, and its exit code.</returns>
    public static async Task<(string Output, int ExitCode)> RunAsync(params string[] arguments)
    {
        var tests = Path.ChangeExtension(typeof(SimulatorProcess).Assembly.Location, null);
        string[] asTheseTests = ["--depsfile", $"{tests}.deps.json", "--runtimeconfig", $"{tests}.runtimeconfig.json"];
        var simulator = typeof(SimulateCommand).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", ["exec", .. asTheseTests, simulator, .. arguments])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (output, process.ExitCode);
    }
}
