using System.Text;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// A grain's state object as its storage would treat it: it knows an ETag, and which of its changes are in doubt,
/// which it hands in with whatever it does next (S7). Sometimes it is out of date, or gives up early.
/// </summary>
internal sealed class ChaosClient(ChaosHistory history, SimulatedCluster cluster, int silo, string key, Random random)
{
    private readonly List<int> _inDoubt = [];
    private PaxosStore? _store;
    private RegisterVersion? _tag;
    private InDoubt _doubt = InDoubt.None;
    private bool _mustRead = true;

    /// <summary>One operation, unless the silo is down.</summary>
    public async Task StepAsync()
    {
        if (!cluster.Silos.TryGetValue(silo, out var store))
        {
            return;
        }

        if (store != _store)
        {
            // The grain's activation died with its silo; another knows nothing.
            _inDoubt.Clear();
            (_store, _tag, _doubt, _mustRead) = (store, null, InDoubt.None, true);
        }

        var (kind, expected) = Choose();
        var operation = new Operation(
            kind, store.Engine.MintVersion(), expected, _doubt.Versions, history.Tick());
        var number = history.Begin(key, operation);
        using var cancel = random.Next(12) == 0
            ? new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 400)), cluster.Scheduler.Time)
            : new CancellationTokenSource();
        var started = cluster.Scheduler.Time.GetTimestamp();
        var change = ToChange(operation);
        var result = await store.Engine.ChangeAsync(SimulatedCluster.Register(key), change, cancel.Token);
        var took = cluster.Scheduler.Time.GetElapsedTime(started);
        if (took > cluster.Settings.RequestTimeout + TimeSpan.FromMilliseconds(50))
        {
            history.Problems.Add($"{operation} took {took}.");
        }

        if (cluster.Silos.GetValueOrDefault(silo) == store)
        {
            Conclude(number, operation, result);
        }
    }

    private (OperationKind Kind, RegisterVersion? Expected) Choose()
    {
        var dice = _mustRead ? 0 : random.Next(100);
        return dice switch
        {
            < 18 => (OperationKind.Read, null),
            < 30 => (OperationKind.Clear, _tag),
            < 38 => (OperationKind.Write, history.AnyVersion(key, random)),
            < 45 => (OperationKind.Write, null),
            < 48 => (OperationKind.Clear, history.AnyVersion(key, random)),
            _ => (OperationKind.Write, _tag),
        };
    }

    private Change ToChange(Operation operation)
    {
        var (version, expected) = (operation.Version, operation.Expected);
        return operation.Kind switch
        {
            OperationKind.Read => new Change.Read(version, _doubt),
            OperationKind.Clear => new Change.Clear(version, _doubt, expected),
            _ => new Change.Write(version, _doubt, expected, PayloadOf(version)),
        };
    }

    private void Conclude(int number, Operation operation, ChangeResult result)
    {
        var now = history.Tick();
        switch (result)
        {
            case ChangeResult.Applied applied:
                Settle(now, applied.Version);
                history[key, number] = operation with { Ending = Ending.Applied, Returned = now };
                break;
            case ChangeResult.Found found:
                Settle(now, Visible(found.Value));
                CheckPayload(found.Value);
                history[key, number] = operation with { Ending = Ending.Found, Returned = now, Seen = _tag };
                break;
            case ChangeResult.Stale stale:
                Settle(now, Visible(stale.Current));
                var ending = stale.MayHaveHappened ? Ending.StaleAfterDoubt : Ending.Stale;
                history[key, number] = operation with { Ending = ending, Returned = now, Seen = _tag };
                break;
            case ChangeResult.Unknown unknown:
                _doubt = unknown.InDoubt;
                _mustRead |= unknown.Reason == UnknownReason.LostTrack;
                _inDoubt.Add(number);
                break;
            default:
                history[key, number] = operation with { Ending = Ending.Never, Returned = now };
                break;
        }
    }

    /// <summary>A definite answer: from here on nothing that was in doubt can take effect any more (S7).</summary>
    private void Settle(int now, RegisterVersion? tag)
    {
        foreach (var number in _inDoubt)
        {
            history[key, number] = history[key, number] with { Returned = now };
        }

        _inDoubt.Clear();
        (_doubt, _tag, _mustRead) = (InDoubt.None, tag, false);
    }

    private void CheckPayload(RegisterValue? value)
    {
        if (value is { IsTombstone: false }
            && (value.Payload as PayloadBytes)?.Bytes.Span.SequenceEqual(PayloadOf(value.Version).Bytes.Span) != true)
        {
            history.Problems.Add($"Register {key}: version {value.Version} came back with a payload not its own.");
        }
    }

    private static RegisterVersion? Visible(RegisterValue? value) =>
        value is { IsTombstone: false } ? value.Version : null;

    private static PayloadBytes PayloadOf(RegisterVersion version) =>
        new(Encoding.UTF8.GetBytes($"{version}{new string('.', (int)(version.Sequence % 7) * 150)}"));
}
