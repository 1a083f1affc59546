using System.Globalization;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Holds a membership table to what Orleans builds upon: the tables that were chosen are one chain, each a change of
/// the one before by one call that may have been made then; a call that was acknowledged is in the chain by then, one
/// that was refused never; and whatever is read was the last of the chain at some moment of its reading.
/// </summary>
internal sealed class TableOracle(Action<string> violated)
{
    private const string Nothing = "none";

    private readonly List<TableCall> _calls = [];
    private readonly HashSet<int> _effective = [];
    private readonly List<Table> _shown = [];
    private readonly List<Table> _chain = [new(Nothing, Ballot.None, MembershipRows.Empty, 0)];
    private int _now;

    public IReadOnlyList<TableCall> Calls => _calls;

    /// <summary>Tables that were chosen so far.</summary>
    public int Length => _chain.Count - 1;

    private Table Last => _chain[^1];

    public TableCall Begin(Func<int, int, TableCall> call)
    {
        var begun = call(_calls.Count, ++_now);
        _calls.Add(begun);
        return begun;
    }

    /// <summary>Nobody knows whether it had, or will have, its effect.</summary>
    public static void Fail(TableCall call) => (call.HasEnded, call.Outcome) = (true, TableOutcome.Unknown);

    /// <summary>A change was acknowledged or refused.</summary>
    public void End(TableCall call, bool wasDone)
    {
        (call.HasEnded, call.Outcome) = (true, wasDone ? TableOutcome.Done : TableOutcome.Refused);
        ++_now;
        if (call.Action is not (TableAction.Insert or TableAction.Update))
        {
            return;
        }

        var isEffective = _effective.Contains(call.Number);
        if (wasDone && !isEffective)
        {
            violated($"A change was acknowledged and is not chosen: {call}.");
        }
        else if (!wasDone && isEffective)
        {
            violated($"A change was refused and is chosen: {call}.");
        }
        else if (!wasDone && Last.ETag == call.TableETag && Last.Since < call.Began && Fits(call, Last.Rows))
        {
            violated($"A change was refused for no reason: {call}.");
        }
    }

    /// <summary>A table or a row of it was read.</summary>
    public void End(TableCall call, MembershipTableData read)
    {
        (call.HasEnded, call.Outcome) = (true, TableOutcome.Done);
        ++_now;
        var etag = read.Version.VersionEtag;
        var index = _chain.FindLastIndex(table => table.ETag == etag);
        if (index < 0)
        {
            violated($"A table was read that is not chosen, version {read.Version.Version}: {call}.");
            return;
        }

        var (table, rows) = (_chain[index], _chain[index].Rows.Rows.AsEnumerable());
        if (!WasLast(index, call))
        {
            violated($"A table was read that was out of date, version {read.Version.Version}: {call}.");
        }

        rows = call.Silo is null ? rows : rows.Where(row => row.Entry.SiloAddress.Equals(call.Silo));
        if (read.Version.Version != table.Rows.Version || !AreSame(rows, read))
        {
            violated($"A table was read that differs from the chosen one, version {table.Rows.Version}: {call}.");
        }
    }

    /// <summary>Gateways were read.</summary>
    public void End(TableCall call, IEnumerable<Uri> gateways)
    {
        (call.HasEnded, call.Outcome) = (true, TableOutcome.Done);
        ++_now;
        var read = gateways.Select(uri => uri.ToString()).Order(StringComparer.Ordinal).ToList();
        for (var index = Length; index >= 0 && WasLast(index, call); index--)
        {
            if (GatewaysOf(_chain[index].Rows).SequenceEqual(read))
            {
                return;
            }
        }

        // Clients have no right to flush: they may see what is about to be chosen, or lost with the next power failure.
        var last = _chain.FindLast(table => table.Since < call.Began)!;
        if (!_shown.Exists(table => table.Ballot > last.Ballot && GatewaysOf(table.Rows).SequenceEqual(read)))
        {
            violated($"Gateways were read that are of no chosen table of that time: {call}.");
        }
    }

    /// <summary>A majority of documents shows a value at one ballot, durable or not.</summary>
    public void Shown(Ballot ballot, RegisterValue value)
    {
        if (value.Payload is PayloadBytes payload)
        {
            _shown.Add(new(value.Version.ToString(), ballot, MembershipRows.Decode(payload.Bytes.Span), ++_now));
        }
    }

    /// <summary>A majority of documents has accepted a value at one ballot, and is durable.</summary>
    public void Chosen(Ballot ballot, RegisterValue value)
    {
        if (value.Version.ToString() is var etag && etag == Last.ETag)
        {
            _chain[^1] = Last with { Ballot = Ballot.Max(ballot, Last.Ballot) };
            return;
        }

        var isInChain = _chain.Exists(table => table.ETag == etag);
        if (isInChain && ballot < Last.Ballot)
        {
            // The slowest document catches up with what was chosen at a higher ballot, too.
            return;
        }

        if (isInChain || ballot < Last.Ballot)
        {
            violated($"A table was chosen behind a later one, at {ballot}: {etag}.");
            return;
        }

        if (value.Payload is not PayloadBytes payload)
        {
            violated($"The table was cleared at {ballot}.");
            return;
        }

        var rows = MembershipRows.Decode(payload.Bytes.Span);
        if (ProblemOf(rows, etag) is { } problem)
        {
            violated($"The chain of tables is broken: {problem} (version {rows.Version}, after {Last.Rows.Version}).");
        }

        _chain.Add(new(etag, ballot, rows, ++_now));
    }

