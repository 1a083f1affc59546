using System.Diagnostics;
using System.Globalization;
using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.Crashes.Faults;

/// <summary><c>kill -9</c>, and a start after a while.</summary>
internal sealed class Kill : Fault
{
    public const string FaultName = "kill";

    public override string Name => FaultName;

    public override string Purpose => "kill -9, and start again";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silos = scene.PickMinority();
        using var harm = scene.Service.Harm(silos);
        await scene.Silos.KillAsync(silos);
        await scene.ProgressAsync(more: 3);
        await scene.LingerAsync();
        await scene.Silos.StartAsync(silos);
        await scene.RecoverAsync();
        return $"{Scene.NamesOf(silos)} killed, and started again";
    }
}

/// <summary><c>kill -9</c> of all silos, and a start of all.</summary>
internal sealed class KillAll : Fault
{
    public override string Name => "kill-all";

    public override string Purpose => "kill -9 of all silos, and start all again";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silos = scene.Silos.Started;
        using var harm = scene.Service.Harm(silos);
        await scene.Silos.KillAsync(silos);
        await scene.Silos.StartAsync(silos);
        await scene.ProgressAsync(more: 2);
        await scene.RecoverAsync();
        return $"{Scene.NamesOf(silos)} killed, and started again";
    }
}

/// <summary>
/// <c>kill -9</c> of all silos, and again of each at some moment of its start: before it has read anything, while it
/// joins, while it opens its logs.
/// </summary>
internal sealed class KillStarting : Fault
{
    public override string Name => "kill-starting";

    public override string Purpose => "kill -9 of all silos, again of each while it starts, and start all again";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silos = scene.Silos.Started;
        using var harm = scene.Service.Harm(silos);
        await scene.Silos.KillAsync(silos);
        scene.Silos.Launch(silos);
        foreach (var silo in silos)
        {
            await scene.LingerAsync();
            await scene.Silos.KillStartingAsync(silo);
        }

        await scene.Silos.StartAsync(silos);
        await scene.ProgressAsync(more: 2);
        await scene.RecoverAsync();
        return $"{Scene.NamesOf(silos)} killed, again while they started, and started again";
    }
}

/// <summary>
/// <c>SIGSTOP</c> until the others think it is dead, then <c>SIGCONT</c>: what it answers until it knows has to be
/// right, and it has to end itself.
/// </summary>
internal sealed class StandStill : Fault
{
    public override string Name => "stand-still";

    public override string Purpose =>
        "SIGSTOP until a silo is thought dead, SIGCONT, and start it again when it has ended itself";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silos = scene.PickMinority();
        using var harm = scene.Service.Harm(silos);
        scene.Doom(silos);
        foreach (var silo in silos)
        {
            scene.Silos[silo].StandStill();
        }

        await scene.BecomeDeadAsync(silos);
        await scene.ProgressAsync(more: 3);
        await scene.LingerAsync();
        foreach (var silo in silos)
        {
            scene.Silos[silo].GoOn();
        }

        var told = await Task.WhenAll(silos.Select(scene.AskUntilItEndsAsync));
        await scene.RestartAsync(silos);
        return $"{Scene.NamesOf(silos)} stood still and went on: {string.Join(" and ", told)}";
    }
}

/// <summary><c>SIGTERM</c>, and a start after a while.</summary>
internal sealed class Stop : Fault
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    public override string Name => "stop";

    public override string Purpose => "SIGTERM, and start again";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silos = scene.PickMinority();
        using var harm = scene.Service.Harm(silos);
        foreach (var silo in silos)
        {
            await scene.Silos.StopAsync(silo, Patience);
        }

        await scene.ProgressAsync(more: 3);
        await scene.Silos.StartAsync(silos);
        await scene.RecoverAsync();
        return $"{Scene.NamesOf(silos)} stopped, and started again";
    }
}

/// <summary><c>SIGTERM</c> and a start of one silo after the other, each when the one before serves again.</summary>
internal sealed class Roll : Fault
{
    public const string FaultName = "roll";

    private static readonly TimeSpan LongestTrouble = TimeSpan.FromSeconds(5);

    public override string Name => FaultName;

    public override string Purpose => "SIGTERM and start of all silos, one after the other";

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var began = Stopwatch.GetTimestamp();
        foreach (var silo in scene.Silos.Started)
        {
            using var harm = scene.Service.Harm([silo]);
            await scene.Silos.StopAsync(silo, Stop.Patience);
            await scene.Silos.StartAsync(silo);
            await scene.RecoverAsync();
        }

        await scene.ProgressAsync(more: 2);
        var trouble = scene.LongestTrouble(began);
        ViolationException.Unless(
            !scene.Options.Goals || trouble <= LongestTrouble,
            $"A request that had to be repeated took {trouble} until it succeeded; the goal is {LongestTrouble}.");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"all silos stopped and started in turn; requests that had to be repeated took at most "
                + $"{trouble.TotalSeconds:0.0} s");
    }
}
