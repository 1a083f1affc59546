using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Follows what the replicas of a store are able to do, also when nobody reads or writes: asks their hosts now and
/// then, and tells the log of what has changed.
/// </summary>
internal sealed class StandingWatch(string store, ReplicaDirectory[] directories, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    /// <summary>Between two questions to the hosts of replicas, and what each set of logs adds to it.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IntervalOfShard = TimeSpan.FromSeconds(0.5);

    private readonly CancellationTokenSource _stop = new();
    private readonly StandingLog _log = new(store, directories.Length, time, logger);
    private readonly long[] _seen = [.. directories.Select(_ => -1L)];
    private readonly ImmutableArray<ReplicaStanding>[] _standings =
        [.. directories.Select(directory => directory.Standings)];

    public void Stop() => _stop.Cancel();

    /// <summary>Works until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        var asked = time.GetTimestamp();
        var ofShards = IntervalOfShard * directories.Length;
        var interval = Interval > ofShards ? Interval : ofShards;
        while (!_stop.IsCancellationRequested)
        {
            using (var pause = new Waiter(Step, time, _stop.Token))
            {
                await pause.Task;
            }

            if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (time.GetElapsedTime(asked) >= interval)
            {
                asked = time.GetTimestamp();
                await Task.WhenAll(directories.Select(directory => directory.RefreshHostsAsync()));
            }

            Look();
        }
    }

    private void Look()
    {
        var isNews = _log.IsUnsettled;
        for (var shard = 0; shard < directories.Length; shard++)
        {
            var version = directories[shard].Looks;
            if (_seen[shard] != version)
            {
                _seen[shard] = version;
                _standings[shard] = directories[shard].Standings;
                isNews = true;
            }
        }

        if (isNews)
        {
            _log.Look(_standings);
        }
    }
}
