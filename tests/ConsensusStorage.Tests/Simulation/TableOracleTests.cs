using System.Net;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Runtime;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that the oracle of the membership table calls wrong, done to a table.</summary>
public sealed class TableOracleTests
{
    private static readonly DateTime Now = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private readonly List<string> _problems = [];
    private readonly TableOracle _oracle;
    private MembershipRows _rows = MembershipRows.Empty;
    private string _etag = "none";
    private ulong _versions;

    public TableOracleTests() => _oracle = new(_problems.Add);

    [Fact]
    public void Changes_one_after_the_other_and_reads_of_the_last_are_well()
    {
        var insert = Insert(1);
        var read = Read();
        Choose(insert);
        _oracle.End(insert, wasDone: true);
        _oracle.End(read, Told());
        var (stale, gateways) = (Update(1, SiloStatus.Dead), Call(TableAction.Gateways));
        var update = Update(1, SiloStatus.Active);
        Choose(update);
        _oracle.End(update, wasDone: true);
        _oracle.End(stale, wasDone: false);
        _oracle.End(gateways, [new Uri("gwy.tcp://127.0.0.1:30000/1")]);
        var cleanup = Call(TableAction.Cleanup, call => call with { Before = Now.AddDays(1) });
        var dead = Update(1, SiloStatus.Dead);
        Choose(dead);
        Clean();
        _oracle.End(cleanup, wasDone: true);
        _oracle.End(Read(), Told());
        Assert.Empty(_problems);
        Assert.Equal(4, _oracle.Length);
    }

