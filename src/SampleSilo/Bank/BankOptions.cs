namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>What the grains of the bank can be told.</summary>
internal sealed class BankOptions
{
    /// <summary>
    /// How long a transfer may take before it is looked after, and how often what has failed is tried again. Default 10
    /// seconds.
    /// </summary>
    public TimeSpan AlarmPeriod { get; set; } = TimeSpan.FromSeconds(10);
}
