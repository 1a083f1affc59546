using System.Globalization;
using System.Text;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// What happened in a run, moment by moment, if somebody wants to know. It is put into words only when it is read.
/// </summary>
internal sealed class Trace(TimeProvider time, bool isKept)
{
    /// <summary>What a message and its answer are called.</summary>
    public const string Message = "message";

    private readonly List<(long Ticks, string What, object? Detail, object? More)> _events = [];

    public void Add(string what, object? detail = null, object? more = null)
    {
        if (isKept)
        {
            _events.Add((time.GetTimestamp(), what, detail, more));
        }
    }

    /// <summary>One line for each event: simulated milliseconds, and what happened.</summary>
    /// <param name="withMessages">Every message between silos, too.</param>
    public string ToText(bool withMessages)
    {
        var text = new StringBuilder();
        foreach (var (ticks, what, detail, more) in _events.Where(one => withMessages || one.What != Message))
        {
            text.Append(CultureInfo.InvariantCulture, $"{ticks / 10_000.0,11:0.000}  {what}");
            Append(text, detail);
            Append(text, more);
            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, object? detail)
    {
        if (detail is not null)
        {
            text.Append(' ').Append(Wording.Of(detail));
        }
    }
}
