using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Short names for ballots, versions, values and changes in tests.</summary>
internal static class Examples
{
    private static readonly ImmutableArray<RegisterValue> Values =
        [.. Enumerable.Range(0, 100).Select(n => new RegisterValue(V((ulong)n), new PayloadBytes(new[] { (byte)n })))];

    public const long NoCeiling = long.MaxValue;

    public static Ballot B(long round, int proposer = 1) => new(round, new((UInt128)proposer));

    /// <summary>The version number <paramref name="sequence"/> of some writer.</summary>
    public static RegisterVersion V(ulong sequence, int writer = 1) => new(new((UInt128)writer), sequence);

    /// <summary>Always the same object for one number: payloads are handles, equal by reference.</summary>
    public static RegisterValue Value(ulong sequence) => Values[(int)sequence];

    public static RegisterValue Tombstone(ulong sequence) => new(V(sequence), null);

    public static RegisterValue Bare(RegisterValue value) =>
        value.IsTombstone ? value : value with { Payload = Payload.Omitted };

    public static InDoubt Doubt(params RegisterVersion[] versions) => new([.. versions], null);

    public static InDoubt DoubtOver(RegisterVersion? tombstone, params RegisterVersion[] versions) =>
        new([.. versions], new Absence(tombstone));

    public static Change.Read Read(ulong version, InDoubt? doubt = null) => new(V(version), doubt ?? InDoubt.None);

    public static Change.Write Write(ulong version, ulong? expected, InDoubt? doubt = null) =>
        new(V(version), doubt ?? InDoubt.None, Expected(expected), Value(version).Payload!);

    public static Change.Clear Clear(ulong version, ulong? expected, InDoubt? doubt = null) =>
        new(V(version), doubt ?? InDoubt.None, Expected(expected));

    public static AcceptorState Held(Ballot promised, Ballot accepted, RegisterValue? value) =>
        new(promised, accepted, value);

    /// <summary>Runs one acceptor on one request as the shell would, without ceilings.</summary>
    public static AcceptorStep Step(AcceptorState state, Request request, Ballot floor = default) => request switch
    {
        Prepare prepare => Acceptor.On(state, new GroupFloor(floor, Ballot.None), prepare, NoCeiling),
        Accept accept => Acceptor.On(state, accept, NoCeiling),
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };

    /// <summary>Decides where no tombstone was ever dropped.</summary>
    public static Decision Apply(this Change change, RegisterValue? current) => change.Apply(current, default);

    public static Change Attempted(this Change change, RegisterValue? seen) => change.Attempted(seen, default);

    /// <summary>Installs a value where no tombstone was ever dropped.</summary>
    public static AcceptorState Install(AcceptorState state, Ballot chosenAt, RegisterValue chosen) =>
        Acceptor.Install(state, default, chosenAt, chosen, Ballot.None);

    /// <summary>Floor and horizon, raised together.</summary>
    public static GroupFloor Both(Ballot ballot) => new(ballot, ballot);

    public static ImmutableArray<Ballot> Ballots(params Ballot[] ballots) => [.. ballots];

    private static RegisterVersion? Expected(ulong? sequence) => sequence is { } known ? V(known) : null;
}
