using System.Collections.Immutable;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// The pages of an account's older entries. A page is written once and never changed; its number is never used again.
/// </summary>
internal interface IAccountPages
{
    /// <summary>A page; null if there is none.</summary>
    Task<ImmutableArray<AccountEntry>?> ReadAsync(int number);

    /// <summary>Writes a page unless it is there.</summary>
    /// <returns>The page that stands there now, durable.</returns>
    Task<ImmutableArray<AccountEntry>> PutAsync(int number, ImmutableArray<AccountEntry> entries);

    /// <summary>Takes a page away that counts no longer.</summary>
    Task RemoveAsync(int number);
}

/// <summary>A page as it is stored.</summary>
[GenerateSerializer, Immutable, Alias("bank.account.page")]
internal sealed record AccountPage
{
    /// <summary>Oldest first.</summary>
    [Id(0)]
    public ImmutableArray<AccountEntry> Entries { get; init; } = [];
}
