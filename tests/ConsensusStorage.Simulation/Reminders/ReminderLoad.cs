using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Reminders;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Simulation.Runs;

namespace Orleans.Consensus.Simulation.Reminders;

/// <summary>The reminders of a run: what they are called on a silo, and what became of the calls.</summary>
internal sealed class ReminderLoad(SeedRun run)
{
    private static readonly ReminderStates States = new();
    private static readonly GrainStorageSettings Settings = new("test", "reminders", 1 << 20, States);

    /// <summary>Nodes are split all the time; there is little room for changes, and hardly an old bucket.</summary>
    private static readonly ReminderSettings Limits = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(1),
        MostRows = 2,
        ReadsAtOnce = 2,
        FormerBuckets = 1,
    };

    private readonly ReminderOracle _oracle = new(run.Violated);

    public int Operations => _oracle.Calls.Count;

    public IEnumerable<Ending> Endings => _oracle.Calls.Select(call => call switch
    {
        { Ended: ReminderCall.Open } => Ending.Maybe,
        { WasRefused: true } => Ending.Stale,
        { Action: ReminderAction.Read } => Ending.Found,
        _ => Ending.Applied,
    });

    /// <summary>The shipped table over the shipped storage on a silo; its clients share it.</summary>
    public ConsensusReminderTable TableOf(PaxosStore store, Random random) => new(
        new ConsensusGrainStorage(
            Settings, store.Engine, States, NullLogger<ConsensusGrainStorage>.Instance), Limits, run.Time, random);

    public ReminderClient ClientOf(ConsensusReminderTable table, Random random) => new(run, _oracle, table, random);

    /// <summary>Once the faults are over, two silos can soon write and read all reminders.</summary>
    public async Task UseAsync(SimulatedCluster cluster, Random random, DateTimeOffset until)
    {
        for (var silo = 0; silo < 2; silo++)
        {
            var client = ClientOf(TableOf(cluster.Silos[silo], new(random.Next())), new(random.Next()));
            await cluster.Processes[silo].RunAsync(async () =>
            {
                if (!await client.UseAsync(until))
                {
                    run.Violated($"After the faults reminders can't be used at silo {silo}.");
                }
            });
        }
    }
}
