using Orleans.Consensus.Simulation.Clusters;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>
/// Every sequence of a few calls, one after the other and without faults, on the grain storages of two or three silos:
/// each call does what a plain model says, and no outcome is in doubt. A state object is a fresh one, or the one that
/// its silo keeps.
/// </summary>
public sealed class CallSequenceTests
{
    private const int AtOnce = 4_000;

    private enum Kind
    {
        Read,
        Write,
        Clear,
    }

    [Theory, Trait("Rule", "S6"), Trait("Rule", "S8b")]
    [InlineData(2, 5, 0)]
    [InlineData(3, 4, 0)]
    [InlineData(2, 4, 2)]
    public void Every_sequence_of_calls_does_what_a_model_says(int silos, int length, int hoursBetween)
    {
        var cluster = new SimulatedCluster();
        cluster.Run(
            async () =>
            {
                await cluster.StartAllAsync();
                await cluster.PassAsync(1_000);
                var fixture = new StorageFixture();
                var storages = Enumerable.Range(0, silos)
                    .Select(silo => fixture.Create(engine: cluster.Silos[silo].Engine))
                    .ToArray();
                var sequences = Sequences(silos, length)
                    .Select((calls, number) => new Sequence(calls, storages, number))
                    .ToList();
                for (var step = 0; step < length; step++)
                {
                    foreach (var some in sequences.Chunk(AtOnce))
                    {
                        await Task.WhenAll(some.Select(sequence => sequence.StepAsync(step)));
                    }

                    await cluster.PassAsync(TimeSpan.FromHours(hoursBetween).TotalMilliseconds);
                }
            },
            TimeSpan.FromDays(2));
    }

    /// <summary>
    /// All sequences, but for those that are others by another name: silos come up in order, and a silo that uses one
    /// state object alone keeps it.
    /// </summary>
    private static List<Call[]> Sequences(int silos, int length)
    {
        var sequences = new List<Call[]> { Array.Empty<Call>() };
        for (var step = 0; step < length; step++)
        {
            sequences =
            [
                .. sequences.SelectMany(before => Next(before, silos).Select(call => (Call[])[.. before, call])),
            ];
        }

        return [.. sequences.Where(calls => calls.All(call => call.IsKept || IsKeptUsed(calls, call.Silo)))];
    }

    private static bool IsKeptUsed(Call[] calls, int silo) => calls.Any(call => call.Silo == silo && call.IsKept);

    private static IEnumerable<Call> Next(Call[] before, int silos)
    {
        var known = before.Select(call => call.Silo + 1).DefaultIfEmpty(0).Max();
        return from silo in Enumerable.Range(0, Math.Min(silos, known + 1))
               from kind in Enum.GetValues<Kind>()
               from isKept in new[] { true, false }
               select new Call(silo, kind, isKept);
    }

    private readonly record struct Call(int Silo, Kind Kind, bool IsKept)
    {
        public override string ToString() => $"{"ABC"[Silo]} {Kind}s {(IsKept ? "(kept)" : "(fresh)")}";
    }

    /// <summary>One sequence on a grain of its own, and its model: the number of what is stored, 0 for none.</summary>
    private sealed class Sequence(Call[] calls, ConsensusGrainStorage[] storages, int number)
    {
        private readonly GrainId _grain = StorageFixture.Grain($"{number}");
        private readonly Held[] _kept = [.. storages.Select(_ => new Held())];
        private int _stored;
        private int _written;

        public async Task StepAsync(int step)
        {
            var call = calls[step];
            var held = call.IsKept ? _kept[call.Silo] : new Held();
            var isConflict = call.Kind != Kind.Read && held.Version != _stored;
            var etag = held.State.ETag;
            Exception? failure = null;
            try
            {
                await DoAsync(storages[call.Silo], call.Kind, held.State);
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            Check(failure?.GetType() == (isConflict ? typeof(InconsistentStateException) : null), step, failure);
            if (isConflict)
            {
                Check(held.State.ETag == etag, step, failure);
                return;
            }

            _stored = call.Kind switch
            {
                Kind.Read => _stored,
                Kind.Write => _written,
                _ => 0,
            };
            held.Version = _stored;
            Check(held.State.RecordExists == (_stored != 0), step, null);
            Check(held.State.ETag is null == (_stored == 0), step, null);
            Check(call.Kind == Kind.Clear || held.State.State!.Balance == _stored, step, null);
        }

        private Task DoAsync(ConsensusGrainStorage storage, Kind kind, GrainState<Account> state)
        {
            if (kind == Kind.Write)
            {
                state.State = new() { Balance = ++_written };
            }

            return kind switch
            {
                Kind.Read => storage.ReadStateAsync("balance", _grain, state),
                Kind.Write => storage.WriteStateAsync("balance", _grain, state),
                _ => storage.ClearStateAsync("balance", _grain, state),
            };
        }

        private void Check(bool holds, int step, Exception? failure)
        {
            if (!holds)
            {
                Assert.Fail($"{string.Join(", ", calls.Take(step + 1))}: {failure?.ToString() ?? "another state"}");
            }
        }
    }

    /// <summary>A state object, and what the model says that it knows.</summary>
    private sealed class Held
    {
        public GrainState<Account> State { get; } = new(new Account());

        public int Version { get; set; }
    }
}
