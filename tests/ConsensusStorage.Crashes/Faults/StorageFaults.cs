using Orleans.Consensus.Crashes.Processes;
using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.Crashes.Faults;

/// <summary>
/// A replica's directory is lost while its silo is down: the silo runs, its replica is refused, and says what to do.
/// When that is done, it is as before.
/// </summary>
internal sealed class LostDirectory : Fault
{
    public override string Name => "lost-directory";

    public override string Purpose => "a replica's directory is gone when its silo starts, and is put back later";

    public override bool IsFor(CrashOptions options) => !options.IsAzure;

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var silo = scene.PickOne();
        var directory = scene.Plan.DirectoryOf(silo);
        var elsewhere = $"{directory}-elsewhere";
        using var harm = scene.Service.Harm([silo]);
        await scene.Silos.KillAsync(silo);
        Directory.Move(directory, elsewhere);
        await scene.Silos.StartAsync(silo);
        var problem = await scene.BecomeRefusedAsync(BankPlan.NameOf(silo));
        ViolationException.Unless(
            problem.Contains("emptied", StringComparison.Ordinal)
            && problem.Contains("Put the original directory back", StringComparison.Ordinal),
            $"The replica without its directory says: {problem}");
        await scene.ProgressAsync(more: 3);

        await scene.Silos.KillAsync(silo);
        Directory.Delete(directory, recursive: true);
        Directory.Move(elsewhere, directory);
        await scene.Silos.StartAsync(silo);
        await scene.RecoverAsync();
        return $"{Scene.NamesOf([silo])} killed, started without its directory, refused, and started with it again";
    }
}

/// <summary><c>kill -9</c> of Azurites, and a start with their data after a while.</summary>
internal sealed class KilledAccount : Fault
{
    public override string Name => "kill-account";

    public override string Purpose =>
        "kill -9 of a storage account's Azurite, then of a silo, start of the silo, and of the account with its data";

    public override bool IsFor(CrashOptions options) => options.IsAzure;

    public override async Task<string> StrikeAsync(Scene scene)
    {
        var accounts = scene.PickMinority();
        foreach (var account in accounts)
        {
            scene.Accounts[account].Kill();
        }

        await scene.ProgressAsync(more: 5);

        // The membership is in these accounts, too: who dies is missed, and who starts joins.
        var silo = scene.PickOne();
        using var harm = scene.Service.Harm([silo]);
        await scene.Silos.KillAsync(silo);
        await scene.BecomeDeadAsync([silo]);
        await scene.ProgressAsync(more: 3);
        await scene.Silos.StartAsync(silo);
        await Task.WhenAll(accounts.Select(account => scene.Accounts[account].StartAgainAsync()));
        await scene.RecoverAsync();
        return $"the account of {Scene.NamesOf(accounts)} killed, {Scene.NamesOf([silo])} killed and started meanwhile";
    }
}
