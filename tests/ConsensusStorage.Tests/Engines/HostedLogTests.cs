using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Engines;

public sealed class HostedLogTests
{
    private static readonly StoreSettings Settings = new()
    {
        Service = "test",
        Store = "Default",
        Replicas = new([new("a")]),
        Groups = 1,
    };

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_log_that_gives_back_less_than_it_took_is_not_served_from()
    {
        var place = new ExchangedLogs();
        var log = new HostedLog(
            new("a"), Settings, place, marks: null, new("cluster", "silo"), directory: null!, new SameBytes());
        var journal = await log.OpenAsync(new(1), TestContext.Current.CancellationToken);
        var batch = new JournalBatch();
        batch.Add(AcceptorRecords.PeersKind, new byte[4096]);
        await journal.AppendAsync(batch, TestContext.Current.CancellationToken);
        await log.CloseAsync(journal);

        // The same log, as it was before that.
        place.Exchange();
        var damage = await Assert.ThrowsAsync<JournalCorruptException>(
            () => log.OpenAsync(new(1), TestContext.Current.CancellationToken));

        Assert.Contains("put back from an older copy", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_holds_what_it_took_is_opened_again_and_again()
    {
        var log = new HostedLog(
            new("a"),
            Settings,
            new ExchangedLogs(),
            marks: null,
            new("cluster", "silo"),
            directory: null!,
            new SameBytes());
        for (var opening = 1; opening <= 3; opening++)
        {
            var journal = await log.OpenAsync(new(1), TestContext.Current.CancellationToken);
            Assert.Equal(opening, journal.Epoch);
            await log.CloseAsync(journal);
        }
    }

    /// <summary>Files that can be exchanged for others, behind the back of who uses them.</summary>
    private sealed class ExchangedLogs : IJournalStore
    {
        private FileJournalStore _journals = NewPlace();

        public bool IsExclusive => true;

        public void Exchange() => _journals = NewPlace();

        public ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken) =>
            _journals.MarkAsync(expected, mayCreate, cancellationToken);

        public ValueTask<IJournal> OpenAsync(
            JournalIdentity expected,
            JournalOwner owner,
            JournalPosition? from,
            JournalReplay replay,
            CancellationToken cancellationToken) =>
            _journals.OpenAsync(expected, owner, from, (_, _, _) => { }, cancellationToken);

        private static FileJournalStore NewPlace() =>
            new(new MemoryFiles(), "logs", new() { FirstSegmentBytes = 65536 }, TimeProvider.System, new SameBytes());
    }

    /// <summary>Makes all logs one log.</summary>
    private sealed class SameBytes : Random
    {
        public override void NextBytes(Span<byte> buffer) => buffer.Fill(7);
    }
}
