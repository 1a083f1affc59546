using System.Collections.Immutable;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests;

/// <summary>
/// Apply over every combination of what the register holds, what was expected, and what is in doubt. The oracle is the
/// prose of S7, S8 and S8b written down once more, without looking at the code.
/// </summary>
public sealed class ChangeTests
{
    private const ulong Own = 7;
    private const ulong Expected = 5;

    /// <summary>What a register may hold, seen from a change of version 7 that may expect 5 and may doubt 6.</summary>
    private static readonly ImmutableArray<RegisterValue?> Currents =
    [
        null, Tombstone(2), Tombstone(3), Tombstone(6), Tombstone(Own), Tombstone(Expected),
        Value(Own), Value(6), Value(Expected), Value(4),
    ];

    private static readonly ImmutableArray<InDoubt> Doubts =
    [
        InDoubt.None, Doubt(V(6)), Doubt(V(Own)), Doubt(V(6), V(Own)),
        DoubtOver(null, V(6)), DoubtOver(null, V(Own)), DoubtOver(null, V(6), V(Own)),
        DoubtOver(V(2), V(6)), DoubtOver(V(2), V(Own)), DoubtOver(V(6), V(6), V(Own)),
    ];

    private static IEnumerable<(RegisterValue? Current, InDoubt Doubt, ulong? Expected)> Combinations =>
        from current in Currents
        from doubt in Doubts
        from expected in new ulong?[] { null, Expected }
        select (current, doubt, expected);

    [Fact, Trait("Rule", "S9")]
    public void A_read_keeps_whatever_is_there()
    {
        foreach (var (current, doubt, _) in Combinations)
        {
            var read = Read(Own, doubt);
            var decision = read.Apply(current);

            Assert.Same(Decision.Keep.Instance, decision);
            Assert.Equal(new ChangeResult.Found(current), decision.ToResult(read, current));
        }
    }

    [Fact, Trait("Rule", "S8b")]
    public void A_write_decides_as_the_rules_say_in_every_combination()
    {
        foreach (var (current, doubt, expected) in Combinations)
        {
            var write = Write(Own, expected, doubt);
            var decision = write.Apply(current);

            Assert.Equal(OfWrite(current, doubt, expected), Name(decision));
            AssertPut(decision, Own, write.Payload);
            AssertResult(write, decision, current, new ChangeResult.Applied(V(Own)));
        }
    }

    [Fact, Trait("Rule", "S7")]
    public void A_clear_decides_as_the_rules_say_in_every_combination()
    {
        foreach (var (current, doubt, expected) in Combinations)
        {
            var clear = Clear(Own, expected, doubt);
            var decision = clear.Apply(current);

            Assert.Equal(OfClear(current, doubt, expected), Name(decision));
            AssertPut(decision, Own, payload: null);
            AssertResult(clear, decision, current, new ChangeResult.Applied(null));
        }
    }

    [Fact, Trait("Rule", "S8")]
    public void The_version_of_a_tombstone_is_nobodys_etag()
    {
        Assert.IsType<Decision.Stale>(Write(Own, 5).Apply(Tombstone(5)));
        Assert.IsType<Decision.Stale>(Clear(Own, 5).Apply(Tombstone(5)));
    }

    [Fact, Trait("Rule", "S8")]
    public void A_write_of_equal_bytes_is_a_new_version()
    {
        var payload = Value(5).Payload!;
        var write = new Change.Write(V(Own), InDoubt.None, V(5), payload);

        Assert.Equal(new Decision.Put(new(V(Own), payload)), write.Apply(Value(5)));
    }

    [Fact, Trait("Rule", "S7")]
    public void Applying_a_change_again_over_its_own_value_applies_nothing()
    {
        foreach (var (current, doubt, expected) in Combinations)
        {
            foreach (var change in new Change[] { Write(Own, expected, doubt), Clear(Own, expected, doubt) })
            {
                if (change.Apply(current) is Decision.Put put)
                {
                    Assert.IsType<Decision.AlreadyApplied>(change.Apply(put.Value));
                    Assert.IsType<Decision.AlreadyApplied>(change.Attempted(current).Apply(put.Value));
                }
            }
        }
    }

    [Fact, Trait("Rule", "S8b")]
    public void An_attempted_change_puts_again_only_over_what_it_saw_or_what_is_in_doubt()
    {
        foreach (var (seen, doubt, expected) in Combinations)
        {
            var write = Write(Own, expected, doubt);
            if (write.Apply(seen) is not Decision.Put)
            {
                continue;
            }

            var retry = write.Attempted(seen);
            foreach (var current in Currents.Where(current => retry.Apply(current) is Decision.Put))
            {
                var first = doubt.Binding is { } binding ? binding.Tombstone : seen?.Version;
                Assert.True(
                    current?.Version == seen?.Version || doubt.Owns(current) || current?.Version == first
                        || current?.Version == write.Expected,
                    $"{retry} was put over {current} after {seen}");
            }
        }
    }

    [Fact, Trait("Rule", "S8b")]
    public void A_write_that_first_replaced_a_version_in_doubt_takes_no_later_absence_for_the_one_it_saw()
    {
        // Sent over the owner's own version 6, chosen, then cleared by somebody else: absent, but not as it was.
        var retry = Write(Own, null, Doubt(V(6))).Attempted(Value(6));

        Assert.IsType<Decision.Undecidable>(retry.Apply(Tombstone(9)));
    }

