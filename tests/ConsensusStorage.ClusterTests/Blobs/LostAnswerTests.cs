using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Azure.Core;
using Azure.Storage.Blobs;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Appends that are done, and whose answers never come (S18).</summary>
public sealed class LostAnswerTests
{
    private const int EveryFifth = 5;

    private static readonly TimeSpan Try = TimeSpan.FromMilliseconds(500);

    [Theory]
    [Trait("Rule", "S18")]
    [InlineData(Loss.Silence, 0)]
    [InlineData(Loss.BrokenConnection, 3)]
    public async Task Appends_whose_answers_are_lost_are_neither_lost_nor_doubled_and_counted(Loss loss, int retries)
    {
        var resolutions = new ConcurrentBag<string>();
        using var listener = Listen(resolutions);
        var appends = new CountedAppends(EveryFifth, loss);
        var accounts = await SharedAccounts.TakeAsync(3);
        var clients = accounts.Select(account => Client(account, appends, retries)).ToList();
        await using var cluster = await TestedCluster.StartAsync(new()
        {
            Blobs = true,
            Store = (_, options) =>
            {
                options.ConnectionStrings.Clear();
                options.BlobTryTimeout = Try;
                foreach (var (replica, client) in options.Replicas.Zip(clients))
                {
                    options.UseBlobs(client, replica);
                }
            },
        });

        await using var load = CounterLoad.Start(cluster.Client, clients: 4);
        await load.ProgressAsync(10);
        await load.VerifyAsync();

        Assert.True(appends.Lost > 0);
        Assert.Contains(nameof(AppendResolution.Landed), resolutions);
    }

    private static BlobServiceClient Client(string account, CountedAppends appends, int retries)
    {
        var options = AzureAppendBlobs.OptionsFor(Try);
        options.Retry.MaxRetries = retries;
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
        options.AddPolicy(appends, HttpPipelinePosition.PerRetry);
        return new(account, options);
    }

    /// <summary>Notes how appends in doubt were resolved, as the meter tells it.</summary>
    private static MeterListener Listen(ConcurrentBag<string> resolutions)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, me) =>
            {
                if (instrument is { Meter.Name: "Orleans.Consensus", Name: "consensus.log.appends_in_doubt" })
                {
                    me.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
            {
                resolutions.Add($"{(tag.Key == "resolution" ? tag.Value : null)}");
            }
        });
        listener.Start();
        return listener;
    }
}
