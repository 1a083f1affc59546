using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Holds a reminder table to what Orleans builds upon: what was acknowledged, or seen, is seen by all later reads,
/// until something else may have happened to it; a reminder is removed over its ETag only, and once; and none falls out
/// while others of its bucket are written. Each reminder tells which call wrote it.
/// </summary>
internal sealed class ReminderOracle(Action<string> violated)
{
    private readonly List<ReminderCall> _calls = [];
    private int _now;

    public IReadOnlyList<ReminderCall> Calls => _calls;

    public ReminderCall Begin(ReminderAction action, string? key, string? etag = null)
    {
        var call = new ReminderCall(_calls.Count, action, key, ++_now) { ETag = etag };
        _calls.Add(call);
        return call;
    }

    /// <summary>An upsert was acknowledged.</summary>
    public void Upserted(ReminderCall call, string? etag)
    {
        if (etag is null || _calls.Exists(other => other.Action == ReminderAction.Upsert && other.ETag == etag))
        {
            violated($"An upsert was given the ETag of another one: {call}.");
        }

        (call.ETag, call.Ended) = (etag, ++_now);
    }

    /// <summary>A removal was acknowledged or refused.</summary>
    public void Removed(ReminderCall call, bool wasDone)
    {
        (call.Ended, call.WasRefused) = (++_now, !wasDone);
        var upsert = _calls.Find(
            other => other.Action == ReminderAction.Upsert && other.Key == call.Key && other.ETag == call.ETag);
        if (upsert is null)
        {
            // Who wrote it was never told its ETag.
            return;
        }

        var others = Changes(call.Key!).Where(other => other != upsert && other != call).ToList();
        if (wasDone && others.Exists(other => IsBetween(other, upsert, call)))
        {
            violated($"A reminder was removed that was not there any more: {call}.");
        }
        else if (!wasDone && upsert.Happened < call.Began && others.TrueForAll(other => other.Ended < upsert.Began))
        {
            violated($"A removal was refused for no reason: {call}.");
        }
    }

    /// <summary>Reminders were read; all those of the keys that were there.</summary>
    public void Read(ReminderCall call, IReadOnlyCollection<string> keys, IEnumerable<ReminderEntry> rows)
    {
        call.Ended = ++_now;
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var key = KeyOf(row.GrainId, row.ReminderName);
            if (!found.Add(key) || !keys.Contains(key))
            {
                violated($"A reminder was read twice, or by whom it is not for: {key}, {call}.");
            }

            Check(call, key, row);
        }

        foreach (var key in keys.Where(key => !found.Contains(key)))
        {
            // Only a removal makes it go, whichever of its writes that found.
            var removals = Changes(key).Where(other => other.Action == ReminderAction.Remove).ToList();
            if (Changes(key).Any(upsert => upsert.Action == ReminderAction.Upsert
                && upsert.Happened < call.Began
                && removals.TrueForAll(removal => removal.Ended < upsert.Began)))
            {
                violated($"A reminder was lost: {key}, {call}.");
            }
        }
    }

    public static string KeyOf(GrainId grain, string name) => $"{grain}/{name}";

    /// <summary>Where it is told which call wrote a reminder.</summary>
    public static TimeSpan PeriodOf(ReminderCall call) => TimeSpan.FromMinutes(1 + call.Number);

    private void Check(ReminderCall call, string key, ReminderEntry row)
    {
        var number = (int)row.Period.TotalMinutes - 1;
        var upsert = number >= 0 && number < _calls.Count ? _calls[number] : null;
        if (upsert?.Action != ReminderAction.Upsert || upsert.Key != key)
        {
            violated($"A reminder was read that nobody wrote: {key}, {call}.");
        }
        else if (upsert.IsDone && upsert.ETag != row.ETag)
        {
            violated($"A reminder was read with an ETag not its own: {key}, {call}.");
        }
        else if (Changes(key).Any(other => other.Action == ReminderAction.Remove
            && other.IsDone && other.ETag == row.ETag && other.Ended < call.Began))
        {
            violated($"A reminder came back after it was removed: {key}, {call}.");
        }
        else if (Changes(key).Any(other => IsBetween(other, upsert, call)))
        {
            violated($"A reminder was read that was out of date: {key}, {call}.");
        }
        else
        {
            upsert.Seen = Math.Min(upsert.Seen, call.Ended);
        }
    }

    private IEnumerable<ReminderCall> Changes(string key) => _calls.Where(call => call.MayChange && call.Key == key);

    private static bool IsBetween(ReminderCall call, ReminderCall first, ReminderCall last) =>
        call.Began > first.Happened && call.Happened < last.Began;
}
