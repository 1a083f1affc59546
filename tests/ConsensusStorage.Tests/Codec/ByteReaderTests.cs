using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Tests.Codec;

/// <summary>Fields that come back as they were written, and bytes that nobody vouches for.</summary>
public sealed class ByteReaderTests
{
    [Fact]
    public void Every_field_comes_back_as_it_was_written()
    {
        var writer = new ByteWriter(0);
        writer.WriteByte(0xFE);
        writer.WriteUInt32(0xDEADBEEF);
        writer.WriteUInt64(ulong.MaxValue - 1);
        writer.WriteInt64(long.MinValue);
        writer.WriteUInt128(UInt128.MaxValue - 5);
        writer.WriteVarUInt(300);
        writer.WriteBlob([1, 2, 3]);
        writer.WriteString("grün");
        writer.WriteBytes([9]);

        var reader = new ByteReader(writer.WrittenSpan);
        Assert.True(reader.TryReadByte(out var b) && b == 0xFE);
        Assert.True(reader.TryReadUInt32(out var u32) && u32 == 0xDEADBEEF);
        Assert.True(reader.TryReadUInt64(out var u64) && u64 == ulong.MaxValue - 1);
        Assert.True(reader.TryReadInt64(out var i64) && i64 == long.MinValue);
        Assert.True(reader.TryReadUInt128(out var u128) && u128 == UInt128.MaxValue - 5);
        Assert.True(reader.TryReadVarUInt(out var v) && v == 300);
        Assert.True(reader.TryReadBlob(out var blob) && blob.SequenceEqual(new byte[] { 1, 2, 3 }));
        Assert.True(reader.TryReadString(5, out var text) && text == "grün");
        Assert.True(reader.TryReadBytes(1, out var rest) && rest[0] == 9);
        Assert.Equal(0, reader.Remaining);
        Assert.False(reader.TryReadByte(out _));
    }

