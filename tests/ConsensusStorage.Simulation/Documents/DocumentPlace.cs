using System.Globalization;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Simulation.Documents;

/// <summary>A request that is about to be made.</summary>
/// <param name="Process">Who makes it.</param>
/// <param name="Place">Where.</param>
/// <param name="Content">What is to be written, if it is a document.</param>
internal sealed record DocumentRequest(
    int Process, int Place, string What, string Name, bool IsChange, ReadOnlyMemory<byte> Content);

/// <summary>
/// One place for documents, in memory, that does everything bad that a real one may do. Tags are never used again. A
/// directory shows a document before it is durable, and may fail to flush it.
/// Deterministic from its clock and random source. Not thread-safe: all of it runs where its caller runs.
/// </summary>
internal sealed class DocumentPlace(int number, TimeProvider time, Random random)
{
    private readonly Dictionary<string, Document> _documents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Document> _durable = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unproven = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SortedDictionary<string, DateTime> _notes = new(StringComparer.Ordinal);
    private readonly List<ITimer> _late = [];
    private int _tags;
    private int _powerLosses;

    /// <summary>Decides on every request; null lets all succeed.</summary>
    public Func<DocumentRequest, ValueTask<BlobFault>>? Plan { get; set; }

    /// <summary>Called when a request has been done and its answer is not there yet.</summary>
    public Func<ValueTask>? Answering { get; set; }

    /// <summary>
    /// Decides on the flush of a directory, which takes its time; null for a place where all is durable at once.
    /// </summary>
    public Func<ValueTask<bool>>? Flushing { get; set; }

    /// <summary>Told at once of every document that replaced another: who did it, its name, and it.</summary>
    public Action<int, string, ReadOnlyMemory<byte>> Written { get; set; } = static (_, _, _) => { };

    /// <summary>Told when a document that can be seen is known to outlast a loss of power.</summary>
    public Action<string> Flushed { get; set; } = static _ => { };

    /// <summary>Told of every request, and how it ended if it had no answer, and the answer.</summary>
    public Action<DocumentRequest, string, object?> Heard { get; set; } = static (_, _, _) => { };

    /// <summary>Counted from 0.</summary>
    public int Number => number;

    public string Location => $"place {number + 1}";

    /// <summary>How long callers wait for an answer that doesn't come.</summary>
    public TimeSpan TimeOut { get; set; }

    /// <summary>A late request gets there at most so long after its caller has given up.</summary>
    public TimeSpan LateBy { get; set; }

    /// <summary>Requests so far.</summary>
    public int Requests { get; private set; }

    /// <summary>Requests that are on their way there or back, without those that are late.</summary>
    public int UnderWay { get; private set; }

    public Document? Find(string name) => _documents.TryGetValue(name, out var found) ? found : null;

    /// <summary>Puts a document in the place of another one, whatever stands there; it is durable.</summary>
    public void Put(string name, ReadOnlyMemory<byte> bytes)
    {
        Show(name, bytes);
        _durable[name] = _documents[name];
    }

    /// <summary>All that was there is gone.</summary>
    public void Empty()
    {
        _documents.Clear();
        _durable.Clear();
        _unproven.Clear();
        _notes.Clear();
        _powerLosses++;
    }

    /// <summary>What was not flushed is gone, or was written down in time by chance.</summary>
    /// <returns>The documents that are not what they were.</returns>
    public IReadOnlyList<string> LosePower()
    {
        var lost = new List<string>();
        foreach (var name in _documents.Keys.Order(StringComparer.Ordinal).ToList())
        {
            if (Find(name)?.Tag == (_durable.TryGetValue(name, out var durable) ? durable.Tag : null))
            {
                continue;
            }

            if (random.Next(4) == 0)
            {
                MakeDurable(name);
                continue;
            }

            lost.Add(name);
            if (!_durable.TryGetValue(name, out durable))
            {
                _documents.Remove(name);
                continue;
            }

            _documents[name] = durable;
        }

        _unproven.Clear();
        _powerLosses++;
        return lost;
    }

