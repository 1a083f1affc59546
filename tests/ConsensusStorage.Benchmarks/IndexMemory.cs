using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Benchmarks;

/// <summary>What a replica's index holds in memory after replay, for each register.</summary>
/// <param name="Registers">Registers replayed.</param>
/// <param name="BytesPerRegister">All bytes of the index.</param>
/// <param name="KeyBytes">Of these, the bytes of the register's name.</param>
internal sealed record IndexMemory(int Registers, double BytesPerRegister, double KeyBytes)
{
    private const int Groups = 16;
    private const int PayloadBytes = 200;

    /// <summary>What remains without key and value. After replay values are in the log alone.</summary>
    public double Beside => BytesPerRegister - KeyBytes;

    /// <summary>
    /// Replays one accept record for each register into an empty index. The first replay warms up: it pays for what
    /// the process allocates once.
    /// </summary>
    public static IndexMemory Measure(int registers)
    {
        _ = Replay(Math.Min(registers, 1000), out _);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var index = Replay(registers, out var keys);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        if (index.Count != registers)
        {
            throw new InvalidOperationException($"{index.Count} registers are in the index instead of {registers}.");
        }

        GC.KeepAlive(index);
        return new(registers, (double)held / registers, (double)keys / registers);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Registers:n0} registers: {BytesPerRegister:0.0} bytes each, {Beside:0.0} beside key ({KeyBytes:0.0}) and "
        + $"value (in the log)");

    private static AcceptorIndex Replay(int registers, out long keys)
    {
        var index = new AcceptorIndex(Groups);
        var writer = new ByteWriter(1024);
        var payload = StoredPayload.Pending(new(RandomNumberGenerator.GetBytes(PayloadBytes)));
        var proposer = ProposerId.Create(Random.Shared);
        keys = 0;
        for (var number = 0; number < registers; number++)
        {
            var register = NameOf(number);
            var ballot = new Ballot(Ballot.RoundAt(1_700_000_000_000) + number, proposer);
            var next = ballot with { Round = ballot.Round + 1 };
            var value = new RegisterValue(new(proposer, (ulong)number + 1), payload);
            writer.Clear();
            AcceptorRecords.WriteAccept(writer, register.GroupOf(Groups), register, new(next, ballot, value));
            index.Replay(AcceptorRecords.AcceptKind, new(1, 4096 + (512L * number)), writer.WrittenSpan);
            keys += register.Key.Length;
        }

        return index;
    }

    private static RegisterId NameOf(int number) => RegisterId.Create(
        "bank", "Default", "account", "account"u8,
        Encoding.ASCII.GetBytes(number.ToString("d12", CultureInfo.InvariantCulture)));
}
