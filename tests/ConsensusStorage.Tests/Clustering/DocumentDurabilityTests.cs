using System.Collections.Immutable;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>What can be seen in a place may be gone after a loss of power.</summary>
public sealed class DocumentDurabilityTests
{
    private readonly ImmutableArray<MemoryDocuments> _places = MembershipBench.Memory(3);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Place 1 shows a change whose flush failed, place 2 has it durable, place 3 is down. Place 1 loses power, place 3
    /// comes back, place 2 is cut off: what was read must still be there.
    /// </summary>
    [Fact]
    [Trait("Rule", "S9")]
    public async Task A_change_that_was_read_is_still_there_after_a_loss_of_power()
    {
        var table = await StartAsync();
        await LeaveEmptyTableAsync(1);
        _places[2].IsDown = true;
        Assert.Empty((await table.ReadAllAsync()).Members);

        _places[0].LosePower();
        (_places[1].IsDown, _places[2].IsDown) = (true, false);
        Assert.Empty((await table.ReadAllAsync()).Members);
        Assert.Empty((await (await MembershipBench.StartAsync(_places)).ReadAllAsync()).Members);
    }

    [Fact]
    [Trait("Rule", "S9")]
    public async Task Documents_that_cannot_be_made_durable_count_for_no_read()
    {
        var table = await StartAsync();
        await LeaveEmptyTableAsync(1);
        (_places[0].FailsFlushes, _places[2].IsDown) = (true, true);
        var impatient = new TestedTable(MembershipBench.Open(_places, request: TimeSpan.FromMilliseconds(300)));
        await Assert.ThrowsAsync<DocumentsUnavailableException>(impatient.ReadAllAsync);

        _places[2].IsDown = false;
        Assert.Empty((await table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task Clients_take_what_they_see_and_write_nothing()
    {
        await StartAsync();
        await LeaveEmptyTableAsync(1);
        (_places[0].FailsFlushes, _places[2].IsDown) = (true, true);
        var writes = _places.Sum(place => place.Writes);
        Assert.Empty(await MembershipBench.Gateways(_places).GetGatewaysAsync(Stop));
        Assert.Equal(writes, _places.Sum(place => place.Writes));
    }

    [Fact]
    public async Task Documents_that_are_known_to_be_durable_are_not_flushed_again()
    {
        var table = await StartAsync();
        await table.ReadAllAsync();
        var (flushes, writes) = (_places.Sum(place => place.Flushes), _places.Sum(place => place.Writes));
        for (var reads = 0; reads < 10; reads++)
        {
            await table.ReadAllAsync();
        }

        Assert.Equal(flushes, _places.Sum(place => place.Flushes));
        Assert.Equal(writes, _places.Sum(place => place.Writes));
    }

    /// <summary>A document that goes back to what was durable is no older copy of itself.</summary>
    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_place_that_a_loss_of_power_took_something_from_keeps_its_vote()
    {
        var table = await StartAsync();
        await LeaveEmptyTableAsync();
        _places[0].FailsFlushes = true;
        await table.ReadAllAsync();
        _places[0].LosePower();
        (_places[0].FailsFlushes, _places[1].IsDown) = (false, true);
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task No_document_gets_its_vote_while_another_may_still_forget_that_it_is_there()
    {
        _places[2].FailsFlushes = true;
        var late = new TestedTable(MembershipBench.Open(_places, request: TimeSpan.FromMilliseconds(300)));
        await Assert.ThrowsAsync<DocumentsUnavailableException>(() => late.InitializeAsync());
        foreach (var place in _places)
        {
            place.LosePower();
        }

        _places[2].FailsFlushes = false;
        await StartAsync();
        Assert.All(_places, place => Assert.True(ContentOf(place).IsFormed));
    }

    private async Task<TestedTable> StartAsync()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry(SiloStatus.Active));
        return table;
    }

    private static AcceptorDocument ContentOf(MemoryDocuments place) =>
        AcceptorDocument.Decode(place.Documents[MembershipBench.DocumentName].Bytes.Span);

    /// <summary>Place 1 accepts an empty table above all that was accepted, and others have it, too.</summary>
    private async Task LeaveEmptyTableAsync(params int[] isAlsoIn)
    {
        var round = _places.Max(place => ContentOf(place).State.Highest.Round) + 1;
        var ballot = new Ballot(round, new(7));
        var value = new RegisterValue(new(new(7), 1), new PayloadBytes(MembershipRows.Empty.Encode()));
        foreach (var place in isAlsoIn)
        {
            _places[place].Put(MembershipBench.DocumentName, WithTable(_places[place]));
        }

        _places[0].FailsFlushes = true;
        var tag = _places[0].Documents[MembershipBench.DocumentName].Tag;
        var write = _places[0].TryWriteAsync(MembershipBench.DocumentName, tag, WithTable(_places[0]), Stop).AsTask();
        await Assert.ThrowsAsync<IOException>(() => write);
        _places[0].FailsFlushes = false;

        ReadOnlyMemory<byte> WithTable(MemoryDocuments place) =>
            (ContentOf(place) with { State = new(ballot, ballot, value) }).Encode();
    }
}
