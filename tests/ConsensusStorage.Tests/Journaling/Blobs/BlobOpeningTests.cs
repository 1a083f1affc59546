using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>Which logs in blobs are opened, which are refused, and in what words.</summary>
public sealed class BlobOpeningTests
{
    private readonly BlobBench _bench = new();

    [Fact]
    public void A_log_of_another_store_is_refused_by_the_name_of_what_differs() => _bench.Run(async () =>
    {
        await _bench.ReplayAsync();
        var other = new BlobSilo(_bench, "s1", "cluster")
        {
            Expected = TestLog.DefaultIdentity with { Service = "other" },
        };
        var image = _bench.Account.Get(BlobBench.First);
        var refused = await Assert.ThrowsAsync<JournalIdentityException>(() => other.OpenAsync());
        Assert.Contains("the ServiceId in it is 'service', configured is 'other'", refused.Message,
            StringComparison.Ordinal);
        Assert.Equal(image, _bench.Account.Get(BlobBench.First));
    });

    [Fact]
    public void The_mark_of_a_store_is_made_once_and_refuses_another_shape() => _bench.Run(async () =>
    {
        var store = TestLog.DefaultIdentity with { Store = "Default, floating", Groups = 8 };
        await Task.WhenAll(_bench.Silo("s1").MarkAsync(store), _bench.Silo("s2").MarkAsync(store));
        var names = _bench.Account.Names.ToList();
        Assert.Single(names);
        await _bench.Silo("s3").MarkAsync(store, mayCreate: false);

        var groups = await Assert.ThrowsAsync<JournalIdentityException>(
            () => _bench.Silo("s1").MarkAsync(store with { Groups = 16 }));
        var pinned = await Assert.ThrowsAsync<JournalIdentityException>(() => _bench.Silo("s1").OpenAsync());

        Assert.Contains("groups in it is '8', configured is '16'", groups.Message, StringComparison.Ordinal);
        Assert.Contains("'Default, floating'", pinned.Message, StringComparison.Ordinal);
        Assert.Equal(names, _bench.Account.Names);
    });

    [Fact]
    public void A_store_that_was_formed_is_not_begun_again_where_it_is_gone() => _bench.Run(async () =>
    {
        var gone = await Assert.ThrowsAsync<JournalUnavailableException>(
            () => _bench.Silo("s1").MarkAsync(TestLog.DefaultIdentity, mayCreate: false));

        Assert.Contains("deleted or emptied", gone.Message, StringComparison.Ordinal);
        Assert.Empty(_bench.Account.Names);
    });

    [Fact]
    public void The_log_id_of_who_created_the_log_wins() => _bench.Run(async () =>
    {
        await _bench.ReplayAsync();
        var other = new BlobSilo(_bench, "s1", "cluster")
        {
            Expected = TestLog.DefaultIdentity with { LogId = new(77) },
        };
        await using var journal = await other.OpenAsync();
        Assert.Equal(TestLog.DefaultIdentity, journal.Identity);
    });

    [Fact]
    public void What_a_crash_left_between_a_blob_and_its_header_is_a_new_log() => _bench.Run(async () =>
    {
        _bench.Account.Put(BlobBench.First);
        await using var journal = await _bench.Silo("s1").OpenAsync();
        await TestLog.AppendAsync(journal, [1]);
        Assert.Single(await _bench.ReplayAsync());
    });

