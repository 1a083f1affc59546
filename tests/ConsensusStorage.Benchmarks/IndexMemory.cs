using System.Globalization;
using Orleans.Consensus.Engines;

namespace Orleans.Consensus.Benchmarks;

/// <summary>What a replica's index holds in memory after replay, for each register.</summary>
/// <param name="Registers">Registers replayed.</param>
/// <param name="BytesPerRegister">All bytes of the index.</param>
/// <param name="KeyBytes">Of these, the bytes of the register's name.</param>
internal sealed record IndexMemory(int Registers, double BytesPerRegister, double KeyBytes)
{
    private const int Groups = 16;

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
        var records = new AccountRecords(Groups);
        keys = 0;
        for (var number = 0; number < registers; number++)
        {
            var record = records.Write(number, out var register);
            index.Replay(AcceptorRecords.AcceptKind, new(1, 4096 + (512L * number)), record);
            keys += register.Key.Length;
        }

        return index;
    }
}
