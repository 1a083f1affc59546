using System.Text;
using CsCheck;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Fuzzing;

/// <summary>Names and ETags that come from users, grains, configuration and directories.</summary>
[Trait("Kind", "Fuzz")]
public sealed class TextFuzzTests
{
    private static readonly Gen<RegisterVersion> Version = Gen.Select(
        Gen.ULong, Gen.ULong, Gen.ULong, Gen.Int[0, 63],
        (high, low, sequence, shift) => new RegisterVersion(new(new(high, low)), sequence >> shift));

    private static readonly Gen<string> Name = Gen.OneOf(
        Gen.String[Gen.Char.AlphaNumeric, 0, 70], Gen.String[Gen.Char["ab-_./\\: ,\0é"], 0, 6], Gen.String[0, 70]);

    [Fact, Trait("Rule", "S8")]
    public void An_etag_comes_back_as_it_was_and_a_changed_one_is_refused_or_is_what_would_be_written_so()
    {
        var etag = Version.Select(version => Encoding.Latin1.GetBytes(version.ToString()));
        Fuzz.Run(etag, bytes => Assert.True(RegisterVersion.TryParse(Encoding.Latin1.GetString(bytes), out _)), 200);
        Fuzz.Run(Mutant.Of(etag), bytes => CheckEtag(Encoding.Latin1.GetString(bytes)), 2000);
        Fuzz.Run(Gen.String, CheckEtag, 200, text => text);
    }

    [Fact]
    public void Any_bytes_name_a_register_that_has_a_group_and_can_be_printed()
    {
        var key = Gen.Select(
            Gen.String, Gen.String, Gen.String, Gen.Byte.Array, Gen.Byte.Array,
            (service, provider, state, type, grain) => RegisterId.Create(
                Plain(service), Plain(provider), Plain(state), type, grain).Key.ToArray());
        Fuzz.Run(Gen.OneOf(key, Mutant.Of(key), Gen.Byte.Array), CheckKey, 1000);
    }

    [Fact]
    public void A_name_that_is_taken_for_a_replica_is_a_directory_of_that_name() => Fuzz.Run(
        Name,
        name =>
        {
            if (Fuzz.Bounded(name.Length, () => ReplicaId.IsValid(name)))
            {
                Assert.InRange(name.Length, 1, ReplicaId.MaxLength);
                Assert.Equal(Path.Combine("/logs", name), Path.GetFullPath(Path.Combine("/logs", name)));
                Assert.Equal(name.Length, Encoding.UTF8.GetByteCount(name));
            }
        },
        1000,
        name => name);

    [Fact]
    public void A_replica_list_is_refused_or_comes_back_from_its_text() => Fuzz.Run(
        Name.Where(ReplicaId.IsValid).Array[0, 11],
        names =>
        {
            var members = names.Select(name => new ReplicaId(name)).ToList();
            ReplicaSet? set = null;
            if (Record.Exception(() => set = new(members)) is { } exception)
            {
                Assert.IsType<ArgumentException>(exception);
                Assert.True(names.Length is 0 or > ReplicaSet.MaxReplicas || names.Distinct().Count() < names.Length);
                return;
            }

            Assert.Equal(names.Order(StringComparer.Ordinal), set!.ToString().Split(','));
            Assert.All(members, member => Assert.Equal(member, set[set.IndexOf(member)]));
        },
        300,
        names => string.Join(',', names));

    [Fact]
    public void A_file_of_any_name_in_a_log_is_no_segment_or_one_with_a_number() => Fuzz.Run(
        Gen.OneOf(Gen.Const("segment-00000001"), Gen.Const("segment-00000002.new"), Gen.Const("journal.lock"))
            .Select(Encoding.Latin1.GetBytes).SelectMany(name => Mutant.Of(Gen.Const(name))),
        name =>
        {
            var files = new FaultyFiles(new Random(1));
            files.Put("/logs/a", Encoding.Latin1.GetString(name), new byte[10]);
            var store = FileSegmentStore.OpenAsync(files, "/logs/a", "it", CancellationToken.None).AsTask();
            var numbers = store.GetAwaiter().GetResult().ListAsync(CancellationToken.None).AsTask();
            Assert.True(numbers.IsCompleted);
            Assert.All(numbers.GetAwaiter().GetResult(), number => Assert.InRange(number, 0, int.MaxValue));
        },
        300);

    private static void CheckEtag(string text)
    {
        var (read, version) = Fuzz.Bounded(
            text.Length, () => (RegisterVersion.TryParse(text, out var parsed), parsed));
        Assert.True(!read || version.ToString() == text);
    }

    private static void CheckKey(byte[] key)
    {
        var register = Fuzz.Bounded(key.Length, () => RegisterId.FromKey(key));
        Fuzz.Bounded(key.Length, register.ToString);
        Assert.Equal(key, register.Key.ToArray());
        Assert.Equal(RegisterId.FromKey(key), register);
        Assert.All(new[] { 1, 16, 4096 }, groups => Assert.InRange(register.GroupOf(groups), 0, groups - 1));
    }

    /// <summary>Without halves of surrogate pairs, which no name may have.</summary>
    private static string Plain(string text) => new([.. text.Where(letter => !char.IsSurrogate(letter))]);
}
