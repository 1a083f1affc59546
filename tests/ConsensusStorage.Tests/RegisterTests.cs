using System.Text;

namespace Orleans.Consensus.Tests;

/// <summary>Names, placement and ETags: bytes that logs and users hold, so they can never change.</summary>
public sealed class RegisterTests
{
    private static RegisterId Example => Create("shop", "consensus", "cart", "cart"u8, "42"u8);

    [Fact]
    public void The_bytes_of_a_register_name_can_never_change()
    {
        const string golden = "0473686F70" + "09636F6E73656E737573" + "0463617274" + "0463617274" + "023432";
        Assert.Equal(golden, Convert.ToHexString(Example.Key.Span));
        Assert.Equal("0000000000", Convert.ToHexString(Create("", "", "", [], []).Key.Span));
        Assert.Equal(
            "02C3A4000001000100", Convert.ToHexString(Create("ä", "", "", [0], [0]).Key.Span));
    }

    [Fact]
    public void A_length_above_127_takes_two_bytes()
    {
        var key = Create(new string('s', 300), "", "", [], []).Key.Span;

        Assert.Equal("AC02", Convert.ToHexString(key[..2]));
        Assert.Equal(306, key.Length);
    }

    [Fact]
    public void The_hash_that_places_a_register_can_never_change()
    {
        Assert.Equal(13583264264021983140UL, Example.Hash);
        Assert.Equal(0x2D06800538D394C2UL, RegisterId.FromKey([]).Hash); // the vector XXH3 publishes for no bytes
        Assert.Equal(16745761692019274306UL, Create("", "", "", [], []).Hash);
    }

    [Fact]
    public void The_group_of_a_register_can_never_change()
    {
        var ids = Enumerable.Range(0, 12).Select(
            n => Create("shop", "consensus", "cart", "cart"u8, Encoding.UTF8.GetBytes($"{n}")));

        Assert.Equal("14,4,8,1,12,9,2,5,3,15,12,14", string.Join(',', ids.Select(id => id.GroupOf(16))));
        Assert.Equal(0, Example.GroupOf(1));
    }

    [Fact]
    public void Registers_spread_over_the_groups()
    {
        const int groups = 16;
        var counts = new int[groups];
        for (var n = 0; n < 16_000; n++)
        {
            counts[Create("s", "p", "n", "t"u8, BitConverter.GetBytes(n)).GroupOf(groups)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1_150));
    }

    [Fact]
    public void No_part_of_a_name_runs_over_into_the_next()
    {
        var ids = new[]
        {
            Create("a", "b", "", [], []), Create("ab", "", "", [], []), Create("", "ab", "", [], []),
            Create("a", "", "b", [], []), Create("", "", "", "a"u8, "b"u8), Create("", "", "", "ab"u8, []),
            Create("", "", "", [], "ab"u8), Create("a\0", "b", "", [], []), Create("a", "\0b", "", [], []),
            Create("", "", "", [0], []), Create("", "", "", [], [0]), Create("", "", "", [0, 0], []),
        };

        Assert.Equal(ids.Length, ids.ToHashSet().Count);
    }

    [Fact]
    public void A_name_read_back_from_its_bytes_is_the_same_register()
    {
        foreach (var id in new[] { Example, Create("", "", "", [], []), Create("ä", "\0", "😀", [0, 255], [128]) })
        {
            var again = RegisterId.FromKey(id.Key.Span);

            Assert.Equal(id, again);
            Assert.Equal(id.Hash, again.Hash);
            Assert.Equal(id.GetHashCode(), again.GetHashCode());
            Assert.Equal(id.ToString(), again.ToString());
        }
    }

    [Fact]
    public void A_name_of_the_longest_length_is_taken_and_one_byte_more_is_not()
    {
        const int overhead = 6; // five lengths, one of them two bytes long
        var longest = new string('k', RegisterId.MaxLength - overhead);

        Assert.Equal(RegisterId.MaxLength, Create(longest, "", "", [], []).Key.Length);
        var error = Assert.Throws<ArgumentException>(() => Create(longest + "k", "", "", [], []));
        Assert.Contains("8192", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Create("", "", "", [], new byte[100_000]));
    }

