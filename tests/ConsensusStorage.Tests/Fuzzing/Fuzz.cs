using System.Collections.Concurrent;
using System.Globalization;
using CsCheck;

namespace Orleans.Consensus.Tests.Fuzzing;

/// <summary>
/// Runs the fuzz tests: as many inputs as each of them says, or for FUZZ_SECONDS seconds each:
/// <code>FUZZ_SECONDS=60 dotnet test tests/ConsensusStorage.Tests --filter Kind=Fuzz</code>
/// A failure prints the smallest input found and a seed; CsCheck_Seed=… before the same command runs that input again.
/// An input without an end is a failure, too.
/// </summary>
internal static class Fuzz
{
    /// <summary>Bytes that decoding may take whatever the input: the words of an error, or of an exception.</summary>
    private const int FixedBytes = 16 * 1024;

    /// <summary>Bytes that decoding may take for each byte of the input.</summary>
    private const int BytesPerByte = 16;

    /// <summary>Whoever takes longer, beyond the time that was asked for, hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static int Seconds { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds)
        ? seconds
        : -1;

    public static void Run<T>(Gen<T> inputs, Action<T> check, int iterations, Func<T, string> print)
    {
        var output = TestContext.Current.TestOutputHelper;
        var running = new ConcurrentDictionary<int, T>();
        var all = Task.Factory.StartNew(
            () => inputs.Sample(
                input => Note(running, input, check), line => output?.WriteLine(line),
                iter: Seconds > 0 ? -1 : iterations, time: Seconds, print: print),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (Task.WaitAny([all], Patience + TimeSpan.FromSeconds(Math.Max(Seconds, 0))) < 0)
        {
            Assert.Fail($"No end of: {string.Join(" or ", running.Values.Select(print))}");
        }

        all.GetAwaiter().GetResult();
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

    /// <summary>Remembers which input each thread is at, so that one without an end can be named.</summary>
    private static void Note<T>(ConcurrentDictionary<int, T> running, T input, Action<T> check)
    {
        running[Environment.CurrentManagedThreadId] = input;
        check(input);
        running.TryRemove(Environment.CurrentManagedThreadId, out _);
    }
}
