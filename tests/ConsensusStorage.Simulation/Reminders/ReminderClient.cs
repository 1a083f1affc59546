using System.Collections.Immutable;
using System.Globalization;
using Orleans.Consensus.Reminders;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Simulation.Runs;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Reminders;

/// <summary>
/// What grains and the reminder service of a silo ask of the reminder table: few reminders, in few nodes, so that
/// silos get in one another's way.
/// </summary>
internal sealed class ReminderClient(SeedRun run, ReminderOracle oracle, ConsensusReminderTable table, Random random)
{
    /// <summary>All grains are at the ring's end and beginning: a range that goes around.</summary>
    private const uint Begin = (255u << 24) - 1;

    private const uint End = (2u << 24) - 1;
    private const int GrainCount = 6;
    private const int LongestWait = 5_000;

    private static readonly ImmutableArray<string> Names = ["one", "two"];

    private static readonly ImmutableArray<GrainId> Grains =
    [
        .. Enumerable.Range(0, int.MaxValue)
            .Select(number => GrainId.Create("remindable", number.ToString(CultureInfo.InvariantCulture)))
            .Where(grain => grain.GetUniformHashCode() is > Begin or <= End)
            .Take(GrainCount),
    ];

    private static readonly ImmutableArray<string> Keys = KeysOf(Grains);

    /// <summary>In the midst of a node: the second of the grains behind the ring's beginning.</summary>
    private static readonly uint Midst =
        Grains.Select(grain => grain.GetUniformHashCode()).Where(hash => hash <= End).Order().ElementAt(1);

    /// <summary>Those of the grains behind that one.</summary>
    private static readonly ImmutableArray<string> LastKeys =
        KeysOf(Grains.Where(grain => grain.GetUniformHashCode() > Midst && grain.GetUniformHashCode() <= End));

    /// <summary>What it has last seen of each, current or not.</summary>
    private readonly Dictionary<string, string> _etags = new(StringComparer.Ordinal);

    /// <summary>One call after the other, until there are enough.</summary>
    public async Task WorkAsync(int longestPause)
    {
        while (!run.IsEnough)
        {
            var (grain, name) = (Grains[random.Next(Grains.Length)], Names[random.Next(Names.Length)]);
            await (random.Next(10) switch
            {
                < 4 => UpsertAsync(grain, name),
                < 6 => RemoveAsync(grain, name),
                < 7 => ReadRowAsync(grain, name),
                < 8 => ReadGrainAsync(grain),
                < 9 => ReadLastAsync(),
                _ => ReadAllInTimeAsync(TimeSpan.FromMilliseconds(random.Next(1, LongestWait))),
            });
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, longestPause)), run.Time);
        }
    }

    /// <summary>Writes every reminder and reads them all, again and again until it succeeds.</summary>
    public async Task<bool> UseAsync(DateTimeOffset until)
    {
        foreach (var grain in Grains)
        {
            if (!await UntilAsync(() => UpsertAsync(grain, Names[0]), until))
            {
                return false;
            }
        }

        return await UntilAsync(ReadAllAsync, until);
    }

    private async Task<bool> UntilAsync(Func<Task<bool>> call, DateTimeOffset until)
    {
        while (!await call())
        {
            if (run.Time.GetUtcNow() > until)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), run.Time);
        }

        return true;
    }

    private Task<bool> UpsertAsync(GrainId grain, string name) =>
        TryAsync(oracle.Begin(ReminderAction.Upsert, ReminderOracle.KeyOf(grain, name)), async call =>
        {
            var entry = new ReminderEntry
            {
                GrainId = grain,
                ReminderName = name,
                StartAt = run.Time.GetUtcNow().UtcDateTime,
                Period = ReminderOracle.PeriodOf(call),
            };
            var etag = await table.UpsertRow(entry);
            _etags[call.Key!] = etag!;
            oracle.Upserted(call, etag);
        });

    private Task<bool> RemoveAsync(GrainId grain, string name)
    {
        var key = ReminderOracle.KeyOf(grain, name);
        return _etags.TryGetValue(key, out var etag)
            ? TryAsync(oracle.Begin(ReminderAction.Remove, key, etag), async call =>
                oracle.Removed(call, await table.RemoveRow(grain, name, etag)))
            : ReadRowAsync(grain, name);
    }

    private Task<bool> ReadRowAsync(GrainId grain, string name) => ReadAsync(
        [ReminderOracle.KeyOf(grain, name)],
        async () => await table.ReadRow(grain, name) is { } row ? [row] : []);

    private Task<bool> ReadGrainAsync(GrainId grain) => ReadAsync(
        [.. Names.Select(name => ReminderOracle.KeyOf(grain, name))],
        async () => (await table.ReadRows(grain)).Reminders);

    private Task<bool> ReadAllAsync() =>
        ReadAsync(Keys, async () => (await table.ReadRows(Begin, End)).Reminders);

    private Task<bool> ReadLastAsync() =>
        ReadAsync(LastKeys, async () => (await table.ReadRows(Midst, End)).Reminders);

    /// <summary>As a silo does for the hashes that it has to serve: until it succeeds, or the silo stops.</summary>
    private async Task<bool> ReadAllInTimeAsync(TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time, run.Time);
        try
        {
            return await ReadAsync(Keys, async () => (await table.ReadRows(Begin, End, stop.Token)).Reminders);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            run.Saw("a range that was given up");
            run.Trace.Add("gave up");
            return false;
        }
    }

    private Task<bool> ReadAsync(IReadOnlyCollection<string> keys, Func<Task<IList<ReminderEntry>>> read) =>
        TryAsync(oracle.Begin(ReminderAction.Read, keys.Count == 1 ? keys.First() : null), async call =>
        {
            var rows = await read();
            oracle.Read(call, keys, rows);
            foreach (var row in rows)
            {
                // Now and then it goes on with what it saw before.
                if (random.Next(4) != 0)
                {
                    _etags[ReminderOracle.KeyOf(row.GrainId, row.ReminderName)] = row.ETag!;
                }
            }
        });

    /// <returns>False if it failed, and nobody knows what has become of it.</returns>
    private async Task<bool> TryAsync(ReminderCall call, Func<ReminderCall, Task> make)
    {
        run.Trace.Add("call", call with { });
        try
        {
            await make(call);
            run.Trace.Add("end ", call);
            return true;
        }
        catch (OrleansException exception)
        {
            run.Saw($"{call.Action} that failed");
            run.Trace.Add("failed", call, exception.Message);
            return false;
        }
    }

    private static ImmutableArray<string> KeysOf(IEnumerable<GrainId> grains) =>
        [.. grains.SelectMany(grain => Names.Select(name => ReminderOracle.KeyOf(grain, name)))];
}
