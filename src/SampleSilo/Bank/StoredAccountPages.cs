using System.Collections.Immutable;
using System.Globalization;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>Pages as grain states of no grain, in the storage that grains use. Thread rule: any.</summary>
internal sealed class StoredAccountPages(IGrainStorage storage, string account) : IAccountPages
{
    private const string Name = "page";

    public async Task<ImmutableArray<AccountEntry>?> ReadAsync(int number)
    {
        var page = new GrainState<AccountPage>(new());
        await storage.ReadStateAsync(Name, IdOf(number), page);
        return page.RecordExists ? page.State!.Entries : null;
    }

    public async Task<ImmutableArray<AccountEntry>> PutAsync(int number, ImmutableArray<AccountEntry> entries)
    {
        try
        {
            await storage.WriteStateAsync(
                Name, IdOf(number), new GrainState<AccountPage>(new() { Entries = entries }));
            return entries;
        }
        catch (InconsistentStateException)
        {
            // An earlier try has written it. Whatever else this means, the read fails or finds nothing.
            if (await ReadAsync(number) is { } found)
            {
                return found;
            }

            throw;
        }
    }

    public async Task RemoveAsync(int number)
    {
        var page = new GrainState<AccountPage>(new());
        await storage.ReadStateAsync(Name, IdOf(number), page);
        if (page.RecordExists)
        {
            await storage.ClearStateAsync(Name, IdOf(number), page);
        }
    }

    private GrainId IdOf(int number) =>
        GrainId.Create("account-page", string.Create(CultureInfo.InvariantCulture, $"{number}/{account}"));
}
