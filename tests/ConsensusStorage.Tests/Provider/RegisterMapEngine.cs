using System.Collections.Immutable;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>
/// An engine without replicas: a map of registers that changes are applied to, with the outcome that a test asks for.
/// </summary>
internal sealed class RegisterMapEngine : IConsensusEngine
{
    private static readonly ImmutableArray<ReplicaAnswer> Answers =
    [
        new(new("r0"), true, "accepted"),
        new(new("r1"), false, "no answer in time"),
        new(new("r2"), false, "not found on any silo"),
    ];

    private readonly Lock _lock = new();
    private readonly ProposerId _proposer = ProposerId.Create(Random.Shared);
    private ulong _sequence;

    public Dictionary<RegisterId, RegisterValue> Registers { get; } = [];

    /// <summary>Every change that arrived, in order.</summary>
    public List<Change> Changes { get; } = [];

    /// <summary>What becomes of the next changes; then again <see cref="Fate.Normal"/>.</summary>
    public Queue<Fate> Fates { get; } = [];

    /// <summary>Runs before a change is looked at.</summary>
    public Action BeforeChange { get; set; } = () => { };

    public RegisterVersion MintVersion() => new(_proposer, Interlocked.Increment(ref _sequence));

    public async Task<ChangeResult> ChangeAsync(
        RegisterId register, Change change, CancellationToken cancellationToken)
    {
        await Task.Yield();
        BeforeChange();
        lock (_lock)
        {
            Changes.Add(change);
            var current = Registers.GetValueOrDefault(register);
            var fate = Fates.TryDequeue(out var next) ? next : Fate.Normal;
            return fate switch
            {
                Fate.NotApplied => new ChangeResult.NotApplied(NotAppliedReason.NoQuorum, Answers),
                Fate.Overloaded => new ChangeResult.NotApplied(NotAppliedReason.Overloaded, []),
                Fate.InDoubtAndLost => InDoubt(change, current),
                Fate.InDoubtButDone when Apply(register, change, current) is ChangeResult.Applied =>
                    InDoubt(change, current),
                _ => Apply(register, change, current),
            };
        }
    }

    private static ChangeResult.Unknown InDoubt(Change change, RegisterValue? current) =>
        new(change.Attempted(current, default).InDoubt, UnknownReason.NoQuorum, Answers);

    private ChangeResult Apply(RegisterId register, Change change, RegisterValue? current)
    {
        var decision = change.Apply(current, default);
        if (decision is Decision.Put(var value))
        {
            Registers[register] = value;
        }

        return decision.ToResult(change, current);
    }
}

/// <summary>What becomes of a change.</summary>
internal enum Fate
{
    Normal,
    NotApplied,
    Overloaded,
    InDoubtAndLost,
    InDoubtButDone,
}