    /// <summary>Replaces a document, shows it, and then flushes it.</summary>
    /// <exception cref="IOException">It may be seen, and was not flushed.</exception>
    public async ValueTask<bool> TryWriteAsync(int process, string name, string? tag, ReadOnlyMemory<byte> bytes)
    {
        await _turn.WaitAsync();
        try
        {
            if (Find(name)?.Tag != tag)
            {
                return false;
            }

            Show(name, bytes);
            _unproven.Add(name);
            Written(process, name, bytes);
            await FlushAsync(name);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Flushes a document, if its writer has not failed to.</summary>
    public async ValueTask<bool> TryFlushAsync(string name, string tag)
    {
        await _turn.WaitAsync();
        try
        {
            if (_unproven.Contains(name) || Find(name)?.Tag != tag)
            {
                return false;
            }

            await FlushAsync(name);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask FlushAsync(string name)
    {
        var powerLosses = _powerLosses;
        if (Flushing is not null && (!await Flushing() || powerLosses != _powerLosses))
        {
            throw new IOException($"Can't flush the directory of {Location}.");
        }

        MakeDurable(name);
    }

    private void MakeDurable(string name)
    {
        _unproven.Remove(name);
        _durable[name] = _documents[name];
        Flushed(name);
    }

    private void Show(string name, ReadOnlyMemory<byte> bytes) =>
        _documents[name] = new(bytes.ToArray(), (++_tags).ToString(CultureInfo.InvariantCulture));

    public bool Note(string name, DateTime noted)
    {
        _notes[name] = noted;
        return true;
    }

    public bool Forget(string name) => _notes.Remove(name);

    public IReadOnlyDictionary<string, DateTime> Notes(string prefix) =>
        _notes.Where(note => note.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary();

    /// <summary>Makes a request with whatever befalls it.</summary>
    /// <exception cref="IOException">It was not answered, or put off.</exception>
    /// <exception cref="UnauthorizedAccessException">It was refused.</exception>
    public async ValueTask<T> CallAsync<T>(DocumentRequest request, Func<ValueTask<T>> perform)
    {
        UnderWay++;
        try
        {
            return await MakeAsync(request, perform);
        }
        finally
        {
            UnderWay--;
        }
    }

    private async ValueTask<T> MakeAsync<T>(DocumentRequest request, Func<ValueTask<T>> perform)
    {
        Requests++;
        var fault = Plan is null ? BlobFault.None : await Plan(request);
        switch (fault)
        {
            case BlobFault.Denied:
                Heard(request, "denied", null);
                throw new UnauthorizedAccessException($"There are no rights to {Location}: 403.");
            case BlobFault.Throttled:
                Heard(request, "put off", null);
                throw new IOException($"{Location} can't be used: 503 ServerBusy.");
            case BlobFault.Late when request.IsChange:
                DoLate(() => PerformUnheardAsync(request, "late:", perform));
                throw await TimedOutAsync(request);
            case BlobFault.Unanswered when request.IsChange:
                await PerformUnheardAsync(request, "not answered:", perform);
                throw await TimedOutAsync(request);
            case BlobFault.None:
                var result = await perform();
                Heard(request, "", result);
                await (Answering?.Invoke() ?? ValueTask.CompletedTask);
                return result;
            default:
                throw await TimedOutAsync(request);
        }
    }

    private async Task PerformUnheardAsync<T>(DocumentRequest request, string fate, Func<ValueTask<T>> perform)
    {
        try
        {
            Heard(request, fate, await perform());
        }
        catch (IOException exception)
        {
            Heard(request, fate, exception.Message);
        }
    }

    private async ValueTask<IOException> TimedOutAsync(DocumentRequest request)
    {
        await Task.Delay(TimeOut, time);
        Heard(request, "timed out", null);
        return new IOException($"{Location} gave no answer in its time.");
    }

    /// <summary>Does a request at a later time, whatever has become of its caller.</summary>
    private void DoLate(Func<Task> request)
    {
        // Timers fire outside of the scheduler that all else runs in.
        var scheduler = TaskScheduler.Current;
        var wait = TimeOut + TimeSpan.FromTicks((long)(LateBy.Ticks * (0.01 + (random.NextDouble() * 0.99))));
        _late.Add(time.CreateTimer(_ => Begin(), null, wait, Timeout.InfiniteTimeSpan));

        void Begin() => Task.Factory.StartNew(
            request, CancellationToken.None, TaskCreationOptions.None, scheduler);
    }
}