    [Fact]
    public void A_blob_that_is_missing_from_the_chain_is_damage() => _bench.Run(async () =>
    {
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            for (var i = 0; i < 40; i++)
            {
                await TestLog.AppendAsync(journal, TestLog.Bytes(i, 1500));
            }
        }

        var gone = _bench.Account.Names.First(name => name.Contains("00000003", StringComparison.Ordinal));
        _bench.Account.DeleteBlob(gone);
        var damaged = await Assert.ThrowsAsync<JournalCorruptException>(() => _bench.Silo("s2").OpenAsync());
        Assert.Contains("Segment 3", damaged.Message, StringComparison.Ordinal);
        Assert.Contains("missing", damaged.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_block_that_is_there_twice_is_damage() => _bench.Run(async () =>
    {
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            await TestLog.AppendAsync(journal, [1]);
        }

        var image = _bench.Account.Get(_bench.Tail);
        _bench.Account.Put(_bench.Tail, image, image[^Sector.Size..]);
        var damaged = await Assert.ThrowsAsync<JournalCorruptException>(() => _bench.Silo("s2").OpenAsync());
        Assert.Contains("batch of another place", damaged.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_log_cut_off_in_the_middle_of_a_batch_is_damage_because_blobs_never_tear() => _bench.Run(async () =>
    {
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            await TestLog.AppendAsync(journal, TestLog.Bytes(1, 2000));
        }

        var tail = _bench.Tail;
        _bench.Account.Put(tail, _bench.Account.Get(tail)[..^Sector.Size]);
        await Assert.ThrowsAsync<JournalCorruptException>(() => _bench.Silo("s2").OpenAsync());
    });

    [Fact]
    public void Two_fences_are_never_the_same_even_of_one_silo_at_one_moment() => _bench.Run(async () =>
    {
        // Both have read the same log; one is fenced by what the other wrote, and doesn't take it for its own.
        await _bench.ReplayAsync();
        IJournal? other = null;
        var isNested = false;
        _bench.Account.Plan = async request =>
        {
            if (request.Action == BlobAction.Append && !isNested)
            {
                isNested = true;
                other = await _bench.Silo("s1").OpenAsync();
            }

            return BlobFault.None;
        };
        await using var journal = await _bench.Silo("s1").OpenAsync();
        Assert.Equal(other!.Epoch + 1, journal.Epoch);
        await Assert.ThrowsAsync<JournalFencedException>(() => TestLog.AppendAsync(other, [1]));
        await TestLog.AppendAsync(journal, [1]);
        await other.DisposeAsync();
    });

    [Fact]
    public void A_cluster_that_yields_does_not_take_back_what_another_took_over() => _bench.Run(async () =>
    {
        _bench.Options = _bench.Options with { YieldsToOtherClusters = true };
        await using var blue = await _bench.Silo("b1", "blue").OpenAsync();
        await using var again = await _bench.Silo("b2", "blue").OpenAsync();
        await using var green = await _bench.Silo("g1", "green").OpenAsync();
        var image = _bench.Account.Get(BlobBench.First);

        var refused = await Assert.ThrowsAsync<JournalIdentityException>(() => _bench.Silo("b1", "blue").OpenAsync());
        Assert.Contains("taken over by cluster 'green' (silo g1/", refused.Message, StringComparison.Ordinal);
        Assert.Contains("stop cluster 'green', or give", refused.Message, StringComparison.Ordinal);
        Assert.Equal(image, _bench.Account.Get(BlobBench.First));
        await TestLog.AppendAsync(green, [1]);

        await using var more = await _bench.Silo("g2", "green").OpenAsync();
        await using var third = await _bench.Silo("r1", "red").OpenAsync();
        await Assert.ThrowsAsync<JournalIdentityException>(() => _bench.Silo("g1", "green").OpenAsync());
    });

    [Fact]
    public void A_cluster_that_is_overtaken_while_it_opens_yields_as_well() => _bench.Run(async () =>
    {
        _bench.Options = _bench.Options with { YieldsToOtherClusters = true };
        await using var blue = await _bench.Silo("b1", "blue").OpenAsync();
        IJournal? green = null;
        _bench.Account.Plan = async request =>
        {
            if (request is { Client: "b2", Action: BlobAction.Append } && green is null)
            {
                green = await _bench.Silo("g1", "green").OpenAsync();
            }

            return BlobFault.None;
        };
        await Assert.ThrowsAsync<JournalIdentityException>(() => _bench.Silo("b2", "blue").OpenAsync());
        await TestLog.AppendAsync(green!, [1]);
        await green!.DisposeAsync();
    });

    [Fact]
    public void Without_that_option_clusters_take_the_log_from_one_another() => _bench.Run(async () =>
    {
        await using var blue = await _bench.Silo("b1", "blue").OpenAsync();
        await using var green = await _bench.Silo("g1", "green").OpenAsync();
        await using var back = await _bench.Silo("b1", "blue").OpenAsync();
        await TestLog.AppendAsync(back, [1]);
        await Assert.ThrowsAsync<JournalFencedException>(() => TestLog.AppendAsync(green, [1]));
    });
}
