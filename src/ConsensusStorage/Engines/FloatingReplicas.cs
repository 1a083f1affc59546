using System.Collections.Immutable;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Hosts the replicas of a shard that <see cref="ReplicaPlacement"/> gives this silo, as it sees the cluster. Taking a
/// log over fences its former host out (S17): a wrong view costs time, never data.
/// <para>A replica that belongs elsewhere is kept until another silo has it, so that a quorum stays one while replicas
/// move; where logs are locked it is given up at once, because nobody else can have it before.</para>
/// <para>A host that was fenced takes over again only under a newer membership version, or when nobody has the replica
/// any more but those who say that it isn't theirs; always after a random pause, so that two silos that disagree don't
/// fight.</para>
/// </summary>
internal sealed class FloatingReplicas : IReplicaHost
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLeave = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly int _shard;
    private readonly StoreSettings _settings;
    private readonly ReplicaDirectory _directory;
    private readonly StoreEnvironment _environment;
    private readonly ConsensusInstruments _instruments;
    private readonly bool _isLocked;
    private readonly Func<ReplicaId, HostedReplica> _create;
    private readonly ImmutableArray<Seat> _seats;
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _leaving;

    /// <param name="shard">Number of the shard, which is its group.</param>
    /// <param name="isLocked">A log that is open can't be taken over.</param>
    /// <param name="create">Makes a host for a replica; it opens its log when it runs.</param>
    public FloatingReplicas(
        int shard,
        StoreSettings settings,
        ReplicaDirectory directory,
        StoreEnvironment environment,
        ConsensusInstruments instruments,
        bool isLocked,
        Func<ReplicaId, HostedReplica> create)
    {
        _shard = shard;
        _settings = settings;
        _directory = directory;
        _environment = environment;
        _instruments = instruments;
        _isLocked = isLocked;
        _create = create;
        _seats = [.. settings.Replicas.Members.Select(replica => new Seat(replica, environment.Time))];
    }

    public IReadOnlyCollection<HostedReplica> Hosted =>
        [.. _seats.Select(seat => seat.Host).OfType<HostedReplica>()];

    public HostedReplica? Find(ReplicaId replica)
    {
        var index = _settings.Replicas.IndexOf(replica);
        return index < 0 ? null : _seats[index].Host;
    }

    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task RunAsync()
    {
        var soon = false;
        while (!_stop.IsCancellationRequested)
        {
            using var changed = _directory.Changed.Next(
                soon ? LookAgain : Timeout.InfiniteTimeSpan, _environment.Time, _stop.Token);
            if (Look() != soon)
            {
                soon = !soon;
                continue;
            }

            if (soon)
            {
                // Somebody is expected to take over, or to give up: ask.
                _directory.Nudge();
            }

            await changed.Task;
        }

        foreach (var seat in _seats)
        {
            seat.Host?.Stop();
        }

        foreach (var seat in _seats)
        {
            await seat.Running;
        }
    }

    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        _leaving = true;
        var started = _environment.Time.GetTimestamp();
        while (Hosted.Count > 0
            && _directory.Candidates.Any(silo => !silo.Equals(_directory.Local))
            && _environment.Time.GetElapsedTime(started) < PatienceToLeave()
            && !cancellationToken.IsCancellationRequested)
        {
            using var changed = _directory.Changed.Next(LookAgain, _environment.Time, cancellationToken);
            Look();
            _directory.Nudge();
            await changed.Task;
        }
    }

    public void Stop() => _stop.Cancel();

    /// <summary>Takes up what belongs here, gives up what others have. True if it has to look again soon.</summary>
    private bool Look()
    {
        var mine = Mine();
        var unsettled = false;
        foreach (var seat in _seats)
        {
            var isMine = mine.Contains(seat.Replica);
            lock (seat)
            {
                if (seat.Host is { } host)
                {
                    host.IsGuest = !isMine;
                    GiveUpIfItIsTime(seat, host, isMine);
                    unsettled |= !isMine || IsBeingTaken(seat.Replica);
                }
                else if (isMine && !_stop.IsCancellationRequested)
                {
                    TakeUpIfItIsTime(seat);
                    unsettled |= seat.Host is null;
                }
            }
        }

        return unsettled;
    }

    private TimeSpan PatienceToLeave() =>
        Hosted.Any(replica => IsBeingTaken(replica.Id)) ? LongestLeave : LeavePatience;

    /// <summary>Whether others are reading a log that is served here; a long one takes long.</summary>
    private bool IsBeingTaken(ReplicaId replica) =>
        _directory.HoldersElsewhere(replica).Any(other => other.State == ReplicaState.Opening);

    private HashSet<ReplicaId> Mine()
    {
        var silos = _directory.Candidates;
        if (_leaving || !silos.Contains(_directory.Local))
        {
            return [];
        }

        var hosts = ReplicaPlacement.Of(silos, _settings.Store, _settings.Groups, _settings.Replicas.Count)[_shard];
        return [.. _settings.Replicas.Members.Where((_, index) => hosts[index].Equals(_directory.Local))];
    }

    private void GiveUpIfItIsTime(Seat seat, HostedReplica host, bool isMine)
    {
        var own = host.Describe();
        if (own.State == ReplicaState.Refused)
        {
            // It has closed its log. Under another view there may be something else to find.
            seat.Host = isMine && _directory.MembershipVersion == seat.Since ? host : null;
        }
        else if (own.Epoch > 0 && _directory.HoldersElsewhere(seat.Replica)
            .Any(other => other.Log == own.Log && other.Epoch > own.Epoch))
        {
            seat.Lose(_directory.MembershipVersion);
            host.Stop();
        }
        else if (!isMine && (_isLocked || own.Epoch == 0) && MayGiveUp())
        {
            host.Stop();
        }
    }

    /// <summary>
    /// A silo on its way out has grains that write until it leaves, and where all silos leave there is no other host.
    /// </summary>
    private bool MayGiveUp()
    {
        var silos = _directory.Candidates;
        return _leaving ? !silos.IsEmpty : silos.Contains(_directory.Local);
    }

    private void TakeUpIfItIsTime(Seat seat)
    {
        if (seat.IsLost)
        {
            var isNews = _directory.MembershipVersion > seat.Since;
            if (!isNews && _directory.HoldersElsewhere(seat.Replica).Any(holder => !holder.IsGuest))
            {
                return;
            }

            var pause = isNews ? ShortestPause : seat.Pause;
            if (_environment.Time.GetElapsedTime(seat.LostAt) < pause * (0.5 + (seat.Chance / 2)))
            {
                return;
            }
        }

        var host = _create(seat.Replica);
        seat.Take(host, _directory.MembershipVersion, Chance());
        seat.Running = RunAsync(seat, host);
    }

    private async Task RunAsync(Seat seat, HostedReplica host)
    {
        // The look that brought it here goes on first.
        await Task.Yield();
        await host.RunAsync();
        lock (seat)
        {
            if (host.WasFenced)
            {
                seat.Lose(_directory.MembershipVersion);
                _instruments.Fenced(seat.Replica.Name);
            }

            if (host.Describe().State != ReplicaState.Refused)
            {
                seat.Host = null;
            }
        }

        _directory.Nudge();
        _directory.Changed.Beat();
    }

    private double Chance()
    {
        lock (_environment.Random)
        {
            return _environment.Random.NextDouble();
        }
    }

    /// <summary>The place of one replica at this silo, taken or not.</summary>
    private sealed class Seat(ReplicaId replica, TimeProvider time)
    {
        public ReplicaId Replica => replica;

        /// <summary>What sits there; null if the replica is elsewhere.</summary>
        public HostedReplica? Host { get; set; }

        public Task Running { get; set; } = Task.CompletedTask;

        /// <summary>Another silo took it away, and it was not taken back.</summary>
        public bool IsLost { get; private set; }

        /// <summary>When that was, as a timestamp.</summary>
        public long LostAt { get; private set; }

        /// <summary>The membership version at which it was taken, or lost.</summary>
        public long Since { get; private set; }

        /// <summary>How long to let others have it under one membership; longer each time.</summary>
        public TimeSpan Pause { get; private set; } = LongPause;

        /// <summary>0 to 1, for the random part of a pause.</summary>
        public double Chance { get; private set; }

        public void Take(HostedReplica host, long version, double chance)
        {
            Pause = version > Since ? LongPause : Pause < LongestPause ? Pause * 2 : LongestPause;
            (Host, Since, Chance, IsLost) = (host, version, chance, false);
        }

        public void Lose(long version) => (IsLost, LostAt, Since) = (true, time.GetTimestamp(), version);
    }
}
