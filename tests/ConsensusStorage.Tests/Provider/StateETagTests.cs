using System.Buffers.Text;
using CsCheck;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>What is in doubt goes along in the ETag (S7).</summary>
public sealed class StateETagTests
{
    private static readonly RegisterId Register =
        RegisterId.Create("shop", "bank", "balance", "account"u8, "7"u8);

    private static readonly RegisterId Other =
        RegisterId.Create("shop", "bank", "balance", "account"u8, "8"u8);

    private static readonly Gen<UInt128> Wide =
        Gen.Select(Gen.ULong, Gen.ULong, (upper, lower) => new UInt128(upper, lower));

    // Few writers, so that several versions in a row are of one.
    private static readonly Gen<RegisterVersion> Version = Gen.Select(
        Gen.OneOf(Wide, Gen.Const((UInt128)7), Gen.Const(default(UInt128))), Gen.ULong,
        (writer, sequence) => new RegisterVersion(new(writer), sequence));

    private static readonly Gen<RegisterVersion?> Optional =
        Gen.OneOf(Version.Select(version => (RegisterVersion?)version), Gen.Const((RegisterVersion?)null));

    private static readonly Gen<Absence?> Binding = Gen.OneOf(
        Gen.Const((Absence?)null),
        Gen.Select(Optional, Gen.Long, Wide, (tombstone, round, by) =>
            (Absence?)new Absence(tombstone, new(round, new(by)))));

    private static readonly Gen<StateETag> ETag = Gen.Select(
        Optional, Version.Array[0, 5], Binding,
        (expected, versions, binding) =>
            new StateETag(expected, versions.Length == 0 ? InDoubt.None : new([.. versions], binding)));

    [Fact, Trait("Rule", "S7")]
    public void An_ETag_comes_back_as_it_was() => ETag.Sample(etag =>
    {
        Assert.True(StateETag.TryParse(etag.ToText(Register), Register, out var read));
        Assert.Equal(etag, read);
    });

    [Fact, Trait("Rule", "S7")]
    public void What_is_in_doubt_elsewhere_is_in_no_doubt_here() => ETag.Sample(etag =>
    {
        Assert.True(StateETag.TryParse(etag.ToText(Register), Other, out var read));
        Assert.Equal(etag with { InDoubt = InDoubt.None }, read);
    });

    [Fact]
    public void Without_a_doubt_the_text_is_the_version()
    {
        var version = new RegisterVersion(new(0xAB), 0x1F);

        Assert.Null(StateETag.None.ToText(Register));
        Assert.Equal(version.ToString(), new StateETag(version, InDoubt.None).ToText(Register));
    }

    [Fact]
    public void The_text_keeps_its_layout()
    {
        var etag = new StateETag(
            new(new(1), 2), new([new(new(3), 4), new(new(3), 5)], new Absence(new(new(6), 7), new(8, new(9)))));

        var bytes = Base64Url.DecodeFromChars(etag.ToText(Register).AsSpan("in-doubt-".Length));

        Assert.Equal(
            "01" + Convert.ToHexString(BitConverter.GetBytes(Register.Hash))
            + "01" + Id(1) + "0200000000000000"
            + "01" + "01" + Id(6) + "0700000000000000" + "0800000000000000" + Id(9)
            + "01" + Id(3) + "0400000000000000" + "00" + "0500000000000000",
            Convert.ToHexString(bytes));

        static string Id(byte first) => $"{first:X2}" + new string('0', 30);
    }

    [Fact]
    public void What_was_cut_or_changed_is_not_ours()
    {
        var etag = new StateETag(new(new(1), 2), new([new(new(3), 4)], new Absence(new(new(6), 7))));
        var text = etag.ToText(Register)!;
        var bytes = Base64Url.DecodeFromChars(text.AsSpan("in-doubt-".Length));

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(IsOurs(bytes[..length]), $"{length} bytes");
        }

        Assert.False(IsOurs([.. bytes, 0]));
        Assert.False(IsOurs([2, .. bytes[1..]]));
        Assert.False(StateETag.TryParse(text + "!", Register, out _));
        Assert.False(StateETag.TryParse("In-doubt-" + text["in-doubt-".Length..], Register, out _));

        static bool IsOurs(byte[] bytes) =>
            StateETag.TryParse("in-doubt-" + Base64Url.EncodeToString(bytes), Register, out _);
    }

    [Fact, Trait("Kind", "Fuzz")]
    public void No_text_makes_it_throw() => Gen.OneOf(
        Gen.String,
        Gen.String.Select(text => "in-doubt-" + text),
        Gen.Byte.Array[0, 100].Select(bytes => "in-doubt-" + Base64Url.EncodeToString(bytes))).Sample(text =>
    {
        if (StateETag.TryParse(text, Register, out var etag) && text.StartsWith("in-doubt-", StringComparison.Ordinal))
        {
            Assert.True(etag.InDoubt.IsNone || StateETag.TryParse(etag.ToText(Register), Register, out _));
        }
    });
}
