using System.Collections.Immutable;

namespace Orleans.Consensus.Simulation.Scenarios;

/// <summary>What the runs of a profile are made of.</summary>
internal enum Subject
{
    /// <summary>Silos with the engine, its replicas and their logs.</summary>
    Store,

    /// <summary>The same, with the reminders of its grains.</summary>
    Reminders,

    /// <summary>Silos and clients of a cluster whose membership is in documents.</summary>
    Membership,
}

/// <summary>What kind of bad luck a run has.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="Purpose">One line about it.</param>
/// <param name="Weights">How often each kind of fault comes, relative to the others.</param>
internal sealed record Profile(string Name, string Purpose, ImmutableArray<(FaultKind Kind, int Weight)> Weights)
{
    /// <summary>Operations after which the clients rest. After the faults, two reads of each register follow.</summary>
    public required int Operations { get; init; }

    /// <summary>What each seed is to have at least, with the operations after the faults.</summary>
    public (int Operations, int Faults) Least { get; init; }

    public Subject Subject { get; init; }

    /// <summary>The shortest and the longest pause between two faults, in milliseconds.</summary>
    public required (int Shortest, int Longest) Spacing { get; init; }

    /// <summary>The share of a clock's jumps that go over hours.</summary>
    public double FarJumps { get; init; } = 0.2;

    /// <summary>The share of seeds in which replicas float over blobs; in the others each has a disk.</summary>
    public double Floating { get; init; }

    /// <summary>Those that float do it over shared directories instead of blobs.</summary>
    public bool Shares { get; init; }

    /// <summary>How many times as long as usual everything lasts.</summary>
    public int Lasting { get; init; } = 1;

    public static readonly Profile Default = new(
        "default", "every kind of fault, 300 operations and more",
        [
            (FaultKind.Loss, 8), (FaultKind.Duplication, 5), (FaultKind.Reordering, 5), (FaultKind.Delay, 5),
            (FaultKind.OneWayCut, 5), (FaultKind.Partition, 5), (FaultKind.Flapping, 3),
            (FaultKind.Crash, 8), (FaultKind.CrashInWrite, 5), (FaultKind.Kill, 4), (FaultKind.Restart, 4),
            (FaultKind.Pause, 5), (FaultKind.WrongView, 4), (FaultKind.ClockJump, 5), (FaultKind.ClockDrift, 3),
            (FaultKind.SlowDisk, 4), (FaultKind.FailingDisk, 4), (FaultKind.FailingFlush, 4), (FaultKind.FullDisk, 3),
            (FaultKind.BitFlip, 2), (FaultKind.WipedDisk, 2),
            (FaultKind.FlappingViews, 4), (FaultKind.Zombie, 5), (FaultKind.Leave, 4), (FaultKind.AccountDown, 5),
            (FaultKind.NoRights, 4), (FaultKind.CutOff, 5), (FaultKind.SlowAccount, 5), (FaultKind.Throttling, 5),
            (FaultKind.LostRequests, 5), (FaultKind.UnansweredAppends, 5), (FaultKind.LateAppends, 5),
            (FaultKind.LostAccount, 3),
        ])
    {
        Least = (300, 10),
        Operations = 252,
        Spacing = (20, 250),
        Floating = 0.2,
    };