    [Fact]
    public void A_value_that_is_chosen_again_at_a_higher_or_at_an_earlier_ballot_is_no_new_table()
    {
        var insert = Insert(1);
        Choose(insert, B(5));
        _oracle.Chosen(B(7), Held());
        _oracle.Chosen(B(6), Held());
        Assert.Empty(_problems);
        Assert.Equal(1, _oracle.Length);
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void A_table_that_comes_back_or_comes_too_late_is_told()
    {
        Choose(Insert(1), B(5));
        var old = Held();
        Choose(Update(1, SiloStatus.Active), B(6));
        _oracle.Chosen(B(7), old);
        AssertTold("A table was chosen behind a later one");
        Choose(Update(1, SiloStatus.Dead), B(4));
        AssertTold("A table was chosen behind a later one");
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void A_read_of_what_is_not_chosen_was_not_last_or_is_not_the_same_is_told()
    {
        Choose(Insert(1));
        var before = Told();
        Choose(Update(1, SiloStatus.Active));
        _oracle.End(Read(), before);
        AssertTold("A table was read that was out of date");

        _oracle.End(Read(), new MembershipTableData(new TableVersion(9, "never")));
        AssertTold("A table was read that is not chosen");

        _oracle.End(Read(), new MembershipTableData(Told().Version));
        AssertTold("A table was read that differs");
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void Gateways_of_a_table_that_was_not_there_at_the_time_are_told()
    {
        Choose(Insert(1));
        Choose(Update(1, SiloStatus.Active));
        Choose(Update(1, SiloStatus.Dead));
        _oracle.End(Call(TableAction.Gateways), []);
        Assert.Empty(_problems);
        _oracle.End(Call(TableAction.Gateways), [new Uri("gwy.tcp://127.0.0.1:30000/1")]);
        AssertTold("Gateways were read that are of no chosen table");
    }

    [Fact]
    [Trait("Rule", "S6")]
    public void An_acknowledged_change_that_is_not_chosen_is_told()
    {
        _oracle.End(Insert(1), wasDone: true);
        AssertTold("A change was acknowledged and is not chosen");
    }

    [Fact]
    [Trait("Rule", "S6")]
    public void A_refused_change_that_takes_effect_before_or_later_is_told()
    {
        var insert = Insert(1);
        Choose(insert);
        _oracle.End(insert, wasDone: false);
        AssertTold("A change was refused and is chosen");

        var update = Update(1, SiloStatus.Active);
        var other = Update(1, SiloStatus.Dead);
        _oracle.End(update, wasDone: false);
        _problems.Clear();
        Choose(update);
        AssertTold("a change took effect that was refused");
        Choose(other);
        AssertTold("a change took effect over a table that it did not expect");
    }

    [Fact]
    public void A_change_that_is_refused_for_no_reason_is_told()
    {
        Choose(Insert(1));
        _oracle.End(Update(1, SiloStatus.Active), wasDone: false);
        AssertTold("A change was refused for no reason");
    }

    [Fact]
    [Trait("Rule", "S10")]
    public void A_change_over_another_table_or_row_than_it_expects_is_told()
    {
        Choose(Insert(1));
        Choose(Update(1, SiloStatus.Active, call => call with { RowETag = "other" }));
        AssertTold("over a row that it did not expect");
        Choose(Update(1, SiloStatus.Dead, call => call with { TableETag = "other" }));
        AssertTold("over a table that it did not expect");
        Choose(Insert(1));
        AssertTold("over a row that it did not expect");
    }

    [Fact]
    [Trait("Rule", "S7")]
    public void A_change_that_takes_effect_twice_is_told()
    {
        var insert = Insert(1);
        Choose(insert);
        Choose(insert);
        AssertTold("a change took effect twice");
    }

    [Fact]
    public void A_change_that_leaves_out_others_or_does_something_else_is_told()
    {
        Choose(Insert(1));
        var insert = Insert(2);
        var rows = _rows;
        _rows = MembershipRows.Empty with { Version = rows.Version };
        Choose(insert);
        AssertTold("it changed others' rows");

        var update = Update(2, SiloStatus.Active);
        Choose(update, status: SiloStatus.Dead);
        AssertTold("not what was asked for");
    }

    [Fact]
    public void Versions_that_do_not_follow_one_another_are_told()
    {
        _rows = _rows with { Version = 1 };
        Choose(Insert(1));
        AssertTold("versions do not follow one another");
    }

    [Fact]
    public void A_table_that_nobody_wrote_is_told()
    {
        Choose(Insert(1) with { Number = 77 });
        AssertTold("nobody changed it");
    }

    [Fact]
    public void A_cleaning_that_nobody_wants_takes_the_living_or_takes_nothing_is_told()
    {
        Choose(Insert(1));
        Choose(Update(1, SiloStatus.Dead));
        Clean();
        AssertTold("nobody wanted to clean");

        Call(TableAction.Cleanup, call => call with { Before = Now.AddDays(1) });
        Clean();
        AssertTold("took none away");
        Choose(Insert(2));
        Choose(Update(2, SiloStatus.Active));
        Clean();
        AssertTold("nobody wanted to clean");
    }

    private static SiloAddress Silo(int number) => SiloAddress.New(IPAddress.Loopback, 11111, number);

    private void AssertTold(string problem)
    {
        Assert.Contains(problem, Assert.Single(_problems), StringComparison.Ordinal);
        _problems.Clear();
    }

    private TableCall Read() => Call(TableAction.ReadAll);

    private TableCall Insert(int silo) => Call(TableAction.Insert, call => call with
    {
        Silo = Silo(silo),
        Status = SiloStatus.Joining,
        TableETag = _etag,
        Version = _rows.Version + 1,
    });

    private TableCall Update(int silo, SiloStatus status, Func<TableCall, TableCall>? with = null) =>
        Call(TableAction.Update, call => (with ?? (same => same))(call with
        {
            Silo = Silo(silo),
            Status = status,
            TableETag = _etag,
            Version = _rows.Version + 1,
            RowETag = _rows.Find(Silo(silo))!.ETag,
        }));

    private TableCall Call(TableAction action, Func<TableCall, TableCall>? with = null) => _oracle.Begin(
        (number, began) => (with ?? (call => call))(new(number, 0, action, began)));

    /// <summary>The call's effect is chosen.</summary>
    private void Choose(TableCall call, Ballot? ballot = null, SiloStatus? status = null)
    {
        var etag = V(++_versions).ToString();
        var entry = new MembershipEntry
        {
            SiloAddress = call.Silo!,
            HostName = $"call{call.Number}",
            SiloName = "silo",
            Status = status ?? call.Status,
            ProxyPort = 30000,
            StartTime = Now,
            IAmAliveTime = Now,
        };
        _rows = _rows.With(new(entry, etag), _rows.Version + 1);
        _etag = etag;
        _oracle.Chosen(ballot ?? B(100 + (long)_versions), Held());
    }

    private void Clean()
    {
        _rows = new(_rows.Version + 1, []);
        _etag = V(++_versions).ToString();
        _oracle.Chosen(B(100 + (long)_versions), Held());
    }

    private RegisterValue Held() => new(V(_versions), new PayloadBytes(_rows.Encode()));

    private MembershipTableData Told() => new(
        [.. _rows.Rows.Select(row => Tuple.Create(row.Entry, row.ETag))], new TableVersion(_rows.Version, _etag));
}
