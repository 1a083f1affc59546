namespace Orleans.Consensus.Benchmarks.Bank;

/// <summary>
/// An account's state, of about <see cref="TargetBytes"/> bytes as Orleans' default JSON: all providers store it with
/// that serializer.
/// </summary>
[GenerateSerializer, Alias("benchmark.bank")]
internal sealed class BankState
{
    public const int TargetBytes = 200;

    [Id(0)]
    public decimal Balance { get; set; }

    [Id(1)]
    public long Version { get; set; }

    [Id(2)]
    public string Request { get; set; } = "";

    [Id(3)]
    public string Holder { get; set; } = "Ada Lovelace #1";

    /// <summary>Applies one deposit.</summary>
    public void Deposit(decimal amount)
    {
        Balance += amount;
        Version++;
        Request = $"7f0c9d52-46b1-4f6e-9b1a-{Version:d12}";
    }
}
