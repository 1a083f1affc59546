using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>Appends results to a file, a line of JSON each, as soon as they are known.</summary>
internal sealed class JsonLines(string? file)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public void Machine(MachineDescription machine) => Write(new { kind = "machine", machine });

    public void Round(int round, Subject subject, Figures figures) =>
        Write(new { kind = "round", round, subject, figures, load = MachineDescription.Load });

    public void Median(Result result) =>
        Write(new { kind = "median", subject = result.Subject, figures = result.Median, spread = result.Spread });

    public void Memory(IndexMemory memory) => Write(new { kind = "memory", memory });

    public void TakeOver(TakeOver takeOver) => Write(new { kind = "takeover", takeOver });

    private void Write(object line)
    {
        if (file is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.AppendAllText(file, JsonSerializer.Serialize(line, Format) + "\n");
        }
    }
}
