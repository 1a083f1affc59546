using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Tests.Architecture;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Diagnostics;

/// <summary>What is measured, and what is said of it.</summary>
public sealed partial class InstrumentTests
{
    [Fact]
    public void Every_instrument_has_a_unit_a_description_and_a_row_in_the_readme()
    {
        var found = new List<Instrument>();
        using var listener = new MeterListener();
        var silo = Guid.NewGuid().ToString();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (IsOf(instrument, silo))
            {
                found.Add(instrument);
            }
        };
        listener.Start();
        using var instruments = new ConsensusInstruments(silo: silo);
        Assert.NotEmpty(found);
        Assert.All(found, one => Assert.EndsWith(".", one.Description));
        Assert.All(found, one => Assert.False(string.IsNullOrEmpty(one.Unit)));
        var readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        Assert.Equal(
            found.Select(one => (one.Name, one.Unit)).Order(),
            Row().Matches(readme).Select(row => (row.Groups[1].Value, (string?)row.Groups[2].Value)).Order());
    }

    [Fact]
    public void Gauges_tell_of_states_log_bytes_and_replicas_that_serve()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            VersionOf(await cluster.WriteAsync(0, "other", null, "one"));
            await cluster.PassAsync(1000);
            var silo = Guid.NewGuid().ToString();
            using var instruments = new ConsensusInstruments(silo: silo);
            using var observed = instruments.Observe(cluster.Silos[2].Gauges);
            var before = Measure(silo);
            Assert.Equal(2, before["consensus.replica.states r2"]);
            Assert.Equal(
                cluster.Silos[2].Hosted[0].LogBytes, before["consensus.log.bytes r2"]);
            Assert.Equal(3, before["consensus.replicas.serving "]);
            Assert.InRange(before["consensus.replica.lag r2"], 0, 1);

            await cluster.StopAsync(1);
            await cluster.PassAsync(1000);
            VersionOf(await cluster.WriteAsync(0, "k", version, "two"));
            Assert.Equal(2, Measure(silo)["consensus.replicas.serving "]);

            observed.Dispose();
            Assert.Empty(Measure(silo));
        });
    }

    [Fact]
    public void Lag_is_the_time_between_ballots_in_the_group_where_that_is_most()
    {
        var all = new[] { Standing(1000, 2000), Standing(1500, 9000), Standing(0, 4000) };
        Assert.Equal(TimeSpan.FromSeconds(7), StoreGauges.LagOf(all[0], all));
        Assert.Equal(TimeSpan.Zero, StoreGauges.LagOf(all[1], all));
        Assert.Equal(TimeSpan.FromSeconds(5), StoreGauges.LagOf(all[2], all));
    }

    private static ReplicaStanding Standing(params long[] milliseconds) => new(
        new("r"),
        ConsensusReplicaState.Serving,
        null,
        new(
            new("r"),
            null,
            ReplicaState.Serving,
            [],
            [.. milliseconds.Select(time => time == 0 ? Ballot.None : new Ballot(Ballot.RoundAt(time), new(1)))],
            0,
            null),
        null,
        null);

    /// <summary>What the gauges of a silo say, by instrument and replica.</summary>
    private static Dictionary<string, double> Measure(string silo)
    {
        var measured = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (IsOf(instrument, silo))
            {
                listening.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((one, value, tags, _) => Note(one, value, tags));
        listener.SetMeasurementEventCallback<long>((one, value, tags, _) => Note(one, value, tags));
        listener.SetMeasurementEventCallback<double>(Note);
        listener.Start();
        listener.RecordObservableInstruments();
        return measured;

        void Note(
            Instrument one, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state = null) =>
            measured[$"{one.Name} {tags.ToArray().FirstOrDefault(tag => tag.Key == "replica").Value}"] = value;
    }

    private static bool IsOf(Instrument instrument, string silo) =>
        instrument.Meter.Tags?.Any(tag => Equals(tag.Value, silo)) == true;

    [GeneratedRegex(@"^\| `(consensus\.[\w.]+)` \| (\S+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
