using System.Collections.Immutable;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Runtime;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// When each silo last said that it is alive: a note of its own in each place, beside the membership table, which they
/// don't change. Thread-safe.
/// </summary>
internal sealed class Heartbeats(ImmutableArray<IDocuments> places, string folder)
{
    /// <exception cref="IOException">It reached no majority of places.</exception>
    public async Task BeatAsync(SiloAddress silo, DateTime time, CancellationToken cancellationToken)
    {
        var beats = await Task.WhenAll(places.Select(
            place => TryAsync(() => NoteAsync(place, silo, time, cancellationToken))));
        if (beats.Count(problem => problem is null) <= places.Length / 2)
        {
            throw DocumentsUnavailableException.Of(beats.OfType<string>());
        }
    }

    /// <summary>The last one of each silo that any place knows of.</summary>
    public async Task<IReadOnlyDictionary<SiloAddress, DateTime>> ReadAsync(CancellationToken cancellationToken)
    {
        var last = new Dictionary<SiloAddress, DateTime>();
        foreach (var notes in await Task.WhenAll(places.Select(place => NotesAsync(place, cancellationToken))))
        {
            foreach (var (name, time) in notes)
            {
                if (SiloOf(name) is { } silo && (!last.TryGetValue(silo, out var known) || known < time))
                {
                    last[silo] = time;
                }
            }
        }

        return last;
    }

    /// <summary>Takes a silo's away where that is possible; what stays behind is that of a silo in no table.</summary>
    public Task ForgetAsync(SiloAddress silo, CancellationToken cancellationToken) => Task.WhenAll(places.Select(
        place => TryAsync(async () => await place.ForgetAsync(NameOf(silo), cancellationToken))));

    private string NameOf(SiloAddress silo) => folder + Uri.EscapeDataString(silo.ToParsableString());

    private SiloAddress? SiloOf(string name)
    {
        try
        {
            return SiloAddress.FromParsableString(Uri.UnescapeDataString(name[folder.Length..]));
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            return null;
        }
    }

    private async Task NoteAsync(
        IDocuments place, SiloAddress silo, DateTime time, CancellationToken cancellationToken) =>
        await place.NoteAsync(NameOf(silo), time, cancellationToken);

    private async Task<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        IDocuments place, CancellationToken cancellationToken)
    {
        try
        {
            return await place.NotesAsync(folder, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The other places know as much.
            return ImmutableDictionary<string, DateTime>.Empty;
        }
    }

    /// <summary>What went wrong, in words; null if nothing did.</summary>
    private static async Task<string?> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
