using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>Bytes that no journal ever wrote: an opening ends soon, and with one of the named exceptions.</summary>
public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Random_changes_end_in_a_named_exception_or_leave_the_records_as_they_were(int part)
    {
        var source = new FaultyFiles(new Random(part));
        var log = new TestLog(source);
        IReadOnlyList<TestRecord> records;
        await using (var journal = await log.OpenAsync())
        {
            for (var i = 0; i < 14; i++)
            {
                await TestLog.AppendAsync(journal, TestLog.Bytes(i, 400), new byte[700]);
            }
        }

        var images = source.NamesIn(log.Directory).ToDictionary(name => name, name => source.Get(log.Directory, name));
        records = await log.ReplayAsync();
        for (var seed = part * 10_000; seed < part * 10_000 + 600; seed++)
        {
            var random = new Random(seed);
            var files = new FaultyFiles(random);
            var changed = images.Keys.ElementAt(random.Next(images.Count));
            foreach (var (name, image) in images)
            {
                files.Put(log.Directory, name, name == changed ? Mutate([.. image], random) : [.. image]);
            }

            var fuzzed = new TestLog(files);
            var exception = await Record.ExceptionAsync(async () => await fuzzed.OpenAsync());
            Assert.True(
                exception is JournalCorruptException or JournalFormatException or JournalIdentityException
                || (exception is null && fuzzed.Replayed.SequenceEqual(records.Take(fuzzed.Replayed.Count))),
                $"seed {seed}: {exception}");
        }
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
