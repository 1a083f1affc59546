using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.Crashes.Faults;

/// <summary>
/// Nothing gets from one silo to the others, or back, until they think it is dead; customers reach it all the time.
/// What it answers has to be right, and it has to end itself when it learns what the others think.
/// </summary>
internal sealed class Cut : Fault
{
    public const string FaultName = "cut";

    public override string Name => FaultName;

    public override string Purpose =>
        "a silo is cut off from the others until it is thought dead, and started again when it has ended (Linux, root)";

    // Azurite listens on this machine's loopback address, where silos with networks of their own do not reach it.
    public override bool IsFor(CrashOptions options) => !options.IsAzure;

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silo = scene.PickOne();
        var network = scene.Network ?? throw new InvalidOperationException("There is no network to cut.");
        using var harm = scene.Service.Harm([silo]);
        scene.Doom([silo]);
        await network.CutOffAsync(silo);
        var asking = scene.AskUntilItEndsAsync(silo);
        await scene.BecomeDeadAsync([silo]);
        await scene.ProgressAsync(more: 3);
        await scene.LingerAsync();
        await network.HealAsync(silo);
        var told = await asking;
        await scene.RestartAsync([silo]);
        return $"{Scene.NamesOf([silo])} cut off from the others: {told}";
    }
}
