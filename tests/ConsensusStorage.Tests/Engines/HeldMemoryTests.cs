using System.Runtime.InteropServices;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>What a replica holds in memory is what it says, also after messages and states of any size.</summary>
public sealed class HeldMemoryTests
{
    private const int Megabyte = 1024 * 1024;

    private readonly ReplicaBench _bench = new();

    [Fact, Trait("Rule", "S25")]
    public void A_cached_state_does_not_hold_the_message_it_came_with() => _bench.Run(async () =>
    {
        await AcceptAsync("small", new byte[Megabyte].AsMemory(1000, 100));
        Assert.Equal(100, HeldFor("small").Length);
        Assert.Equal([0], HeldFor("small").Distinct());
    });

    [Fact, Trait("Rule", "S25")]
    public void A_cached_state_that_is_most_of_its_message_is_not_copied() => _bench.Run(async () =>
    {
        var message = new byte[Megabyte];
        await AcceptAsync("large", message.AsMemory(100, Megabyte - 200));
        Assert.Same(message, HeldFor("large"));
        Assert.InRange(_bench.Replica.CachedBytes, Megabyte, Megabyte + 1024);
    });

    [Theory, Trait("Rule", "S25")]
    [InlineData(1)]
    [InlineData(2)]
    public void The_bytes_that_are_accounted_are_those_that_are_held(int seed)
    {
        _bench.Settings = _bench.Settings with { ValueCacheBytes = Megabyte };
        _bench.Run(async () =>
        {
            var random = new Random(seed);
            var keys = Enumerable.Range(0, 500).Select(i => $"k{i}").ToList();
            foreach (var key in keys)
            {
                var message = new byte[random.Next(1, 100_000)];
                var start = random.Next(message.Length);
                await AcceptAsync(key, message.AsMemory(start, random.Next(Math.Min(5000, message.Length - start))));
            }

            var arrays = keys.Select(HeldFor).Where(array => array.Length > 0).Distinct();
            Assert.InRange(arrays.Sum(array => (long)array.Length), 1, _bench.Replica.CachedBytes);
            Assert.InRange(_bench.Replica.CachedBytes, 1, Megabyte);
        });
    }

    [Fact, Trait("Rule", "S25")]
    public void A_state_that_the_cache_has_no_room_for_pushes_no_other_out()
    {
        _bench.Settings = _bench.Settings with { ValueCacheBytes = Megabyte };
        _bench.Run(async () =>
        {
            await AcceptAsync("small", new byte[100]);
            await AcceptAsync("giant", new byte[2 * Megabyte]);
            Assert.Empty(HeldFor("giant"));
            Assert.Equal(100, HeldFor("small").Length);
        });
    }

    [Fact, Trait("Rule", "S25")]
    public void A_giant_batch_does_not_hold_its_memory_while_the_replica_is_idle() => _bench.Run(async () =>
    {
        await AcceptAsync("giant", new byte[8 * Megabyte]);
        await _bench.SettleAsync();
        Assert.InRange(ArrayOf(_bench.Journal.Batch!.Body).Length, 1, 2 * Megabyte);
    });

    [Fact]
    public void A_cleared_writer_keeps_a_buffer_of_a_common_size_and_no_giant()
    {
        var writer = new ByteWriter(1024);
        writer.WriteBytes(new byte[Megabyte]);
        writer.Clear();
        Assert.Equal(Megabyte, ArrayOf(writer.WrittenMemory).Length);
        writer.WriteBytes(new byte[8 * Megabyte]);
        writer.Clear();
        Assert.Equal(1024, ArrayOf(writer.WrittenMemory).Length);
    }

    private async Task AcceptAsync(string key, ReadOnlyMemory<byte> payload)
    {
        Request accept = new Accept(_bench.BallotAt(0), new(V(1), new PayloadBytes(payload)), _bench.BallotAt(1));
        Assert.IsType<Accepted>(await _bench.AskAsync(key, accept));
    }

    private byte[] HeldFor(string key) =>
        ((StoredPayload)_bench.StateOf(key).Value!.Payload!).InMemory is { } payload ? ArrayOf(payload.Bytes) : [];

    private static byte[] ArrayOf(ReadOnlyMemory<byte> bytes)
    {
        Assert.True(MemoryMarshal.TryGetArray(bytes, out var slice));
        return slice.Array!;
    }
}
