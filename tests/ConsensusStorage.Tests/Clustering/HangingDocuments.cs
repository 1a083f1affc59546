using Orleans.Consensus.Clustering.Documents;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>A place whose calls block their thread, as those of a file system that is gone do.</summary>
internal sealed class HangingDocuments : IDocuments
{
    private readonly MemoryDocuments _documents = new("hanging");
    private readonly ManualResetEventSlim _goesOn = new(initialState: true);

    public bool Hangs
    {
        set
        {
            if (value)
            {
                _goesOn.Reset();
            }
            else
            {
                _goesOn.Set();
            }
        }
    }

    public string Location => _documents.Location;

    public ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.ReadAsync(name, cancellationToken);
    }

    public ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.TryWriteAsync(name, tag, bytes, cancellationToken);
    }

    public ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.TryFlushAsync(name, tag, cancellationToken);
    }

    public ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.NoteAsync(name, time, cancellationToken);
    }

    public ValueTask ForgetAsync(string name, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.ForgetAsync(name, cancellationToken);
    }

    public ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken)
    {
        _goesOn.Wait(cancellationToken);
        return _documents.NotesAsync(prefix, cancellationToken);
    }
}