    [Fact]
    public void The_layout_of_every_field_is_little_endian_for_good()
    {
        var writer = new ByteWriter(4);
        writer.WriteUInt32(1);
        writer.WriteUInt64(2);
        writer.WriteInt64(-2);
        writer.WriteUInt128(new UInt128(0x0102030405060708, 0x090A0B0C0D0E0F10));
        writer.WriteVarUInt(uint.MaxValue);
        writer.WriteString("ab");

        const string golden = "01000000" + "0200000000000000" + "FEFFFFFFFFFFFFFF"
            + "100F0E0D0C0B0A090807060504030201" + "FFFFFFFF0F" + "026162";
        Assert.Equal(golden, Convert.ToHexString(writer.WrittenSpan));
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(0x7Fu, 1)]
    [InlineData(0x80u, 2)]
    [InlineData(0x3FFFu, 2)]
    [InlineData(0x4000u, 3)]
    [InlineData(0x1FFFFFu, 3)]
    [InlineData(0x200000u, 4)]
    [InlineData(0xFFFFFFFu, 4)]
    [InlineData(0x10000000u, 5)]
    [InlineData(uint.MaxValue, 5)]
    public void A_length_takes_as_few_bytes_as_it_can(uint value, int bytes)
    {
        var writer = new ByteWriter(8);
        writer.WriteVarUInt(value);

        var reader = new ByteReader(writer.WrittenSpan);
        Assert.Equal(bytes, writer.Length);
        Assert.True(reader.TryReadVarUInt(out var read));
        Assert.Equal(value, read);
        Assert.False(new ByteReader(writer.WrittenSpan[..^1]).TryReadVarUInt(out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("8000")]
    [InlineData("808000")]
    [InlineData("8080808000")]
    [InlineData("FFFFFFFF10")]
    [InlineData("FFFFFFFFFF")]
    [InlineData("808080808000")]
    [InlineData("FFFFFFFF8F00")]
    public void A_length_that_is_cut_off_too_large_or_padded_is_refused(string hex) =>
        Assert.False(new ByteReader(Convert.FromHexString(hex)).TryReadVarUInt(out _));

    [Theory]
    [InlineData("0501")]
    [InlineData("FFFFFFFF0F01")]
    [InlineData("8080808008")]
    [InlineData("01")]
    public void A_blob_longer_than_what_is_there_is_refused(string hex)
    {
        Assert.False(new ByteReader(Convert.FromHexString(hex)).TryReadBlob(out var blob));
        Assert.True(blob.IsEmpty);
    }

    [Fact]
    public void A_text_longer_than_allowed_is_refused()
    {
        Assert.False(new ByteReader([3, 97, 98, 99]).TryReadString(2, out var text));
        Assert.Equal("", text);
        Assert.True(new ByteReader([3, 97, 98, 99]).TryReadString(3, out _));
    }

    [Theory]
    [InlineData("01FF")]
    [InlineData("02C328")]
    [InlineData("02C080")]
    [InlineData("03EDA080")]
    [InlineData("03E282")]
    public void A_text_that_is_no_UTF_8_is_refused_and_not_mended(string hex)
    {
        Assert.False(new ByteReader(Convert.FromHexString(hex)).TryReadString(10, out var text));
        Assert.Equal("", text);
    }

    [Fact]
    public void Counts_below_zero_or_above_the_rest_are_refused_and_move_nothing()
    {
        var reader = new ByteReader([1, 2, 3]);

        Assert.False(reader.TryReadBytes(-1, out _));
        Assert.False(reader.TryReadBytes(int.MinValue, out _));
        Assert.False(reader.TryReadBytes(4, out _));
        Assert.False(reader.TryReadUInt32(out _));
        Assert.Equal((0, 3), (reader.Position, reader.Remaining));
        Assert.True(reader.TryReadBytes(3, out _));
    }

    [Fact]
    public void Random_bytes_never_throw_and_never_lead_behind_the_end()
    {
        const int seed = 31_337;
        var random = new Random(seed);
        for (var n = 0; n < 50_000; n++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            var reader = new ByteReader(bytes);
            for (var call = 0; call < 12; call++)
            {
                var before = reader.Position;
                ReadSomething(ref reader, random.Next(9), random.Next(-3, 20));
                Assert.True(
                    reader.Position >= before && reader.Position + reader.Remaining == bytes.Length,
                    $"seed {seed}, case {n}: {Convert.ToHexString(bytes)}");
            }
        }
    }

    [Fact]
    public void A_writer_grows_pads_truncates_and_starts_again()
    {
        var writer = new ByteWriter(1);
        writer.WriteBytes(new byte[100_000]);
        writer.PadTo(4096);
        Assert.Equal(102_400, writer.Length);
        writer.PadTo(4096);
        Assert.Equal(102_400, writer.Length);

        writer.Truncate(3);
        writer.WriteByte(7);
        Assert.Equal("00000007", Convert.ToHexString(writer.WrittenSpan));
        writer.Truncate(50);
        Assert.Equal(4, writer.Length);
        writer.Clear();
        Assert.Equal(0, writer.Length);
    }

    [Fact]
    public void Padding_is_zeros_also_in_a_writer_used_before()
    {
        var writer = new ByteWriter(8);
        writer.WriteUInt64(ulong.MaxValue);
        writer.Clear();
        writer.WriteByte(1);
        writer.PadTo(8);

        Assert.Equal("0100000000000000", Convert.ToHexString(writer.WrittenSpan));
    }

    private static void ReadSomething(ref ByteReader reader, int kind, int count)
    {
        _ = kind switch
        {
            0 => reader.TryReadByte(out _),
            1 => reader.TryReadUInt32(out _),
            2 => reader.TryReadUInt64(out _),
            3 => reader.TryReadInt64(out _),
            4 => reader.TryReadUInt128(out _),
            5 => reader.TryReadVarUInt(out _),
            6 => reader.TryReadBytes(count, out _),
            7 => reader.TryReadBlob(out _),
            _ => reader.TryReadString(count, out _),
        };
    }
}
