using System.Collections.Concurrent;
using System.Globalization;
using Orleans.Consensus.Clustering.Documents;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>A place in memory that does what a bad one may do. Thread-safe.</summary>
internal sealed class MemoryDocuments(string name) : IDocuments
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, DateTime> _notes = [];
    private readonly Dictionary<string, Document> _documents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Document> _durable = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unproven = new(StringComparer.Ordinal);
    private long _tags;

    public string Location => $"memory:{name}";

    /// <summary>Nothing gets there.</summary>
    public bool IsDown { get; set; }

    public bool IsReadOnly { get; set; }

    /// <summary>Of 100 requests, those that fail; half of them after they were done.</summary>
    public int FailuresPercent { get; set; }

    /// <summary>What is written can be seen, and its flush fails.</summary>
    public bool FailsFlushes { get; set; }

    /// <summary>Flushes that were asked for beside those of changes.</summary>
    public int Flushes { get; private set; }

    /// <summary>Changes that were done.</summary>
    public int Writes { get; private set; }

    public IReadOnlyDictionary<string, Document> Documents => _documents;

    public async ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        lock (_lock)
        {
            return _documents.TryGetValue(name, out var found) ? found : null;
        }
    }

    public async ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        RequireRights();
        bool done;
        lock (_lock)
        {
            var found = _documents.TryGetValue(name, out var document) ? document.Tag : null;
            done = found == tag;
            if (done)
            {
                Show(name, bytes);
                _unproven.Add(name);
                Flush(name);
            }
        }

        await LeaveAsync();
        return done;
    }

    public async ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        lock (_lock)
        {
            Flushes++;
            if (_unproven.Contains(name) || !_documents.TryGetValue(name, out var found) || found.Tag != tag)
            {
                return false;
            }

            Flush(name);
            return true;
        }
    }

    /// <summary>All that was not flushed is gone.</summary>
    public void LosePower()
    {
        lock (_lock)
        {
            _documents.Clear();
            foreach (var (name, document) in _durable)
            {
                _documents[name] = document;
            }

            _unproven.Clear();
        }
    }

    public async ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        RequireRights();
        lock (_lock)
        {
            // Nobody makes the place but with its first document.
            if (_documents.Count == 0)
            {
                throw new IOException($"There is nothing at {Location}.");
            }
        }

        _notes[name] = time;
    }

    public async ValueTask ForgetAsync(string name, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        RequireRights();
        _notes.TryRemove(name, out _);
    }

    public async ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken)
    {
        await ArriveAsync();
        return _notes.Where(note => note.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary();
    }

    /// <summary>Puts a document in the place of another, without asking.</summary>
    public void Put(string name, ReadOnlyMemory<byte> bytes)
    {
        lock (_lock)
        {
            Show(name, bytes);
            _durable[name] = _documents[name];
        }
    }

    /// <summary>Loses everything.</summary>
    public void Wipe()
    {
        lock (_lock)
        {
            _documents.Clear();
            _durable.Clear();
            _unproven.Clear();
            _notes.Clear();
        }
    }

    private void Show(string name, ReadOnlyMemory<byte> bytes)
    {
        Writes++;
        _documents[name] = new(bytes.ToArray(), (++_tags).ToString(CultureInfo.InvariantCulture));
    }

    private void Flush(string name)
    {
        if (FailsFlushes)
        {
            throw new IOException($"Can't flush {Location}.");
        }

        _unproven.Remove(name);
        _durable[name] = _documents[name];
    }

    private async Task ArriveAsync()
    {
        await Task.Yield();
        if (IsDown || Fails())
        {
            throw new IOException($"{Location} is down.");
        }
    }

    private async Task LeaveAsync()
    {
        await Task.Yield();
        if (Fails())
        {
            throw new IOException($"{Location} gave no answer.");
        }
    }

    private bool Fails() => FailuresPercent > 0 && Random.Shared.Next(200) < FailuresPercent;

    private void RequireRights()
    {
        if (IsReadOnly)
        {
            throw new UnauthorizedAccessException($"There are no rights to {Location}.");
        }
    }
}
