using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans.Runtime;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// A cluster's membership as one value: Orleans' table with its version, as JSON that an operator can read in the
/// document. Immutable.
/// </summary>
/// <param name="Version">Orleans' version of the table; each change makes it one higher.</param>
internal sealed record MembershipRows(int Version, IReadOnlyList<MembershipRow> Rows)
{
    /// <summary>What there is before the first silo.</summary>
    public static readonly MembershipRows Empty = new(0, []);

    private const int Format = 1;

    public MembershipRow? Find(SiloAddress silo) => Rows.FirstOrDefault(row => row.Entry.SiloAddress.Equals(silo));

    /// <summary>The same with one row more, or with one in the place of that of the same silo.</summary>
    public MembershipRows With(MembershipRow row, int version) =>
        new(version, [.. Rows.Where(other => !other.Entry.SiloAddress.Equals(row.Entry.SiloAddress)), row]);

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(
        new TableJson(Format, Version, [.. Rows.Select(RowJson.Of)]), MembershipJson.Default.TableJson);

    /// <exception cref="InvalidDataException">These bytes are no table, or one of a newer format.</exception>
    public static MembershipRows Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var table = JsonSerializer.Deserialize(bytes, MembershipJson.Default.TableJson);
            return table is { Format: Format, Rows: not null }
                ? new(table.Version, [.. table.Rows.Select(row => row.ToRow())])
                : throw new InvalidDataException($"The membership table has format {table?.Format}, not {Format}.");
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException)
        {
            throw new InvalidDataException("The membership table can't be read.", exception);
        }
    }
}

/// <summary>One silo's row, and what tells whether somebody else has changed it since it was read.</summary>
internal sealed record MembershipRow(MembershipEntry Entry, string ETag);

internal sealed record TableJson(int Format, int Version, IReadOnlyList<RowJson> Rows);

internal sealed record RowJson(
    string Silo,
    string ETag,
    SiloStatus Status,
    int ProxyPort,
    string HostName,
    string SiloName,
    string? RoleName,
    int UpdateZone,
    int FaultZone,
    DateTime StartTime,
    DateTime IAmAliveTime,
    IReadOnlyList<SuspectJson>? Suspects)
{
    public static RowJson Of(MembershipRow row)
    {
        var entry = row.Entry;
        return new(
            entry.SiloAddress.ToParsableString(),
            row.ETag,
            entry.Status,
            entry.ProxyPort,
            entry.HostName,
            entry.SiloName,
            entry.RoleName,
            entry.UpdateZone,
            entry.FaultZone,
            entry.StartTime,
            entry.IAmAliveTime,
            entry.SuspectTimes?.ConvertAll(
                suspect => new SuspectJson(suspect.Item1.ToParsableString(), suspect.Item2)));
    }

    public MembershipRow ToRow() => new(
        new()
        {
            SiloAddress = SiloAddress.FromParsableString(Silo),
            Status = Status,
            ProxyPort = ProxyPort,
            HostName = HostName,
            SiloName = SiloName,
            RoleName = RoleName,
            UpdateZone = UpdateZone,
            FaultZone = FaultZone,
            StartTime = StartTime,
            IAmAliveTime = IAmAliveTime,
            SuspectTimes = Suspects?
                .Select(suspect => Tuple.Create(SiloAddress.FromParsableString(suspect.Silo), suspect.Time))
                .ToList(),
        },
        ETag);
}

internal sealed record SuspectJson(string Silo, DateTime Time);

[JsonSourceGenerationOptions(UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(TableJson))]
internal sealed partial class MembershipJson : JsonSerializerContext;
