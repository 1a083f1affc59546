using System.Globalization;
using System.Text;
using Orleans.Consensus.Clustering.Documents;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>What the membership demands of every place for its documents.</summary>
public abstract class DocumentCases
{
    private protected const string Name = "membership";

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_written_is_not_there()
    {
        var place = await OpenAsync();
        Assert.Null(await place.ReadAsync(Name, Stop));
        Assert.Empty(await place.NotesAsync("alive/", Stop));
        await place.ForgetAsync("alive/a", Stop);
    }

    [Fact]
    public async Task A_document_is_created_once()
    {
        var place = await OpenAsync();
        Assert.True(await WriteAsync(place, null, "first"));
        Assert.False(await WriteAsync(place, null, "second"));
        Assert.Equal("first", await TextAsync(place));
    }

    [Fact]
    public async Task Only_who_read_the_last_change_changes_it()
    {
        var place = await OpenAsync();
        await WriteAsync(place, null, "first");
        var first = await place.ReadAsync(Name, Stop);
        Assert.True(await WriteAsync(place, first?.Tag, "second, and longer"));
        Assert.False(await WriteAsync(place, first?.Tag, "third"));
        Assert.Equal("second, and longer", await TextAsync(place));

        var second = await place.ReadAsync(Name, Stop);
        Assert.NotEqual(first?.Tag, second?.Tag);
        Assert.True(await WriteAsync(place, second?.Tag, "4"));
        Assert.Equal("4", await TextAsync(place));
    }

    [Fact]
    public async Task There_is_nothing_to_replace_where_nothing_is()
    {
        var place = await OpenAsync();
        await WriteAsync(place, null, "first");
        var tag = (await place.ReadAsync(Name, Stop))?.Tag;
        Assert.False(await place.TryWriteAsync("other", tag, Encoding.UTF8.GetBytes("second"), Stop));
        Assert.Null(await place.ReadAsync("other", Stop));
    }

    [Fact]
    public async Task A_document_that_was_read_can_be_made_durable()
    {
        var place = await OpenAsync();
        await WriteAsync(place, null, "first");
        var first = (await place.ReadAsync(Name, Stop))!.Value.Tag;
        Assert.True(await place.TryFlushAsync(Name, first, Stop));
        Assert.Equal("first", await TextAsync(place));
    }

    [Fact]
    public async Task Of_changes_at_once_each_is_made_over_the_one_before()
    {
        const int changers = 4;
        const int changes = 10;
        var place = await OpenAsync();
        await WriteAsync(place, null, "0");
        await Task.WhenAll(Enumerable.Range(0, changers).Select(_ => AddAsync()));
        Assert.Equal($"{changers * changes}", await TextAsync(place));

        async Task AddAsync()
        {
            for (var done = 0; done < changes;)
            {
                var found = await place.ReadAsync(Name, Stop);
                var number = int.Parse(Encoding.UTF8.GetString(found!.Value.Bytes.Span), CultureInfo.InvariantCulture);
                if (await WriteAsync(place, found.Value.Tag, $"{number + 1}"))
                {
                    done++;
                }
            }
        }
    }

    [Fact]
    public async Task Notes_tell_the_last_time_that_was_noted()
    {
        var place = await OpenAsync();
        var noon = new DateTime(2026, 2, 3, 12, 0, 0, DateTimeKind.Utc);
        await WriteAsync(place, null, "first");
        await place.NoteAsync("alive/a", noon, Stop);
        await place.NoteAsync("alive/b", noon, Stop);
        await place.NoteAsync("alive/a", noon.AddTicks(12345), Stop);
        var notes = await place.NotesAsync("alive/", Stop);
        Assert.Equal(noon.AddTicks(12345), notes["alive/a"]);
        Assert.Equal(DateTimeKind.Utc, notes["alive/a"].Kind);
        Assert.Equal(["alive/a", "alive/b"], notes.Keys.Order());

        await place.ForgetAsync("alive/a", Stop);
        Assert.Equal(["alive/b"], (await place.NotesAsync("alive/", Stop)).Keys);
        Assert.Empty(await place.NotesAsync("dead/", Stop));
    }

    [Fact]
    public async Task A_place_that_is_gone_is_not_made_anew_for_a_note()
    {
        var place = await OpenAsync();
        await Assert.ThrowsAnyAsync<IOException>(
            () => place.NoteAsync("alive/a", DateTime.UnixEpoch, Stop).AsTask());
        Assert.Empty(await place.NotesAsync("alive/", Stop));
    }

    /// <summary>An empty place.</summary>
    private protected abstract ValueTask<IDocuments> OpenAsync();

    private protected static ValueTask<bool> WriteAsync(IDocuments place, string? tag, string text) =>
        place.TryWriteAsync(Name, tag, Encoding.UTF8.GetBytes(text), Stop);

    private protected static async Task<string?> TextAsync(IDocuments place) =>
        await place.ReadAsync(Name, Stop) is { } found ? Encoding.UTF8.GetString(found.Bytes.Span) : null;
}