    [Fact]
    public void Odd_names_print_without_an_exception()
    {
        Assert.Equal("shop/consensus/cart/cart/42", Example.ToString());
        Assert.Equal("", RegisterId.FromKey([]).ToString());
        Assert.Equal("", default(RegisterId).ToString());
        Assert.Equal("", RegisterId.FromKey([200, 1, 2]).ToString());
        _ = RegisterId.FromKey([2, 0xC3, 0x28]).ToString();
    }

    [Theory, Trait("Rule", "S8")]
    [InlineData("00000000000000000000000000000001-0", 1, 0UL)]
    [InlineData("0000000000000000000000000000000a-1f", 10, 31UL)]
    [InlineData("000000000000000000000000000000ff-ffffffffffffffff", 255, ulong.MaxValue)]
    public void An_etag_is_the_text_of_its_version(string etag, int writer, ulong sequence)
    {
        var version = new RegisterVersion(new((UInt128)writer), sequence);

        Assert.Equal(etag, version.ToString());
        Assert.True(RegisterVersion.TryParse(etag, out var parsed));
        Assert.Equal(version, parsed);
    }

    [Theory, Trait("Rule", "S8")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("00000000000000000000000000000001")]
    [InlineData("00000000000000000000000000000001-")]
    [InlineData("00000000000000000000000000000001-01")]
    [InlineData("00000000000000000000000000000001-00")]
    [InlineData("00000000000000000000000000000001--1")]
    [InlineData("00000000000000000000000000000001- 1")]
    [InlineData("00000000000000000000000000000001-1 ")]
    [InlineData("00000000000000000000000000000001-1\0")]
    [InlineData("00000000000000000000000000000001-1\n")]
    [InlineData(" 0000000000000000000000000000001-1")]
    [InlineData("0000000000000000000000000000001\0-1")]
    [InlineData("0x000000000000000000000000000001-1")]
    [InlineData("0000000000000000000000000000000A-1")]
    [InlineData("00000000000000000000000000000001-1F")]
    [InlineData("00000000000000000000000000000001_1")]
    [InlineData("0000000000000000000000000000001-11")]
    [InlineData("000000000000000000000000000000001-1")]
    [InlineData("0000000000000000000000000000000g-1")]
    [InlineData("00000000000000000000000000000001-10000000000000000")]
    [InlineData("00000000000000000000000000000001-0000000000000001")]
    [InlineData("0000000000000000000000000000000\u0661-1")]
    [InlineData("00000000-0000-0000-0000-000000000001")]
    [InlineData("\"00000000000000000000000000000001-1\"")]
    public void An_etag_that_was_not_written_by_this_store_is_not_ours(string? etag) =>
        Assert.False(RegisterVersion.TryParse(etag, out _));

    [Fact, Trait("Rule", "S8")]
    public void Random_versions_survive_the_round_trip_and_random_damage_is_never_misread()
    {
        const int seed = 20_250;
        var random = new Random(seed);
        const string letters = "0123456789abcdefABCDEF-+ xX\0g\uFF10";
        for (var n = 0; n < 20_000; n++)
        {
            var version = new RegisterVersion(
                ProposerId.Create(random), (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64));
            var text = version.ToString();
            Assert.True(RegisterVersion.TryParse(text, out var parsed) && parsed == version, $"seed {seed}: {text}");

            var damaged = text.ToCharArray();
            damaged[random.Next(damaged.Length)] = letters[random.Next(letters.Length)];
            var read = RegisterVersion.TryParse(new(damaged), out var other);
            Assert.True(!read || other.ToString() == new string(damaged), $"seed {seed}: {new string(damaged)}");
        }
    }

    [Fact, Trait("Rule", "S8")]
    public void Random_text_never_makes_the_etag_parser_throw()
    {
        const int seed = 20_251;
        var random = new Random(seed);
        for (var n = 0; n < 20_000; n++)
        {
            var text = new char[random.Next(60)];
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = (char)random.Next(n % 2 == 0 ? 128 : 65_536);
            }

            Assert.False(RegisterVersion.TryParse(new(text), out _), $"seed {seed}: {new string(text)}");
        }
    }

    private static RegisterId Create(
        string service, string provider, string state, ReadOnlySpan<byte> type, ReadOnlySpan<byte> key) =>
        RegisterId.Create(service, provider, state, type, key);
}
