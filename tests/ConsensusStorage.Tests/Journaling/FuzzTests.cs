using CsCheck;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Tests.Fuzzing;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// Bytes that no journal ever wrote: an opening ends soon, in little memory, and with one of the named exceptions.
/// </summary>
[Trait("Kind", "Fuzz")]
public sealed class FuzzTests
{
    [Fact]
    public async Task Random_changes_end_in_a_named_exception_or_leave_the_records_as_they_were()
    {
        var source = new FaultyFiles(new Random(1));
        var log = new TestLog(source);
        await using (var journal = await log.OpenAsync())
        {
            for (var i = 0; i < 14; i++)
            {
                await TestLog.AppendAsync(journal, TestLog.Bytes(i, 400), new byte[700]);
            }
        }

        var images = source.NamesIn(log.Directory).ToDictionary(name => name, name => source.Get(log.Directory, name));
        var records = await log.ReplayAsync();
        Fuzz.Run(Gen.Int[0, int.MaxValue - 1], seed => Check(images, records, seed), 1200, seed => $"seed {seed}");
    }

    private static void Check(Dictionary<string, byte[]> images, IReadOnlyList<TestRecord> records, int seed)
    {
        var random = new Random(seed);
        var files = new FaultyFiles(random);
        var fuzzed = new TestLog(files);
        var changed = images.Keys.ElementAt(random.Next(images.Count));
        foreach (var (name, image) in images)
        {
            files.Put(fuzzed.Directory, name, name == changed ? Mutate([.. image], random) : [.. image]);
        }

        var length = images.Values.Sum(image => image.Length);
        var exception = Fuzz.Bounded(length, () => Record.Exception(() => Open(fuzzed)));
        Assert.True(
            exception is JournalCorruptException or JournalFormatException or JournalIdentityException
            || (exception is null && fuzzed.Replayed.SequenceEqual(records.Take(fuzzed.Replayed.Count))),
            $"{exception}");
    }

    private static void Open(TestLog log)
    {
        var journal = log.OpenAsync().AsTask().GetAwaiter().GetResult();
        journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static byte[] Mutate(byte[] image, Random random)
    {
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(image.Length);
            var length = Math.Min(random.Next(1, 1 << random.Next(1, 12)), image.Length - at);
            switch (random.Next(4))
            {
                case 0:
                    random.NextBytes(image.AsSpan(at, length));
                    break;
                case 1:
                    image.AsSpan(at, length).Clear();
                    break;
                case 2:
                    image[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    image.AsSpan(at, length).ToArray().CopyTo(image.AsSpan(random.Next(image.Length - length + 1)));
                    break;
            }
        }

        return random.Next(10) == 0 ? image[..random.Next(image.Length)] : image;
    }
}
