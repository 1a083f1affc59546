using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>What changes of reminders cost in the bytes that are shipped, however many reminders there are.</summary>
public sealed class ReminderCostTests
{
    private const int Changes = 500;

    private readonly CountingEngine _engine = new();
    private readonly ConsensusReminderTable _table;

    public ReminderCostTests()
    {
        var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var storage = new ConsensusGrainStorage(
            new(
                "service",
                ".reminders",
                4 << 20,
                new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>())),
            _engine,
            services.GetRequiredService<IActivatorProvider>(),
            NullLogger<ConsensusGrainStorage>.Instance);
        _table = new(storage, new(), TimeProvider.System, new(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_costs_the_same_with_ten_a_thousand_and_a_hundred_thousand_reminders(bool oneGrain)
    {
        var number = 0;
        var costs = new List<(double Bytes, double Calls)>();
        foreach (var reminders in new[] { 10, 1_000, 100_000 })
        {
            for (; number < reminders; number++)
            {
                await _table.UpsertRow(Entry(number));
            }

            costs.Add(await CostAsync(reminders));
        }

        Assert.All(costs, cost => Assert.InRange(cost.Bytes, 500, 2 * costs[0].Bytes));
        Assert.All(costs, cost => Assert.InRange(cost.Calls, 1, 2 * costs[0].Calls));

        ReminderEntry Entry(int number) => new()
        {
            GrainId = GrainId.Create("remindable", oneGrain ? "0" : $"{number}"),
            ReminderName = oneGrain ? $"name-{number}" : "name",
            StartAt = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            Period = TimeSpan.FromMinutes(1),
        };

        // Reminders are changed, removed and added again.
        async Task<(double Bytes, double Calls)> CostAsync(int reminders)
        {
            var random = new Random(reminders);
            (_engine.Calls, _engine.Bytes) = (0, 0);
            for (var change = 0; change < Changes; change++)
            {
                var entry = Entry(random.Next(reminders));
                var etag = await _table.UpsertRow(entry);
                Assert.True(await _table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
                await _table.UpsertRow(entry);
            }

            return (_engine.Bytes / (3.0 * Changes), _engine.Calls / (3.0 * Changes));
        }
    }

    /// <summary>Registers in memory; counts what is asked for and what is written.</summary>
    private sealed class CountingEngine : IConsensusEngine
    {
        private readonly Dictionary<RegisterId, RegisterValue> _registers = [];
        private readonly ProposerId _proposer = ProposerId.Create(new(1));
        private ulong _sequence;

        public long Calls { get; set; }

        public long Bytes { get; set; }

        public RegisterVersion MintVersion() => new(_proposer, ++_sequence);

        public Task<ChangeResult> ChangeAsync(
            RegisterId register, Change change, CancellationToken cancellationToken)
        {
            Calls++;
            var current = _registers.GetValueOrDefault(register);
            var decision = change.Apply(current, default);
            if (decision is Decision.Put(var value))
            {
                _registers[register] = value;
                Bytes += (value.Payload as PayloadBytes)?.Bytes.Length ?? 0;
            }

            return Task.FromResult(decision.ToResult(change, current));
        }
    }
}
