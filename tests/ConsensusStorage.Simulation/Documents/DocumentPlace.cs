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
/// One place for documents, in memory, that does everything bad that a real one may do. Tags are never used again.
/// Deterministic from its clock and random source. Not thread-safe: all of it runs where its caller runs.
/// </summary>
internal sealed class DocumentPlace(int number, TimeProvider time, Random random)
{
    private readonly Dictionary<string, Document> _documents = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, DateTime> _notes = new(StringComparer.Ordinal);
    private readonly List<ITimer> _late = [];
    private int _tags;

    /// <summary>Decides on every request; null lets all succeed.</summary>
    public Func<DocumentRequest, ValueTask<BlobFault>>? Plan { get; set; }

    /// <summary>Called when a request has been done and its answer is not there yet.</summary>
    public Func<ValueTask>? Answering { get; set; }

    /// <summary>Told at once of every document that replaced another: who did it, its name, and it.</summary>
    public Action<int, string, ReadOnlyMemory<byte>> Written { get; set; } = static (_, _, _) => { };

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

    /// <summary>Puts a document in the place of another one, whatever stands there.</summary>
    public void Put(string name, ReadOnlyMemory<byte> bytes) =>
        _documents[name] = new(bytes.ToArray(), (++_tags).ToString(CultureInfo.InvariantCulture));

    /// <summary>All that was there is gone.</summary>
    public void Empty()
    {
        _documents.Clear();
        _notes.Clear();
    }

    public bool TryWrite(int process, string name, string? tag, ReadOnlyMemory<byte> bytes)
    {
        if (Find(name)?.Tag != tag)
        {
            return false;
        }

        Put(name, bytes);
        Written(process, name, bytes);
        return true;
    }

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
    public async ValueTask<T> CallAsync<T>(DocumentRequest request, Func<T> perform)
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

    private async ValueTask<T> MakeAsync<T>(DocumentRequest request, Func<T> perform)
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
                DoLate(() => Heard(request, "late:", perform()));
                throw await TimedOutAsync(request);
            case BlobFault.Unanswered when request.IsChange:
                Heard(request, "not answered:", perform());
                throw await TimedOutAsync(request);
            case BlobFault.None:
                var result = perform();
                Heard(request, "", result);
                await (Answering?.Invoke() ?? ValueTask.CompletedTask);
                return result;
            default:
                throw await TimedOutAsync(request);
        }
    }

    private async ValueTask<IOException> TimedOutAsync(DocumentRequest request)
    {
        await Task.Delay(TimeOut, time);
        Heard(request, "timed out", null);
        return new IOException($"{Location} gave no answer in its time.");
    }

    /// <summary>Does a request at a later time, whatever has become of its caller.</summary>
    private void DoLate(Action request)
    {
        var wait = TimeOut + TimeSpan.FromTicks((long)(LateBy.Ticks * (0.01 + (random.NextDouble() * 0.99))));
        _late.Add(time.CreateTimer(_ => request(), null, wait, Timeout.InfiniteTimeSpan));
    }
}
