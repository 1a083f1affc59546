using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Tests.Journaling;
using Orleans.Consensus.Transport;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>A log whose appends can be held back, refused or broken.</summary>
internal sealed class HeldJournal(IJournal inner) : IJournal
{
    private TaskCompletionSource _gate = Opened();

    public JournalIdentity Identity => inner.Identity;

    public long Epoch => inner.Epoch;

    public long Bytes => inner.Bytes;

    public bool HasRoom => Failure is not JournalFullException && inner.HasRoom;

    /// <summary>Number of records of each append that was begun.</summary>
    public List<int> Appends { get; } = [];

    /// <summary>What appends throw, before they write.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Replaces what is read back.</summary>
    public Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> OnRead { get; set; } = bytes => bytes;

    /// <summary>What a read waits for, or fails with.</summary>
    public Func<CancellationToken, Task> Reading { get; set; } = _ => Task.CompletedTask;

    public int Reads { get; private set; }

    /// <summary>What was appended last; its owner uses it again.</summary>
    public JournalBatch? Batch { get; private set; }

    /// <summary>Appends write, but don't return until <see cref="Release"/>.</summary>
    public void Hold() => _gate = new();

    public void Release() => _gate.TrySetResult();

    /// <summary>Lets those go that wait, and holds whatever comes next.</summary>
    public void ReleaseAndHold()
    {
        var gate = _gate;
        Hold();
        gate.TrySetResult();
    }

    public async ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
    {
        Batch = batch;
        Appends.Add(batch.Count);
        if (Failure is { } failure)
        {
            await _gate.Task;
            throw failure;
        }

        var position = await inner.AppendAsync(batch, cancellationToken);
        await _gate.Task;
        return position;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        JournalPosition position, int length, CancellationToken cancellationToken)
    {
        Reads++;
        await Reading(cancellationToken);
        return OnRead(await inner.ReadAsync(position, length, cancellationToken));
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}

/// <summary>One replica with its real log in memory, on a simulated clock.</summary>
internal sealed class ReplicaBench
{
    private readonly MemoryFiles _files = new();
    private readonly JournalIdentity _identity = TestLog.DefaultIdentity with { Groups = 4 };

    public SimulatedScheduler Scheduler { get; } = new();

    public StoreSettings Settings { get; set; } = new()
    {
        Service = "service",
        Store = "Default",
        Replicas = new([new("a"), new("b"), new("c")]),
        Groups = 4,
    };

    public AcceptorIndex Index { get; private set; } = new(4);

    public HeldJournal Journal { get; private set; } = null!;

    public PaxosReplica Replica { get; private set; } = null!;

    /// <summary>The replica's loop.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>A ballot of this moment, plus some milliseconds.</summary>
    public Ballot BallotAt(double milliseconds, int proposer = 1) => new(
        Ballot.RoundAt(Scheduler.Time.GetUtcNow().ToUnixTimeMilliseconds()) + (long)(milliseconds * 65536),
        new((UInt128)proposer));

    public void Run(Func<Task> test) => Scheduler.Run(
        async () =>
        {
            await OpenAsync();
            await test();
        },
        TimeSpan.FromDays(1));

    /// <summary>Opens the log and starts the loop; a former loop has to have ended.</summary>
    public async Task OpenAsync()
    {
        Index = new(Settings.Groups);
        var journals = new FileJournalStore(_files, "logs", TestLog.SmallSegments, Scheduler.Time, new(1));
        Journal = new(await journals.OpenAsync(
            _identity, TestLog.DefaultOwner, null, Index.Replay, CancellationToken.None));
        Replica = new(new("a"), Journal, Index, Settings, Scheduler.Time, new ConsensusInstruments());
        Running = Replica.RunAsync();
    }

    /// <summary>Stops the loop however it ends, and closes the log.</summary>
    public async Task CloseAsync()
    {
        Replica.Stop();
        await Running.ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Current);
        await Journal.DisposeAsync();
    }

    /// <summary>Sends one message and does not wait for its answer.</summary>
    public async Task<BatchReply> Post(params (string Key, Request Request)[] requests) =>
        await Replica.HandleAsync([.. requests.Select(
            one => new RegisterRequest(SimulatedCluster.Register(one.Key), one.Request))]);

    public async Task<Reply> AskAsync(string key, Request request)
    {
        var reply = await Post((key, request));
        Assert.Null(reply.Refusal);
        return Assert.Single(reply.Replies);
    }

    /// <summary>Lets everything happen that can happen now.</summary>
    public Task SettleAsync() => Task.Delay(TimeSpan.FromMilliseconds(1), Scheduler.Time);

    public AcceptorState StateOf(string key) => Index[SimulatedCluster.Register(key)];
}
