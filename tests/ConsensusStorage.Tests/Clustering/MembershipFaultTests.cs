using System.Collections.Immutable;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>What a membership in documents survives, and what it refuses.</summary>
public sealed class MembershipFaultTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    private readonly ImmutableArray<MemoryDocuments> _places = MembershipBench.Memory(3);

    [Fact]
    public async Task It_goes_on_without_a_minority_of_its_places()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        for (var lost = 0; lost < 3; lost++)
        {
            _places[lost].IsDown = true;
            var other = await MembershipBench.StartAsync(_places);
            var entry = MembershipBench.Entry(SiloStatus.Active);
            await MembershipBench.JoinAsync(other, entry);
            await other.UpdateIAmAliveAsync(new() { SiloAddress = entry.SiloAddress, IAmAliveTime = DateTime.UtcNow });
            Assert.Equal(lost + 2, (await table.ReadAllAsync()).Members.Count);
            var gateways = MembershipBench.Gateways(_places);
            Assert.Equal(lost + 1, (await gateways.GetGatewaysAsync(TestContext.Current.CancellationToken)).Count);
            _places[lost].IsDown = false;
        }
    }

    [Fact]
    public async Task Without_a_majority_it_says_which_places_are_gone_and_loses_nothing()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        var late = new TestedTable(MembershipBench.Open(_places, request: Short));
        _places[0].IsDown = _places[2].IsDown = true;

        var read = await Assert.ThrowsAsync<DocumentsUnavailableException>(table.ReadAllAsync);
        Assert.Contains("memory:1 is down", read.Message, StringComparison.Ordinal);
        Assert.Contains("memory:3 is down", read.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DocumentsUnavailableException>(() => late.InitializeAsync());
        await Assert.ThrowsAsync<DocumentsUnavailableException>(
            () => table.UpdateIAmAliveAsync(MembershipBench.Entry()));

        _places[0].IsDown = _places[2].IsDown = false;
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task The_first_start_needs_all_places()
    {
        _places[1].IsDown = true;
        var table = new TestedTable(MembershipBench.Open(_places, request: Short));
        var failed = await Assert.ThrowsAsync<DocumentsUnavailableException>(
            () => table.InitializeAsync());
        Assert.Contains("the first start needs all places", failed.Message, StringComparison.Ordinal);
        Assert.Contains("memory:2 is down", failed.Message, StringComparison.Ordinal);
    }

    /// <summary>Found by the simulator: rights that come back soon ended a start at once.</summary>
    [Fact]
    public async Task The_first_start_waits_for_rights_and_says_where_they_are_missing()
    {
        _places[1].IsReadOnly = true;
        var table = new TestedTable(MembershipBench.Open(_places, request: Short));
        var failed = await Assert.ThrowsAsync<DocumentsUnavailableException>(() => table.InitializeAsync());
        Assert.Contains("no rights to memory:2", failed.Message, StringComparison.Ordinal);
        _places[1].IsReadOnly = false;
        await table.InitializeAsync();
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_document_that_was_lost_is_not_made_anew_and_has_no_vote()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        _places[0].Wipe();
        table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        Assert.Empty(_places[0].Documents);

        _places[1].Wipe();
        var late = new TestedTable(MembershipBench.Open(_places, request: Short));
        var failed = await Assert.ThrowsAsync<DocumentsUnavailableException>(
            () => late.InitializeAsync());
        Assert.Contains("is gone", failed.Message, StringComparison.Ordinal);
        Assert.Empty(_places[0].Documents);
        Assert.Empty(_places[1].Documents);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_document_of_another_formation_has_no_vote()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        var others = MembershipBench.Memory(3);
        await MembershipBench.StartAsync(others);
        _places[0].Put(MembershipBench.DocumentName, others[0].Documents[MembershipBench.DocumentName].Bytes);
        _places[1].IsDown = true;

        var late = new TestedTable(MembershipBench.Open(_places, request: Short));
        await Assert.ThrowsAsync<DocumentsUnavailableException>(() => late.InitializeAsync());
        _places[1].IsDown = false;
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_document_that_was_put_back_from_an_older_copy_has_no_vote_while_somebody_remembers()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        var copy = _places[0].Documents[MembershipBench.DocumentName].Bytes;
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        await table.ReadAllAsync();
        _places[0].Put(MembershipBench.DocumentName, copy);
        _places[1].IsDown = true;

        var refused = await Assert.ThrowsAsync<DocumentsUnavailableException>(table.ReadAllAsync);
        Assert.Contains("an older copy", refused.Message, StringComparison.Ordinal);
        _places[1].IsDown = false;
        Assert.Equal(2, (await table.ReadAllAsync()).Members.Count);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_place_that_is_lost_right_after_the_formation_keeps_nobody_from_starting()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());

        // Whoever formed it was stopped before the last document had its vote.
        var last = AcceptorDocument.Decode(_places[2].Documents[MembershipBench.DocumentName].Bytes.Span);
        var unmarked = last with { IsFormed = false, State = AcceptorDocument.Fresh };
        _places[2].Put(MembershipBench.DocumentName, unmarked.Encode());
        _places[0].IsDown = true;

        table = await MembershipBench.StartAsync(_places);
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task A_place_that_takes_nothing_any_more_keeps_no_vote_from_those_behind_it()
    {
        var table = await MembershipBench.StartAsync(_places);
        foreach (var place in _places[1..])
        {
            var content = AcceptorDocument.Decode(place.Documents[MembershipBench.DocumentName].Bytes.Span);
            var unmarked = content with { IsFormed = false, State = AcceptorDocument.Fresh };
            place.Put(MembershipBench.DocumentName, unmarked.Encode());
        }

        _places[1].IsReadOnly = true;

        table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        Assert.Single((await table.ReadAllAsync()).Members);
    }

    /// <summary>Found by the simulator: it remembered what it had read, and not what it had written.</summary>
    [Fact]
    [Trait("Rule", "S13")]
    public async Task Who_wrote_a_document_last_knows_an_older_copy_of_it()
    {
        var places = MembershipBench.Memory(1);
        var table = await MembershipBench.StartAsync(places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        var before = AcceptorDocument.Decode(places[0].Documents[MembershipBench.DocumentName].Bytes.Span).State;
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());

        // All but the very last write, of what was accepted: whoever made it had read the promise.
        var after = AcceptorDocument.Decode(places[0].Documents[MembershipBench.DocumentName].Bytes.Span);
        var copy = after with { State = before with { Promised = after.State.Accepted } };
        places[0].Put(MembershipBench.DocumentName, copy.Encode());

        var refused = await Assert.ThrowsAsync<DocumentsUnavailableException>(table.ReadAllAsync);
        Assert.Contains("an older copy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_of_an_earlier_formation_or_without_rights_keeps_nobody_from_starting()
    {
        await MembershipBench.StartAsync(_places);
        var others = MembershipBench.Memory(3);
        await MembershipBench.StartAsync(others);
        _places[0].Put(MembershipBench.DocumentName, others[0].Documents[MembershipBench.DocumentName].Bytes);
        await MembershipBench.JoinAsync(await MembershipBench.StartAsync(_places), MembershipBench.Entry());
        _places[0].IsReadOnly = true;
        await MembershipBench.JoinAsync(await MembershipBench.StartAsync(_places), MembershipBench.Entry());
    }

    [Fact]
    public async Task A_place_that_hangs_holds_nobody_up_for_long()
    {
        var hanging = new HangingDocuments();
        IDocuments[] places =
        [
            new TimedDocuments(
                hanging, TimeSpan.FromMilliseconds(200), TimeProvider.System, TaskScheduler.Default),
            _places[1],
            _places[2],
        ];
        var table = await MembershipBench.StartAsync(places);
        hanging.Hangs = true;
        await MembershipBench.JoinAsync(table, MembershipBench.Entry());
        await table.UpdateIAmAliveAsync(MembershipBench.Entry());
        Assert.Single((await table.ReadAllAsync()).Members);
        hanging.Hangs = false;
    }

    [Fact]
    public async Task Without_a_majority_of_heartbeats_nobody_is_told_that_silos_are_silent()
    {
        await MembershipBench.StartAsync(_places);
        var heartbeats = new Heartbeats([.. _places], "alive/");
        var silo = MembershipBench.Entry().SiloAddress;
        await heartbeats.BeatAsync(silo, DateTime.UtcNow, TestContext.Current.CancellationToken);
        _places[0].IsDown = true;
        Assert.Single(await heartbeats.ReadAsync(TestContext.Current.CancellationToken));
        _places[1].IsDown = true;
        await Assert.ThrowsAsync<DocumentsUnavailableException>(
            () => heartbeats.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("other")]
    [InlineData("Cluster")]
    public async Task A_place_of_another_cluster_is_refused_and_stays_as_it_is(string cluster)
    {
        await MembershipBench.StartAsync(_places);
        var writes = _places.Sum(place => place.Writes);
        var failed = await Assert.ThrowsAsync<ForeignDocumentException>(
            () => MembershipBench.StartAsync(_places, cluster));
        Assert.Contains("of cluster 'cluster' of service 'service'", failed.Message, StringComparison.Ordinal);
        Assert.Equal(writes, _places.Sum(place => place.Writes));
    }

    [Fact]
    public async Task Places_in_another_order_are_refused()
    {
        await MembershipBench.StartAsync(_places);
        await Assert.ThrowsAsync<ForeignDocumentException>(
            () => MembershipBench.StartAsync([_places[1], _places[0], _places[2]]));
        await Assert.ThrowsAsync<ForeignDocumentException>(() => MembershipBench.StartAsync([_places[0]]));
    }

    [Fact]
    public async Task Clients_need_rights_to_read_only()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry(SiloStatus.Active));
        foreach (var place in _places)
        {
            place.IsReadOnly = true;
        }

        Assert.Single(await MembershipBench.Gateways(_places).GetGatewaysAsync(TestContext.Current.CancellationToken));
        var denied = await Assert.ThrowsAnyAsync<IOException>(
            () => MembershipBench.Open(_places, request: Short).TryReplaceAsync(
                new(MembershipRows.Empty, null), _ => MembershipRows.Empty, CancellationToken.None));
        Assert.Contains("There are no rights", denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S9")]
    public async Task A_change_that_was_left_halfway_is_seen_by_nobody_before_it_is_brought_to_an_end()
    {
        var table = await MembershipBench.StartAsync(_places);
        await MembershipBench.JoinAsync(table, MembershipBench.Entry(SiloStatus.Active));
        LeaveHalfway(_places[0]);
        _places[1].IsDown = true;

        var client = MembershipBench.Open(_places, request: Short);
        await Assert.ThrowsAsync<DocumentsUnavailableException>(() => client.PeekAsync(CancellationToken.None));
        Assert.Empty((await table.ReadAllAsync()).Members);
        Assert.Empty((await client.PeekAsync(CancellationToken.None)).Rows.Rows);
        _places[1].IsDown = false;
        _places[0].IsDown = true;
        Assert.Empty((await table.ReadAllAsync()).Members);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Of_changes_of_rows_at_once_none_stays_in_doubt_where_all_places_are_well(int places)
    {
        var well = MembershipBench.Memory(places);
        var tables = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => MembershipBench.StartAsync(well)));
        await Task.WhenAll(tables.Select(async table =>
        {
            var entry = MembershipBench.Entry();
            await MembershipBench.JoinAsync(table, entry);
            for (var changes = 0; changes < 10;)
            {
                var read = await table.ReadAllAsync();
                var etag = read.TryGet(entry.SiloAddress)!.Item2;
                changes += await table.UpdateRowAsync(entry, etag, read.Version.Next()) ? 1 : 0;
            }
        }));

        Assert.Equal(5 + 50, (await tables[0].ReadAllAsync()).Version.Version);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Whatever_is_acknowledged_while_requests_fail_is_there_once(int places)
    {
        var bad = MembershipBench.Memory(places);
        var tables = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => MembershipBench.StartAsync(bad)));
        foreach (var place in bad)
        {
            place.FailuresPercent = 20;
        }

        var entries = tables.SelectMany(table => Enumerable.Range(0, 4).Select(_ => (table, MembershipBench.Entry())))
            .ToList();
        await Task.WhenAll(entries.Select(entry => MembershipBench.JoinAsync(entry.table, entry.Item2)));

        foreach (var place in bad)
        {
            place.FailuresPercent = 0;
        }

        var read = await tables[0].ReadAllAsync();
        Assert.Equal(entries.Count, read.Members.Count);
        Assert.Equal(entries.Count, read.Version.Version);
    }

    /// <summary>One acceptor accepts an empty table above all that was accepted.</summary>
    private static void LeaveHalfway(MemoryDocuments place)
    {
        var document = AcceptorDocument.Decode(place.Documents[MembershipBench.DocumentName].Bytes.Span);
        var ballot = new Ballot(document.State.Highest.Round + 1, new(7));
        var value = new RegisterValue(new(new(7), 1), new PayloadBytes(MembershipRows.Empty.Encode()));
        place.Put(
            MembershipBench.DocumentName,
            (document with { State = new(ballot, ballot, value) }).Encode());
    }
}