    /// <summary>All that can be asked for by name.</summary>
    public static readonly ImmutableArray<Profile> All =
    [
        Default,
        new("network", "a network that loses, repeats, delays, reorders and parts, all the time",
            [
                (FaultKind.Loss, 8), (FaultKind.Duplication, 5), (FaultKind.Reordering, 5), (FaultKind.Delay, 5),
                (FaultKind.OneWayCut, 6), (FaultKind.Partition, 6), (FaultKind.Flapping, 5), (FaultKind.WrongView, 4),
                (FaultKind.Pause, 1), (FaultKind.Kill, 1),
            ])
        {
            Operations = 200,
            Spacing = (5, 100),
        },
        new("storage", "disks that fail, fill up, tear, rot and are lost",
            [
                (FaultKind.CrashInWrite, 8), (FaultKind.Crash, 5), (FaultKind.SlowDisk, 4), (FaultKind.FailingDisk, 6),
                (FaultKind.FailingFlush, 6), (FaultKind.FullDisk, 5), (FaultKind.BitFlip, 5), (FaultKind.WipedDisk, 3),
                (FaultKind.Kill, 2), (FaultKind.Restart, 1), (FaultKind.Loss, 1),
            ])
        {
            Operations = 200,
            Spacing = (10, 150),
        },
        new("crash", "processes and machines that go down, stand still and are thought dead, many at a time",
            [
                (FaultKind.Crash, 8), (FaultKind.CrashInWrite, 4), (FaultKind.Kill, 6), (FaultKind.Restart, 4),
                (FaultKind.Pause, 6), (FaultKind.WrongView, 4), (FaultKind.SlowDisk, 2), (FaultKind.Loss, 1),
            ])
        {
            Operations = 200,
            Spacing = (10, 150),
        },
        new("clocks", "clocks that are hours off, jump and drift",
            [
                (FaultKind.ClockJump, 8), (FaultKind.ClockDrift, 5), (FaultKind.Crash, 2), (FaultKind.Kill, 1),
                (FaultKind.Loss, 2), (FaultKind.Partition, 2), (FaultKind.Pause, 1), (FaultKind.Reordering, 2),
            ])
        {
            Operations = 200,
            Spacing = (10, 150),
            FarJumps = 0.5,
        },
        new("blobs", "floating replicas over storage accounts that are down, slow, full of work, and lose answers",
            [
                (FaultKind.AccountDown, 5), (FaultKind.NoRights, 3), (FaultKind.CutOff, 6), (FaultKind.SlowAccount, 5),
                (FaultKind.Throttling, 6), (FaultKind.LostRequests, 6), (FaultKind.UnansweredAppends, 8),
                (FaultKind.LateAppends, 8), (FaultKind.LostAccount, 2), (FaultKind.Crash, 3), (FaultKind.WrongView, 3),
                (FaultKind.Zombie, 2), (FaultKind.Leave, 1), (FaultKind.Loss, 1),
            ])
        {
            Operations = 200,
            Spacing = (10, 200),
            Floating = 1,
            Lasting = 2,
        },
        new("takeover", "floating replicas on silos that come, go, stand still, and disagree about who is there",
            [
                (FaultKind.Zombie, 8), (FaultKind.WrongView, 8), (FaultKind.FlappingViews, 6), (FaultKind.Leave, 5),
                (FaultKind.Restart, 4), (FaultKind.Kill, 3), (FaultKind.Crash, 2), (FaultKind.Pause, 3),
                (FaultKind.Partition, 2), (FaultKind.OneWayCut, 2), (FaultKind.CutOff, 3),
                (FaultKind.UnansweredAppends, 2), (FaultKind.LateAppends, 2), (FaultKind.SlowAccount, 2),
            ])
        {
            Operations = 200,
            Spacing = (10, 300),
            Floating = 1,
            Lasting = 3,
        },
        new("shared", "floating replicas over directories that all silos share, on servers that fail and lose power",
            [
                (FaultKind.ServerCrash, 8), (FaultKind.CrashInWrite, 5), (FaultKind.Crash, 5), (FaultKind.Kill, 3),
                (FaultKind.FailingFlush, 4), (FaultKind.FailingDisk, 3), (FaultKind.SlowDisk, 3),
                (FaultKind.FullDisk, 2), (FaultKind.Zombie, 6), (FaultKind.Pause, 5), (FaultKind.WrongView, 5),
                (FaultKind.FlappingViews, 4), (FaultKind.Leave, 3), (FaultKind.Restart, 3), (FaultKind.Loss, 1),
                (FaultKind.Partition, 2),
            ])
        {
            Operations = 200,
            Spacing = (10, 250),
            Floating = 1,
            Shares = true,
            Lasting = 2,
        },
        new("membership", "a cluster's membership in documents, of silos that come, go, stand still and cross others",
            [
                (FaultKind.AccountDown, 5), (FaultKind.NoRights, 3), (FaultKind.CutOff, 5), (FaultKind.SlowAccount, 4),
                (FaultKind.Throttling, 5), (FaultKind.LostRequests, 6), (FaultKind.UnansweredAppends, 8),
                (FaultKind.LateAppends, 8), (FaultKind.LostAccount, 2), (FaultKind.OlderCopy, 4), (FaultKind.Kill, 5),
                (FaultKind.Pause, 4), (FaultKind.Zombie, 3), (FaultKind.Leave, 2), (FaultKind.ClockJump, 3),
                (FaultKind.ClockDrift, 2), (FaultKind.LostFlushes, 6), (FaultKind.PlacePower, 6),
            ])
        {
            Subject = Subject.Membership,
            Operations = 160,
            Spacing = (10, 200),
            Floating = 1,
            Lasting = 2,
        },
        new("reminders", "grains' reminders in the store, on disks or blobs, written by many silos at once",
            [
                (FaultKind.Loss, 5), (FaultKind.OneWayCut, 3), (FaultKind.Partition, 5), (FaultKind.Reordering, 3),
                (FaultKind.Delay, 3), (FaultKind.Crash, 5), (FaultKind.Kill, 5), (FaultKind.Restart, 3),
                (FaultKind.Pause, 4), (FaultKind.WrongView, 3), (FaultKind.FailingDisk, 3), (FaultKind.FailingFlush, 2),
                (FaultKind.Zombie, 3), (FaultKind.UnansweredAppends, 3), (FaultKind.LateAppends, 3),
                (FaultKind.AccountDown, 2),
            ])
        {
            Subject = Subject.Reminders,
            Operations = 200,
            Spacing = (10, 200),
            Floating = 0.25,
        },
    ];

    public static Profile? Find(string name) => All.FirstOrDefault(profile => profile.Name == name);
}