    /// <summary>Behind another horizon the value may have been applied, cleared, and its tombstone dropped.</summary>
    [Fact, Trait("Rule", "S8b"), Trait("Rule", "S12")]
    public void A_retry_over_an_absence_at_another_horizon_ends_unknown()
    {
        var seen = new Horizon(5, B(5).Proposer);
        var retry = Write(Own, null).Attempted(null, seen);

        Assert.IsType<Decision.Put>(retry.Apply(null, seen));
        Assert.IsType<Decision.Undecidable>(retry.Apply(null, seen with { Round = 6 }));
        Assert.IsType<Decision.Undecidable>(retry.Apply(null, seen with { By = B(5, 2).Proposer }));
        Assert.IsType<Decision.Undecidable>(retry.Apply(null, default));
        Assert.IsType<Decision.Put>(Write(Own, null).Attempted(Tombstone(9), seen).Apply(Tombstone(9), default));
    }

    [Fact, Trait("Rule", "S7")]
    public void An_attempt_adds_its_version_to_those_in_doubt_once()
    {
        var once = Write(Own, 5, Doubt(V(6))).Attempted(Value(5));

        Assert.Equal([V(6), V(Own)], once.InDoubt.Versions);
        Assert.Equal(once, once.Attempted(Value(5)));
        Assert.IsType<Change.Write>(once);
        Assert.IsType<Change.Clear>(Clear(Own, 5).Attempted(Value(5)));
    }

    [Fact, Trait("Rule", "S8b")]
    public void An_attempt_over_a_value_is_bound_to_no_absence()
    {
        var retry = Write(Own, null, Doubt(V(6))).Attempted(Value(6));

        Assert.Equal(Doubt(V(6), V(Own)), retry.InDoubt);
        Assert.Equal(DoubtOver(null, V(6), V(Own)), retry.Attempted(null).InDoubt);
    }

    [Fact, Trait("Rule", "S8b")]
    public void The_first_absence_that_an_attempt_saw_is_bound_for_good()
    {
        var over = Write(Own, null);

        Assert.Equal(DoubtOver(null, V(Own)), over.Attempted(null).InDoubt);
        Assert.Equal(DoubtOver(V(2), V(Own)), over.Attempted(Tombstone(2)).InDoubt);
        Assert.Equal(DoubtOver(V(2), V(Own)), over.Attempted(Tombstone(2)).Attempted(Tombstone(3)).InDoubt);
        Assert.Equal(DoubtOver(null, V(Own)), over.Attempted(null).Attempted(Tombstone(3)).InDoubt);
    }

    [Fact]
    public void Doubts_are_equal_by_their_versions_and_binding()
    {
        Assert.Equal(Doubt(V(1), V(2)), Doubt(V(1), V(2)));
        Assert.Equal(Doubt(V(1), V(2)).GetHashCode(), Doubt(V(1), V(2)).GetHashCode());
        Assert.NotEqual(Doubt(V(1)), Doubt(V(2)));
        Assert.NotEqual(Doubt(V(1)), DoubtOver(null, V(1)));
        Assert.NotEqual(DoubtOver(V(3), V(1)), DoubtOver(null, V(1)));
        Assert.True(InDoubt.None.IsNone);
        Assert.False(Doubt(V(1)).IsNone);
        Assert.False(Doubt(V(1)).Owns(null));
        Assert.True(Doubt(V(1)).Owns(Tombstone(1)));
        Assert.False(Doubt(V(1)).Owns(Value(2)));
    }

    private static string OfWrite(RegisterValue? current, InDoubt doubt, ulong? expected)
    {
        if (current is not null && current.Version == V(Own))
        {
            return nameof(Decision.AlreadyApplied);
        }

        if (IsDoubted(current, doubt) || (expected is not null && IsLive(current, Expected)))
        {
            return nameof(Decision.Put);
        }

        if (expected is not null || IsLive(current))
        {
            return nameof(Decision.Stale);
        }

        // Bound to the absence it saw; a change that was sent over something else has seen none.
        var saw = doubt.Binding is { } binding
            ? binding.Tombstone == current?.Version
            : !doubt.Versions.Contains(V(Own));
        return saw ? nameof(Decision.Put) : nameof(Decision.Undecidable);
    }

    private static string OfClear(RegisterValue? current, InDoubt doubt, ulong? expected)
    {
        if (current is not null && current.Version == V(Own))
        {
            return nameof(Decision.AlreadyApplied);
        }

        if (IsDoubted(current, doubt) || (expected is not null && IsLive(current, Expected)))
        {
            return nameof(Decision.Put);
        }

        return expected is null && !IsLive(current) ? nameof(Decision.AlreadyApplied) : nameof(Decision.Stale);
    }

    private static bool IsLive(RegisterValue? current, ulong? version = null) =>
        current is { Payload: not null } && (version is null || current.Version == V(version.Value));

    private static bool IsDoubted(RegisterValue? current, InDoubt doubt) =>
        current is not null && doubt.Versions.Any(version => version == current.Version);

    private static string Name(Decision decision) => decision.GetType().Name;

    private static void AssertPut(Decision decision, ulong version, Payload? payload)
    {
        if (decision is Decision.Put put)
        {
            Assert.Equal(V(version), put.Value.Version);
            Assert.Same(payload, put.Value.Payload);
        }
    }

    private static void AssertResult(
        Change change, Decision decision, RegisterValue? current, ChangeResult.Applied applied)
    {
        ChangeResult expected = decision switch
        {
            Decision.Put or Decision.AlreadyApplied => applied,
            Decision.Stale => new ChangeResult.Stale(current, MayHaveHappened: !change.InDoubt.Versions.IsEmpty),
            _ => new ChangeResult.Unknown(change.InDoubt, UnknownReason.LostTrack, []),
        };
        Assert.Equal(expected, decision.ToResult(change, current));
    }
}