    /// <summary>What is wrong with a table as the one that follows the last one; null if nothing is.</summary>
    private string? ProblemOf(MembershipRows rows, string etag)
    {
        var changed = rows.Rows.Where(row => row.ETag == etag).ToList();
        if (rows.Version != Last.Rows.Version + 1)
        {
            return "versions do not follow one another";
        }

        return changed.Count == 0
            ? ProblemOfCleaning(rows)
            : CallOf(changed[0].Entry.HostName) is { } call ? ProblemOf(call, changed, rows) : "nobody changed it";
    }

    private string? ProblemOf(TableCall call, List<MembershipRow> changed, MembershipRows rows)
    {
        var entry = changed[0].Entry;
        var others = Last.Rows.Rows.Where(row => !row.Entry.SiloAddress.Equals(call.Silo));
        return call switch
        {
            _ when changed.Count != 1 => "more than one row was changed",
            _ when !entry.SiloAddress.Equals(call.Silo) || entry.Status != call.Status =>
                $"not what was asked for: {call}",
            _ when !_effective.Add(call.Number) => $"a change took effect twice: {call}",
            { HasEnded: true, Outcome: TableOutcome.Refused } => $"a change took effect that was refused: {call}",
            _ when call.TableETag != Last.ETag || call.Version != rows.Version =>
                $"a change took effect over a table that it did not expect: {call}",
            _ when !Fits(call, Last.Rows) => $"a change took effect over a row that it did not expect: {call}",
            _ when !Same(rows.Rows.Except(changed)).SequenceEqual(Same(others)) => $"it changed others' rows: {call}",
            _ => null,
        };
    }

    /// <summary>A cleaning leaves no row of its own; it takes away what is not active and silent.</summary>
    private string? ProblemOfCleaning(MembershipRows rows)
    {
        var cleanings = _calls.Where(
            call => call.Action == TableAction.Cleanup && (!call.HasEnded || call.Outcome == TableOutcome.Unknown));
        var left = Same(rows.Rows).ToHashSet(StringComparer.Ordinal);
        var gone = Last.Rows.Rows.Where(row => !left.Remove(Same(row))).ToList();
        if (left.Count > 0 || gone.Count == 0)
        {
            return "a cleaning changed rows, or took none away";
        }

        return cleanings.Any(call => gone.TrueForAll(row => IsDefunct(row.Entry, call.Before.UtcDateTime)))
            ? null
            : $"rows were taken away that nobody wanted to clean: {string.Join(", ", gone.Select(Same))}";
    }

    private static bool IsDefunct(MembershipEntry entry, DateTime before) =>
        entry.Status != SiloStatus.Active && entry.StartTime < before && entry.IAmAliveTime < before;

    /// <summary>A change's row is as it expects.</summary>
    private static bool Fits(TableCall call, MembershipRows rows) => call.Action == TableAction.Insert
        ? rows.Find(call.Silo!) is null
        : rows.Find(call.Silo!)?.ETag == call.RowETag;

    /// <summary>Whether a table was the last one at some moment since a call has begun.</summary>
    private bool WasLast(int index, TableCall call) => index == Length || _chain[index + 1].Since > call.Began;

    private TableCall? CallOf(string mark) => _calls.Find(call => call.Mark == mark);

    private static bool AreSame(IEnumerable<MembershipRow> rows, MembershipTableData read) =>
        Same(rows).SequenceEqual(Same(read.Members.Select(member => new MembershipRow(member.Item1, member.Item2))));

    private static IEnumerable<string> Same(IEnumerable<MembershipRow> rows) =>
        rows.Select(Same).Order(StringComparer.Ordinal);

    /// <summary>All that has to be the same, whatever signs of life there were.</summary>
    private static string Same(MembershipRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Entry.SiloAddress.ToParsableString()} {row.ETag} {row.Entry.Status} {row.Entry.HostName} "
        + $"{row.Entry.ProxyPort} {row.Entry.StartTime:O} {row.Entry.SuspectTimes?.Count ?? 0}");

    private static IEnumerable<string> GatewaysOf(MembershipRows rows) => rows.Rows
        .Select(row => row.Entry)
        .Where(entry => entry.Status == SiloStatus.Active && entry.ProxyPort != 0)
        .Select(entry => $"gwy.tcp://{entry.SiloAddress.Endpoint.Address}:{entry.ProxyPort}/"
            + entry.SiloAddress.Generation.ToString(CultureInfo.InvariantCulture))
        .Order(StringComparer.Ordinal);

    /// <param name="Since">The moment when it was chosen.</param>
    private sealed record Table(string ETag, Ballot Ballot, MembershipRows Rows, int Since);
}
