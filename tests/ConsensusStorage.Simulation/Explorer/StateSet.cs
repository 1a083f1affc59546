namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// The names of all worlds seen so far: open addressing, 16 bytes a slot, filled by several threads at once. Worlds are
/// known by 128-bit hashes: among 10^8 of them the odds that two share one, and the second is passed over, are below
/// 10^-22.
/// </summary>
internal sealed class StateSet
{
    private const int Shards = 64;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard())];

    /// <summary>False if it was there before.</summary>
    public bool Add(UInt128 name)
    {
        var shard = _shards[(int)(ulong)(name >> 64) & (Shards - 1)];
        lock (shard)
        {
            return shard.Add(name == UInt128.Zero ? UInt128.One : name);
        }
    }

    private sealed class Shard
    {
        /// <summary>A power of two; zero is an empty slot.</summary>
        private UInt128[] _slots = new UInt128[64];

        private int _count;

        public bool Add(UInt128 name)
        {
            if (_count >= _slots.Length / 4 * 3)
            {
                Grow();
            }

            if (!Place(_slots, name))
            {
                return false;
            }

            _count++;
            return true;
        }

        private void Grow()
        {
            var larger = new UInt128[_slots.Length * 2];
            foreach (var name in _slots)
            {
                if (name != UInt128.Zero)
                {
                    Place(larger, name);
                }
            }

            _slots = larger;
        }

        private static bool Place(UInt128[] slots, UInt128 name)
        {
            var at = (int)(ulong)name & (slots.Length - 1);
            while (slots[at] != UInt128.Zero)
            {
                if (slots[at] == name)
                {
                    return false;
                }

                at = (at + 1) & (slots.Length - 1);
            }

            slots[at] = name;
            return true;
        }
    }
}
