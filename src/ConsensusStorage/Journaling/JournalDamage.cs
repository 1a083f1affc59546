namespace Orleans.Consensus.Journaling;

/// <summary>The one wording for damaged logs: where, what, and what to do about it.</summary>
internal static class JournalDamage
{
    public static JournalCorruptException At(string place, string what, Exception? inner = null) =>
        new(
            $"{place}: {what}. Bytes that were durable once are damaged or missing, and the replica may have "
            + "forgotten promises that it made: it must not serve. Keep the log for examination and rebuild the "
            + "replica as a new one; never repair or cut the log by hand.",
            inner);
}
