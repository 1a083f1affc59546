using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Orleans.Consensus.Transport;

/// <summary>
/// The stores of a silo that take messages, by name. A store adds itself before lifecycle stage 8000, where the grain
/// service starts to answer, and goes when it stops. Thread-safe.
/// </summary>
internal sealed class TransportTargets
{
    private readonly ConcurrentDictionary<string, ITransportTarget> _targets = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">There is another store of that name.</exception>
    public void Add(string store, ITransportTarget target)
    {
        if (!_targets.TryAdd(store, target))
        {
            throw new InvalidOperationException($"This silo has two consensus stores named '{store}'.");
        }
    }

    /// <summary>Takes <paramref name="target"/> out, unless another one has its name by now.</summary>
    public void Remove(string store, ITransportTarget target) =>
        _targets.TryRemove(KeyValuePair.Create(store, target));

    public bool TryGet(string store, [NotNullWhen(true)] out ITransportTarget? target) =>
        _targets.TryGetValue(store, out target);
}
