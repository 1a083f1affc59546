using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Engines;

namespace Orleans.Consensus.Tests;

/// <summary>Grain keys are chosen by clients: whatever they choose, a table has to stay a table.</summary>
public sealed class HashFloodingTests
{
    private const int Keys = 4_000;

    /// <summary>
    /// XXH3 multiplies eight bytes, mixed with this part of its published secret, with the eight bytes behind them. A
    /// factor of zero makes the other one count for nothing.
    /// </summary>
    private static ReadOnlySpan<byte> PublishedSecret => [0x3C, 0x28, 0x52, 0xBB, 0x91, 0xC3, 0x00, 0xCB];

    private static readonly RegisterId[] Chosen = [.. Enumerable.Range(0, Keys).Select(Choose)];

    [Fact]
    public void Grain_keys_that_collide_in_the_frozen_hash_do_not_collide_in_tables()
    {
        Assert.Single(Chosen.Select(register => register.Hash).Distinct());
        Assert.InRange(Chosen.Select(register => register.GetHashCode()).Distinct().Count(), Keys - 10, Keys);
    }

    [Fact]
    public void Another_seed_throws_other_registers_together()
    {
        var registers = Chosen.Take(100).ToList();

        Assert.Equal(100, registers.Select(register => register.HashWith(1)).Distinct().Count());
        Assert.All(registers, register => Assert.NotEqual(register.HashWith(1), register.HashWith(2)));
        Assert.All(registers, register => Assert.Equal(register.HashWith(1), register.HashWith(1)));
    }

    /// <summary>All of them in one part of the table would push one another out.</summary>
    [Fact]
    public async Task Grain_keys_that_collide_in_the_frozen_hash_have_all_of_the_promise_cache()
    {
        var sessions = new RegisterSessions(capacity: 640, seed: 7);
        await VisitAsync(sessions, Chosen.Take(500));
        Assert.InRange(sessions.Count, 400, 500);
    }

    [Fact, Trait("Rule", "S25")]
    public async Task Registers_with_the_longest_names_are_remembered_in_smaller_numbers()
    {
        var sessions = new RegisterSessions(capacity: 320, seed: 7);
        var names = Enumerable.Range(0, 1_000).Select(number => RegisterId.Create(
            "s", "p", "n", "t"u8, [.. BitConverter.GetBytes(number), .. new byte[8_000]]));
        await VisitAsync(sessions, names);
        Assert.InRange(sessions.Count, 16, 96);
    }

    private static async Task VisitAsync(RegisterSessions sessions, IEnumerable<RegisterId> registers)
    {
        var time = new FakeTimeProvider();
        foreach (var register in registers)
        {
            sessions.Leave((await sessions.EnterAsync(
                register, TimeSpan.FromSeconds(1), time, CancellationToken.None))!);
        }
    }

    /// <summary>The key begins at byte 25 of 96; the bytes in question are 32 to 47.</summary>
    private static RegisterId Choose(int number)
    {
        var key = new byte[71];
        PublishedSecret.CopyTo(key.AsSpan(7));
        BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(15), number);
        return RegisterId.Create("shop", "Default", "state", "cart"u8, key);
    }
}
