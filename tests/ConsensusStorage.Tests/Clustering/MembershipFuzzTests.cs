using System.Collections.Immutable;
using CsCheck;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Tests.Fuzzing;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>What stands in membership documents.</summary>
[Trait("Kind", "Fuzz")]
public sealed class MembershipFuzzTests
{
    private static readonly Gen<Ballot> Ballots = Gen.Select(
        Gen.Long[1, Ballot.MaxRound], Gen.ULong, (round, proposer) => new Ballot(round, new(proposer)));

    private static readonly Gen<RegisterValue> Values = Gen.Select(
        Gen.ULong, Gen.Bool, Gen.Byte.Array[0, 200], (sequence, isTombstone, bytes) => new RegisterValue(
            new(new(sequence), sequence), isTombstone ? null : new PayloadBytes(bytes)));

    private static readonly Gen<AcceptorState> States = Gen.OneOf(
        Ballots.Select(promised => new AcceptorState(promised, Ballot.None, null)),
        Gen.Select(
            Ballots, Ballots, Values, (promised, accepted, value) => new AcceptorState(promised, accepted, value)));

    private static readonly Gen<AcceptorDocument> Documents = Gen.Select(
        Gen.Int[1, 9], Gen.Int[0, 8], Gen.Bool, Gen.Bool, States, (replicas, index, knows, formed, state) =>
        {
            var ids = Enumerable.Range(1, replicas).Select(id => new LogId((UInt128)id)).ToImmutableArray();
            return new AcceptorDocument(
                new("service", "cluster", replicas),
                index % replicas,
                ids[index % replicas],
                knows ? ids : [],
                knows && formed,
                state);
        });

    [Fact]
    public void A_document_comes_back_as_it_was_and_a_changed_one_is_refused()
    {
        var bytes = Documents.Select(document => document.Encode().ToArray());
        Fuzz.Run(
            bytes, document => Assert.Equal(document, AcceptorDocument.Decode(document).Encode().ToArray()), 500);
        Fuzz.Run(Mutant.Of(bytes), Check, 2000);
        Fuzz.Run(Gen.Byte.Array, Check, 500);
    }

    [Fact]
    public void Bytes_that_are_no_table_are_refused()
    {
        var table = Gen.Int[0, 3].Select(count => Enumerable.Range(0, count))
            .Select(rows => rows.Select(_ => new MembershipRow(MembershipBench.Entry(), "etag")).ToList())
            .Select(rows => new MembershipRows(7, rows).Encode());
        Fuzz.Run(table, bytes => Assert.Equal(bytes, MembershipRows.Decode(bytes).Encode()), 100);
        Fuzz.Run(Gen.OneOf(Mutant.Of(table), Gen.Byte.Array), CheckTable, 2000);
    }

    private static void Check(byte[] bytes)
    {
        try
        {
            // Whoever changes a byte has to make the sum fit.
            Assert.Equal(bytes, AcceptorDocument.Decode(bytes).Encode().ToArray());
        }
        catch (InvalidDataException exception)
        {
            Assert.StartsWith("it is", exception.Message, StringComparison.Ordinal);
        }
    }

    private static void CheckTable(byte[] bytes)
    {
        try
        {
            MembershipRows.Decode(bytes);
        }
        catch (InvalidDataException exception)
        {
            Assert.StartsWith("The membership table", exception.Message, StringComparison.Ordinal);
        }
    }
}
