using System.Globalization;
using Orleans.Consensus.Crashes.Faults;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>What a run is told.</summary>
internal sealed record CrashOptions
{
    public const string FileStorage = "file";
    public const string AzureStorage = "azure";

    /// <summary>3 or 5, with a replica each.</summary>
    public int Silos { get; init; } = 3;

    /// <summary><see cref="FileStorage"/> or <see cref="AzureStorage"/>.</summary>
    public string Storage { get; init; } = FileStorage;

    /// <summary>Faults begin for so long; each kind strikes once even so.</summary>
    public double Minutes { get; init; } = 5;

    /// <summary>Decides the order of the faults, and whom they hit.</summary>
    public int Seed { get; init; }

    /// <summary>Names of the kinds of faults; all that are possible here if there are none.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Whether to fail also where service is worse than it should be. Not for a busy machine.</summary>
    public bool Goals { get; init; }

    /// <summary>A directory for logs and data, which stay there; a temporary one if null.</summary>
    public string? Data { get; init; }

    public bool IsAzure => Storage == AzureStorage;

    /// <summary>How many replicas, and silos, may be harmed without harm to the service.</summary>
    public int Minority => (Silos - 1) / 2;

    /// <summary>The kinds of faults that are asked for.</summary>
    public IReadOnlyList<Fault> Kinds => [.. Fault.All
        .Where(fault => fault.IsFor(this))
        .Where(fault => Faults.Count == 0 || Faults.Contains(fault.Name))];

    /// <summary>The command that does the same again.</summary>
    public string Command
    {
        get
        {
            var faults = Faults.Count == 0 ? "" : $" --faults {string.Join(',', Faults)}";
            var goals = Goals ? " --goals" : "";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"dotnet run --project tests/ConsensusStorage.Crashes -- --silos {Silos} --storage {Storage} "
                + $"--minutes {Minutes} --seed {Seed}{faults}{goals}");
        }
    }

    /// <summary>What is wrong, a sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (Silos is not (3 or 5))
        {
            yield return $"--silos must be 3 or 5, not {Silos}.";
        }

        if (Storage is not (FileStorage or AzureStorage))
        {
            yield return $"--storage must be {FileStorage} or {AzureStorage}, not '{Storage}'.";
        }
        else
        {
            var possible = Fault.All.Where(fault => fault.IsFor(this)).Select(fault => fault.Name).ToList();
            foreach (var name in Faults.Except(possible))
            {
                yield return $"--storage {Storage} knows no fault '{name}'. Faults: {string.Join(", ", possible)}.";
            }
        }

        if (Goals && Kinds.Any(kind => kind is not (Kill or Roll)))
        {
            yield return $"--goals are of --faults {Kill.FaultName},{Roll.FaultName} alone.";
        }

        if (Minutes is not (>= 0 and <= 100_000))
        {
            yield return "--minutes must be 0 to 100,000.";
        }

        if (Data is not null && Directory.Exists(Data) && Directory.EnumerateFileSystemEntries(Data).Any())
        {
            yield return $"--data '{Data}' must be a new or an empty directory.";
        }
    }
}
