using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orleans.Consensus.Tests.Crashes;

/// <summary>
/// A bank of one account in memory, with the sample's API of deposits; and with what the crash suite has to notice.
/// </summary>
internal sealed class FakeBank : HttpMessageHandler
{
    private readonly List<(string RequestId, decimal Amount)> _deposits = [];

    /// <summary>A request that is answered and not carried out.</summary>
    public string? Loses { get; init; }

    /// <summary>A request that is carried out each time it is sent.</summary>
    public string? Doubles { get; init; }

    /// <summary>A silo that knows nothing of the last deposit.</summary>
    public int? Lags { get; init; }

    /// <summary>Whether a repeated request is told of an empty account.</summary>
    public bool Forgets { get; init; }

    /// <summary>Puts a deposit into the account that nobody asked for.</summary>
    public void Invent() => _deposits.Add(("nobody", 1));

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        var answer = request.Method == HttpMethod.Post
            ? Deposit((await request.Content!.ReadFromJsonAsync<JsonObject>(cancellationToken))!)
            : path.EndsWith("/history", StringComparison.Ordinal) ? History()
            : Account(request.RequestUri.Port == Lags ? _deposits.Count - 1 : _deposits.Count);
        return new(HttpStatusCode.OK) { Content = JsonContent.Create(answer) };
    }

    private JsonObject Deposit(JsonObject order)
    {
        var id = (string)order["requestId"]!;
        var known = _deposits.FindIndex(deposit => deposit.RequestId == id);
        if (known >= 0 && id != Doubles)
        {
            return Account(Forgets ? 0 : known + 1);
        }

        if (id == Loses)
        {
            return Account(_deposits.Count + 1, (decimal)order["amount"]!);
        }

        _deposits.Add((id, (decimal)order["amount"]!));
        return Account(_deposits.Count);
    }

    private JsonObject Account(int deposits, decimal more = 0) => new()
    {
        ["balance"] = _deposits.Take(deposits).Sum(deposit => deposit.Amount) + more,
        ["version"] = deposits,
    };

    private JsonObject History() => new()
    {
        ["entries"] = new JsonArray(
        [
            .. _deposits.Select((deposit, at) => new JsonObject
            {
                ["kind"] = "deposit",
                ["requestId"] = deposit.RequestId,
                ["amount"] = deposit.Amount,
                ["balance"] = _deposits.Take(at + 1).Sum(each => each.Amount),
                ["version"] = at + 1,
            }).Reverse(),
        ]),
    };
}
