using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// The body of one batch in the making: records behind their kind and length. Reused from append to append by its
/// owner. Not thread-safe.
/// </summary>
internal sealed class JournalBatch
{
    /// <summary>Record kinds below this one belong to the journal itself (fence, roll, torn).</summary>
    public const byte FirstOwnerKind = 16;

    private readonly ByteWriter _body = new(4 * 1024);

    /// <summary>Number of records.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the body so far.</summary>
    public int Length => _body.Length;

    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    public void Clear()
    {
        _body.Clear();
        Count = 0;
    }

    /// <summary>Appends one record and returns the offset of its bytes in the body.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The kind is one of the journal's own.</exception>
    public int Add(byte kind, ReadOnlySpan<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kind, FirstOwnerKind);
        return AddAny(kind, record);
    }

    /// <summary>The same for the journal itself.</summary>
    public int AddAny(byte kind, ReadOnlySpan<byte> record)
    {
        _body.WriteByte(kind);
        _body.WriteVarUInt((uint)record.Length);
        var offset = _body.Length;
        _body.WriteBytes(record);
        Count++;
        return offset;
    }
}
