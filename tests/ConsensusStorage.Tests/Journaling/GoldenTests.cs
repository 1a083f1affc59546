using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// The format's bytes, frozen: logs on disks hold them. They stand in docs/journal-format.md too. A change here needs
/// a new format version.
/// </summary>
public sealed class GoldenTests
{
    private const string GoldenHeader =
        "434A524E4C534547" // 0 magic
        + "01000000" // 8 format version
        + "02000000" // 12 number
        + "101F1E1D1C1B1A191817161514131211" // 16 segment id
        + "202F2E2D2C2B2A292827262524232221" // 32 previous segment
        + "1032547698BADCFEEFCDAB8967452301" // 48 log id
        + "0300000000000000" // 64 owner epoch
        + "0020000000000000" // 72 capacity
        + "AB89674523010000" // 80 created
        + "0100000000000000" // 88 generation
        + "10000000" // 96 groups
        + "0773657276696365" // 100 service
        + "0744656661756C74" // 108 store
        + "0161" // 116 replica
        + "05612C622C63"; // 118 replicas

    private const string GoldenBatch =
        "434A524E4C424154" // 0 magic
        + "101F1E1D1C1B1A191817161514131211" // 8 segment id
        + "0700000000000000" // 24 batch id
        + "0012000000000000" // 32 start
        + "02000000" // 40 segment number
        + "02000000" // 44 record count
        + "F3030000" // 48 body length
        + "02000000" // 52 zero sectors
        + "303F3E3D3C3B3A393837363534333231" // 56 hash of the batch before
        + "16CCEEAAB4DBA7E57892891F73CFD87A" // 72 hash of the body
        + "75F1D355C27E434404332479714ABDC3" // 88 hash of 0..88
        + "10" // 104 kind
        + "06" // 105 length
        + "676F6C64656E" // 106 record
        + "11" // 112 kind
        + "E807"; // 113 length 1000

    private const string GoldenRecords =
        "0118" // fence: kind, length
        + "0300000000000000" // epoch
        + "AB89674523010000" // time
        + "04626C7565" // cluster
        + "027331" // silo
        + "0224" // roll: kind, length
        + "03000000" // number
        + "0A000000000000000000000000000000" // id
        + "0B000000000000000000000000000000" // hash of its header
        + "0308" // torn: kind, length
        + "001A000000000000"; // until

    private static readonly SegmentHeader Header = new(
        TestLog.DefaultIdentity,
        Number: 2,
        Id: new(0x1112131415161718, 0x191A1B1C1D1E1F10),
        Previous: new(0x2122232425262728, 0x292A2B2C2D2E2F20),
        Epoch: 3,
        Capacity: 8192,
        Created: 0x0123456789AB);

    [Fact]
    public void The_segment_header_keeps_its_bytes()
    {
        var (bytes, hash) = Header.Encode();

        Assert.Equal(SegmentHeader.Size, bytes.Length);
        Assert.Equal(GoldenHeader, Hex(bytes.AsSpan(0, 124)));
        Assert.True(Sector.IsZero(bytes.AsSpan(124..4080)));
        Assert.Equal("0C5BE2C068B32498992764ED3C3B7B71", Hex(bytes.AsSpan(4080)));
        var (decoded, decodedHash) = SegmentHeader.Decode(bytes, "it");
        Assert.Equal(Header, decoded);
        Assert.Equal(hash, decodedHash);
    }

    [Fact]
    public void A_segment_header_with_more_than_its_fields_is_damage()
    {
        var bytes = Header.Encode().Bytes;
        foreach (var at in new[] { 124, 2000, 4079 })
        {
            var more = bytes[..4080];
            more[at] = 1;
            Assert.Throws<JournalCorruptException>(() => SegmentHeader.Decode(ForgedLog.WithHash(more), "it"));
        }

        Assert.Equal(Header, SegmentHeader.Decode(ForgedLog.WithHash(bytes), "it").Header);
    }

    [Fact]
    public void A_batch_keeps_its_bytes()
    {
        var batch = new JournalBatch();
        Assert.Equal(2, batch.Add(16, "golden"u8));
        Assert.Equal(11, batch.Add(17, new byte[1000]));
        var image = new BatchImage();
        image.Build(batch, Header, start: 4608, id: 7, previous: new(0x3132333435363738, 0x393A3B3C3D3E3F30));

        var bytes = image.Bytes.Span;
        Assert.Equal(1536, bytes.Length);
        Assert.Equal(GoldenBatch, Hex(bytes[..115]));
        Assert.True(Sector.IsZero(bytes[115..]));
        Assert.True(BatchHeader.TryRead(bytes, out var header, out var hash));
        Assert.Equal((2, 1011, 2), (header.Count, header.BodyLength, header.ZeroSectors));
        Assert.Equal(image.Hash, hash);
    }

    [Fact]
    public void The_journals_own_records_keep_their_bytes()
    {
        var batch = new JournalBatch();
        new FenceRecord(3, 0x0123456789AB, new("blue", "s1")).AddTo(batch);
        new RollRecord(3, 0x0A, 0x0B).AddTo(batch);
        new TornRecord(6656).AddTo(batch);

        Assert.Equal(GoldenRecords, Hex(batch.Body.Span));
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
}
