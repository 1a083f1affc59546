using Orleans.Consensus.Simulation.Oracles;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that the oracle of reminders calls wrong, done to a reminder.</summary>
public sealed class ReminderOracleTests
{
    private const string Name = "name";

    private static readonly GrainId Grain = GrainId.Create("type", "key");
    private static readonly string Key = ReminderOracle.KeyOf(Grain, Name);

    private readonly List<string> _problems = [];
    private readonly ReminderOracle _oracle;

    public ReminderOracleTests() => _oracle = new(_problems.Add);

    [Fact]
    public void What_is_written_removed_and_read_one_after_the_other_is_well()
    {
        Read();
        var first = Upsert("1");
        Read(first);
        Remove("0", wasDone: false);
        var second = Upsert("2");
        Read(second);
        Remove("1", wasDone: false);
        Remove("2", wasDone: true);
        Read();
        Remove("2", wasDone: false);
        Assert.Empty(_problems);
    }

    [Fact]
    public void What_may_or_may_not_have_happened_may_be_read_or_not()
    {
        var first = Upsert("1");
        var maybe = _oracle.Begin(ReminderAction.Upsert, Key);
        Read(first);
        Read(maybe);
        _oracle.Begin(ReminderAction.Remove, Key, "1");
        Read(maybe);
        Read();
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void A_reminder_that_is_not_read_any_more_is_told()
    {
        Upsert("1");
        Read();
        AssertTold("A reminder was lost");
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void A_reminder_that_was_replaced_or_removed_and_is_read_is_told()
    {
        var first = Upsert("1");
        var second = Upsert("2");
        Read(first);
        AssertTold("that was out of date");
        Remove("2", wasDone: true);
        Read(second);
        AssertTold("came back after it was removed");
    }

    [Fact]
    [Trait("Rule", "S9")]
    public void A_reminder_in_doubt_that_was_seen_and_is_not_any_more_is_told()
    {
        var first = Upsert("1");
        var maybe = _oracle.Begin(ReminderAction.Upsert, Key);
        Read(maybe);
        Read(first);
        AssertTold("that was out of date");
        Read();
        AssertTold("A reminder was lost");
    }

    [Fact]
    [Trait("Rule", "S7")]
    public void A_reminder_that_is_written_twice_by_one_call_is_told()
    {
        // Somebody sees it, and removes it, before its writer is told that it is written.
        var upsert = _oracle.Begin(ReminderAction.Upsert, Key);
        _oracle.Read(_oracle.Begin(ReminderAction.Read, Key), [Key], [Entry(upsert, "1")]);
        Remove("1", wasDone: true);
        _oracle.Upserted(upsert, "1");
        Read();
        Assert.Empty(_problems);
        Read(upsert);
        AssertTold("came back after it was removed");
    }

    [Fact]
    [Trait("Rule", "S10")]
    public void A_removal_over_an_etag_that_is_not_there_any_more_is_told()
    {
        Upsert("1");
        Upsert("2");
        Remove("1", wasDone: true);
        AssertTold("was removed that was not there any more");
    }

    [Fact]
    [Trait("Rule", "S10")]
    public void A_second_removal_of_one_reminder_is_told()
    {
        Upsert("1");
        Remove("1", wasDone: true);
        Remove("1", wasDone: true);
        AssertTold("was removed that was not there any more");
    }

    [Fact]
    public void A_removal_that_is_refused_for_no_reason_is_told()
    {
        Upsert("1");
        Remove("1", wasDone: false);
        AssertTold("was refused for no reason");
    }

    [Fact]
    [Trait("Rule", "S8")]
    public void An_etag_that_is_given_twice_or_changes_is_told()
    {
        var first = Upsert("1");
        _oracle.Read(_oracle.Begin(ReminderAction.Read, Key), [Key], [Entry(first, "other")]);
        AssertTold("with an ETag not its own");
        Upsert("1");
        AssertTold("the ETag of another one");
    }

    [Fact]
    public void A_reminder_that_nobody_wrote_or_that_is_there_twice_is_told()
    {
        var read = _oracle.Begin(ReminderAction.Read, Key);
        _oracle.Read(read, [Key], [Entry(read, "1")]);
        AssertTold("that nobody wrote");
        var first = Upsert("1");
        Read(first, first);
        AssertTold("was read twice");
    }

    private void AssertTold(string problem)
    {
        Assert.Contains(problem, Assert.Single(_problems), StringComparison.Ordinal);
        _problems.Clear();
    }

    private ReminderCall Upsert(string etag)
    {
        var call = _oracle.Begin(ReminderAction.Upsert, Key);
        _oracle.Upserted(call, etag);
        return call;
    }

    private void Remove(string etag, bool wasDone) =>
        _oracle.Removed(_oracle.Begin(ReminderAction.Remove, Key, etag), wasDone);

    private void Read(params ReminderCall[] found) => _oracle.Read(
        _oracle.Begin(ReminderAction.Read, Key), [Key], found.Select(call => Entry(call, call.ETag ?? "unknown")));

    private static ReminderEntry Entry(ReminderCall upsert, string etag) => new()
    {
        GrainId = Grain,
        ReminderName = Name,
        Period = ReminderOracle.PeriodOf(upsert),
        ETag = etag,
    };
}
