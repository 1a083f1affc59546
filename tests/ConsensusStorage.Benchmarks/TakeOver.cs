using System.Diagnostics;
using System.Globalization;
using Azure.Storage.Blobs;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.Benchmarks;

/// <summary>How long a silo takes to take a replica's log over from another one: read it, fence it, index it.</summary>
/// <param name="Records">Accept records of different registers in the log.</param>
/// <param name="Appends">Appends they were written with.</param>
/// <param name="LogBytes">Bytes of the log.</param>
/// <param name="Median">Of several take-overs, each by a client of its own.</param>
internal sealed record TakeOver(int Records, int Appends, long LogBytes, TimeSpan Median)
{
    /// <summary>What a store makes of 64 callers at a time: small batches make a long log.</summary>
    private const int RecordsPerAppend = 32;

    private static readonly TimeSpan PerTry = TimeSpan.FromSeconds(30);

    /// <summary>Writes a log to one Azurite and takes it over as often as there are rounds.</summary>
    /// <exception cref="AzuriteException">Azurite can't be installed or started.</exception>
    public static async Task<TakeOver> MeasureAsync(BenchmarkOptions options, CancellationToken cancellationToken)
    {
        var data = Path.Combine(
            options.Data, string.Create(CultureInfo.InvariantCulture, $"takeover-{Environment.ProcessId}"));
        try
        {
            await using var azurite = await AzuriteServer.StartAsync(
                new AzuriteOptions { Directory = data, ForgetsNothing = false }, cancellationToken);
            await using var owner = await OpenAsync(azurite, new(1), cancellationToken);
            var appends = await WriteAsync(owner, options.Registers, cancellationToken);
            var times = new List<TimeSpan>();
            for (var round = 0; round < options.Rounds; round++)
            {
                var index = new AcceptorIndex(1);
                var clock = Stopwatch.StartNew();
                await using var taken = await OpenAsync(azurite, index, cancellationToken);
                times.Add(clock.Elapsed);
                if (index.Count != options.Registers)
                {
                    throw new InvalidOperationException(
                        $"{index.Count} registers are in the index instead of {options.Registers}.");
                }
            }

            return new(options.Registers, appends, owner.Bytes, times.Order().ElementAt(times.Count / 2));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Records:n0} records in {Appends:n0} appends, {LogBytes / 1e6:0.0} MB: taken over in "
        + $"{Median.TotalSeconds:0.00} s");

    private static async Task<IJournal> OpenAsync(
        AzuriteServer azurite, AcceptorIndex index, CancellationToken cancellationToken)
    {
        var service = new BlobServiceClient(azurite.ConnectionString, AzureAppendBlobs.OptionsFor(PerTry));
        var blobs = new AzureAppendBlobs(service.GetBlobContainerClient("takeover"), PerTry, TimeProvider.System);
        var journals = new BlobJournalStore(_ => blobs, "bank", new(), TimeProvider.System, Random.Shared);
        var identity = new JournalIdentity("bank", "Default/0", new("a"), "a,b,c", 1, 1, LogId.Create(Random.Shared));
        return await journals.OpenAsync(identity, new("bank", "silo"), null, index.Replay, cancellationToken);
    }

    private static async Task<int> WriteAsync(IJournal journal, int count, CancellationToken cancellationToken)
    {
        var records = new AccountRecords(1);
        var batch = new JournalBatch();
        var appends = 0;
        for (var number = 0; number < count; number++)
        {
            batch.Add(AcceptorRecords.AcceptKind, records.Write(number, out _));
            if (batch.Count == RecordsPerAppend || number + 1 == count)
            {
                await journal.AppendAsync(batch, cancellationToken);
                batch.Clear();
                appends++;
            }
        }

        return appends;
    }
}
