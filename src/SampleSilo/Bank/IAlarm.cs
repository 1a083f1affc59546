namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// The one alarm of a grain. It goes off again and again, whatever crashes, until the grain stops it.
/// </summary>
internal interface IAlarm
{
    /// <summary>Sets it, or sets it anew. Durable once this returns.</summary>
    /// <param name="due">Until it goes off first.</param>
    Task SetAsync(TimeSpan due);

    /// <summary>Looks at it as it is set now, so that <see cref="Stop"/> stops this setting and none later.</summary>
    Task LookAsync();

    /// <summary>
    /// Stops it as it was set or looked at here last; what another activation has set since goes on. Nobody waits for
    /// that: if it can't be stopped it goes off once more, and may be stopped then.
    /// </summary>
    void Stop();
}
