using System.Collections.Immutable;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// The pages of an account as its activation knows them: each is read once, so that a request that was never seen costs
/// no read, however many came before. Not thread-safe.
/// </summary>
internal sealed class AccountMemory(IAccountPages pages)
{
    /// <summary>Pages that are read at a time.</summary>
    private const int AtOnce = 16;

    private readonly SortedDictionary<int, ImmutableArray<AccountEntry>> _pages = [];
    private readonly Dictionary<(RequestScope, string), (AccountEntry Entry, int Page)> _entries = [];

    /// <summary>The latest first.</summary>
    public IEnumerable<AccountEntry> Entries => _pages.Values.Reverse().SelectMany(page => page.Reverse());

    public AccountEntry? Find(Operation operation) =>
        _entries.GetValueOrDefault((operation.Scope, operation.RequestId)).Entry;

    /// <summary>
    /// Lets an end of a transfer go with its page. If that is forgotten along with the activation, the entry goes back
    /// into the state once a day: some bytes, never money.
    /// </summary>
    public void Release(RequestScope scope, string requestId)
    {
        if (_entries.TryGetValue((scope, requestId), out var found) && found.Entry.Kept)
        {
            _entries[found.Entry.Key] = found with { Entry = found.Entry with { Kept = false } };
        }
    }

    /// <summary>Reads the pages of a state that are not known yet.</summary>
    /// <returns>False if one is gone: the state is older than the register's.</returns>
    public async Task<bool> TryLoadAsync(AccountState state)
    {
        while (_pages.Count > 0 && _pages.Keys.First() < state.FirstPage)
        {
            Forget(_pages.Keys.First());
        }

        var missing = Enumerable.Range(state.FirstPage, state.NextPage - state.FirstPage)
            .Where(number => !_pages.ContainsKey(number));
        foreach (var numbers in missing.Chunk(AtOnce))
        {
            var found = await Task.WhenAll(numbers.Select(pages.ReadAsync));
            foreach (var (number, page) in numbers.Zip(found))
            {
                if (page is null)
                {
                    return false;
                }

                Add(number, page.Value);
            }
        }

        return true;
    }

    /// <summary>
    /// The state to write in place of <paramref name="next"/>: its oldest entries are in pages, and it names no page
    /// that may be forgotten.
    /// <para>An entry leaves the state only by the write that names its page, and the page is durable before. A page
    /// takes nothing but entries that are in the register already: one of an operation that is not applied in the end
    /// would make its repetition a lost one. Whoever is interrupted between the two writes finds the page again under
    /// the same number, and takes out of the state what is in there: an entry may be in both, and never in neither. An
    /// activation that was left behind writes under a number that has its page, or that no state names any more.</para>
    /// </summary>
    /// <param name="durable">The state that is in the register.</param>
    public async Task<AccountState> TrimAsync(AccountState durable, AccountState next, DateTimeOffset now)
    {
        while (durable.IsFull)
        {
            var page = await pages.PutAsync(durable.NextPage, durable.ForNextPage());
            Add(durable.NextPage, page);
            (durable, next) = (durable.Without(page), next.Without(page));
            next = Forgetting(next, now);
        }

        return next;
    }

    /// <summary>Takes pages away that no state names any more. What fails leaves some bytes behind.</summary>
    public async Task CleanAsync(AccountState before, AccountState after)
    {
        for (var number = before.FirstPage; number < after.FirstPage; number++)
        {
            Forget(number);
            try
            {
                await pages.RemoveAsync(number);
            }
            catch (OrleansException)
            {
                continue;
            }
        }
    }

    private AccountState Forgetting(AccountState next, DateTimeOffset now)
    {
        var remembered = next.Entries.Length + _entries.Count;
        for (var carried = false; !carried && _pages.TryGetValue(next.FirstPage, out var page);)
        {
            remembered -= page.Length;
            if (remembered < AccountState.Remembered || now - page.Max(entry => entry.At) < AccountState.RememberedFor)
            {
                break;
            }

            // At most one page's worth goes back into the state, which has just got room for it.
            var kept = page.Where(entry => _entries[entry.Key].Entry.Kept).ToList();
            carried = kept.Count > 0;
            next = next.WithoutFirstPage(kept);
        }

        return next;
    }

    private void Add(int number, ImmutableArray<AccountEntry> page)
    {
        _pages[number] = page;
        foreach (var entry in page)
        {
            _entries[entry.Key] = (entry, number);
        }
    }

    private void Forget(int number)
    {
        if (_pages.Remove(number, out var page))
        {
            // One that was kept is in a later page by now.
            foreach (var entry in page.Where(entry => _entries[entry.Key].Page == number))
            {
                _entries.Remove(entry.Key);
            }
        }
    }
}
