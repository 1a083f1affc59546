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
    private int Majority => (places.Length / 2) + 1;

    /// <summary>Returns when a majority of places has noted it.</summary>
    /// <exception cref="DocumentsUnavailableException">No majority could.</exception>
    public Task BeatAsync(SiloAddress silo, DateTime time, CancellationToken cancellationToken) => MajorityAsync(
        async place =>
        {
            await place.NoteAsync(NameOf(silo), time, cancellationToken);
            return true;
        });

    /// <summary>The last one of each silo, of which a majority of places knows: the same as all of them do.</summary>
    /// <exception cref="DocumentsUnavailableException">No majority can be read; silos would seem dead.</exception>
    public async Task<IReadOnlyDictionary<SiloAddress, DateTime>> ReadAsync(CancellationToken cancellationToken)
    {
        var last = new Dictionary<SiloAddress, DateTime>();
        foreach (var notes in await MajorityAsync(async place => await place.NotesAsync(folder, cancellationToken)))
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

    /// <summary>Asks all places, and returns when a majority has answered.</summary>
    private async Task<List<T>> MajorityAsync<T>(Func<IDocuments, Task<T>> request)
    {
        var answers = new List<T>();
        var problems = new List<string>();
        var open = places.Select(request).ToList();
        while (open.Count > 0)
        {
            // WhenEach would go on in the thread pool, outside of a simulation.
            var ended = await Task.WhenAny(open);
            open.Remove(ended);
            try
            {
                answers.Add(await ended);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                problems.Add(exception.Message);
            }

            if (answers.Count == Majority)
            {
                return answers;
            }
        }

        throw DocumentsUnavailableException.Of(problems);
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
