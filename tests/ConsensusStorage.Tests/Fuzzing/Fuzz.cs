using System.Globalization;
using CsCheck;

namespace Orleans.Consensus.Tests.Fuzzing;

/// <summary>
/// Runs the fuzz tests: as many inputs as each of them says, or for FUZZ_SECONDS seconds each:
/// <code>FUZZ_SECONDS=60 dotnet test tests/ConsensusStorage.Tests --filter Kind=Fuzz</code>
/// A failure prints the smallest input found and a seed; CsCheck_Seed=… before the same command runs that input again.
/// </summary>
internal static class Fuzz
{
    /// <summary>Bytes that decoding may take whatever the input: the words of an error, or of an exception.</summary>
    private const int FixedBytes = 16 * 1024;

    /// <summary>Bytes that decoding may take for each byte of the input.</summary>
    private const int BytesPerByte = 16;

    private static int Seconds { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds)
        ? seconds
        : -1;

    public static void Run<T>(Gen<T> inputs, Action<T> check, int iterations, Func<T, string> print)
    {
        var output = TestContext.Current.TestOutputHelper;
        inputs.Sample(
            check, line => output?.WriteLine(line), iter: Seconds > 0 ? -1 : iterations, time: Seconds, print: print);
    }

    public static void Run(Gen<byte[]> inputs, Action<byte[]> check, int iterations) =>
        Run(inputs, check, iterations, Convert.ToHexString);

    /// <summary>Decodes, and fails if that takes more memory than the input can account for.</summary>
    public static T Bounded<T>(int inputLength, Func<T> decode)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = decode();
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(taken, 0, FixedBytes + ((long)BytesPerByte * inputLength));
        return result;
    }
}
