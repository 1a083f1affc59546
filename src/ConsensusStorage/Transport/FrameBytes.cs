using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace Orleans.Consensus.Transport;

/// <summary>
/// A frame as an argument or a result of a call between silos: pieces that are written one after the other, and read
/// back as one array. Immutable, so Orleans copies it only into its buffers and out of them.
/// <para>Does not: be another type. Orleans writes a returned <see cref="ReadOnlyMemory{T}"/> of bytes element by
/// element, and copies a returned array once more before it writes it.</para>
/// </summary>
[Immutable]
[Alias("Orleans.Consensus.FrameBytes")]
internal sealed class FrameBytes(ReadOnlyMemory<byte>[] pieces)
{
    /// <summary>A frame in one piece.</summary>
    public FrameBytes(ReadOnlyMemory<byte> whole)
        : this([whole])
    {
    }

    /// <summary>Bytes of all pieces.</summary>
    public int Length { get; } = pieces.Sum(piece => piece.Length);

    /// <summary>What the frame is put together from.</summary>
    public ReadOnlySpan<ReadOnlyMemory<byte>> Pieces => pieces;

    /// <summary>The whole frame. A received one is in one piece; others are copied.</summary>
    public ReadOnlyMemory<byte> Whole => pieces is [var only] ? only : ToArray();

    /// <summary>A copy.</summary>
    public byte[] ToArray()
    {
        var whole = GC.AllocateUninitializedArray<byte>(Length);
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.Span.CopyTo(whole.AsSpan(at));
            at += piece.Length;
        }

        return whole;
    }
}

/// <summary>Writes frames as one block of bytes behind its length.</summary>
[RegisterSerializer]
internal sealed class FrameBytesCodec : IFieldCodec<FrameBytes>
{
    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer,
        uint fieldIdDelta,
        [AllowNull] Type expectedType,
        [AllowNull] FrameBytes value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(FrameBytes), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)value.Length);
        foreach (var piece in value.Pieces)
        {
            writer.Write(piece.Span);
        }
    }

    [return: MaybeNull]
    public FrameBytes ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.IsReference)
        {
            return ReferenceCodec.ReadReference<FrameBytes, TInput>(ref reader, field);
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        ReferenceCodec.MarkValueField(reader.Session);
        return new(reader.ReadBytes(reader.ReadVarUInt32()));
    }
}

/// <summary>Frames are immutable: the same serves as a copy.</summary>
[RegisterCopier]
internal sealed class FrameBytesCopier : ShallowCopier<FrameBytes>;
