using System.Net;
using System.Text;
using System.Text.Json;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The HTTP API as strangers see it.</summary>
[Collection(nameof(BankProcesses))]
public sealed class HttpContractTests(RunningBank running)
{
    private const string Json = "application/json";

    private readonly BankClient _bank = running.Client;
    private readonly string _id = Guid.NewGuid().ToString("N");

    [Theory]
    [InlineData("POST", "/accounts/x/deposit", "{", "400 bad-request")]
    [InlineData("POST", "/accounts/x/deposit", """{"amount":1}""", "400 bad-request")]
    [InlineData("POST", "/accounts/x/deposit", """{"amount":"1","requestId":"q"}""", "400 bad-request")]
    [InlineData("POST", "/accounts/x/deposit", """{"amount":0,"requestId":"q"}""", "400 bad-request")]
    [InlineData("POST", "/accounts/x/withdraw", """{"amount":-1,"requestId":"q"}""", "400 bad-request")]
    [InlineData("POST", "/accounts/x/withdraw", """{"amount":1.001,"requestId":"q"}""", "400 bad-request")]
    [InlineData("POST", "/transfers", """{"from":"x","amount":1,"requestId":"q"}""", "400 bad-request")]
    [InlineData("POST", "/transfers", """{"from":"x","to":"x","amount":1,"requestId":"q"}""", "400 bad-request")]
    [InlineData("GET", "/accounts/x?fresh=perhaps", null, "400 bad-request")]
    [InlineData("GET", "/nothing/here", null, "404 not-found")]
    [InlineData("GET", "/transfers/nobody-asked-for-it", null, "404 not-found")]
    [InlineData("POST", "/cluster/silos/z/kill", null, "404 not-found")]
    [InlineData("POST", "/cluster/silos/z/start", null, "404 not-found")]
    [InlineData("POST", "/standing-orders", """{"from":"x","to":"y","amount":1,"requestId":"q"}""", "400 bad-request")]
    [InlineData("GET", "/standing-orders/nobody-placed-it", null, "404 not-found")]
    [InlineData("DELETE", "/standing-orders/nobody-placed-it", null, "404 not-found")]
    [InlineData("GET", "/transfers", null, "405 method")]
    [InlineData("POST", "/cluster/silos/b/start", null, "409 silo-conflict")]
    public async Task What_cannot_be_done_is_answered_with_a_problem(
        string method, string path, string? body, string expected)
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, Json);

        AssertProblem(expected, await _bank.SendAsync(new(method), path, content));
    }

    [Fact]
    public async Task Bodies_must_be_JSON_and_small()
    {
        using var text = new StringContent("""{"amount":1,"requestId":"q"}""", Encoding.UTF8, "text/plain");
        using var large = new StringContent(new string(' ', 20_000), Encoding.UTF8, Json);

        AssertProblem("415 media-type", await _bank.SendAsync(HttpMethod.Post, "/accounts/x/deposit", text));
        AssertProblem("413 too-large", await _bank.SendAsync(HttpMethod.Post, "/accounts/x/deposit", large));
    }

    [Fact]
    public async Task An_account_takes_and_gives_money_once_per_request()
    {
        Assert.Equal((0m, 0L), AccountOf(await _bank.GetAsync($"/accounts/{_id}")));
        Assert.Equal((10.50m, 1L), AccountOf(await DepositAsync(_id, 10.50m, "d1")));
        Assert.Equal((10.50m, 1L), AccountOf(await DepositAsync(_id, 10.50m, "d1")));
        AssertProblem("409 request-id-reused", await DepositAsync(_id, 11m, "d1"));
        Assert.Equal((6.25m, 2L), AccountOf(await WithdrawAsync(_id, 4.25m, "w1")));
        AssertProblem("409 insufficient-funds", await WithdrawAsync(_id, 6.26m, "w2"));
        Assert.Equal((6.25m, 2L), AccountOf(await WithdrawAsync(_id, 4.25m, "w1")));
        Assert.Equal((6.25m, 2L), AccountOf(await _bank.GetAsync($"/accounts/{_id}")));
        var fresh = await _bank.GetAsync($"/accounts/{_id}?fresh=true");
        Assert.Equal((6.25m, 2L), AccountOf(fresh));
        Assert.Equal(["id", "balance", "version", "silo"], fresh.Body.EnumerateObject().Select(each => each.Name));
        Assert.Equal(_id, fresh.Text("id"));
        Assert.Contains(fresh.Text("silo"), new[] { "a", "b", "c" });
        var history = await _bank.GetAsync($"/accounts/{_id}/history");
        Assert.Equal(
            ["2 withdraw 4.25 6.25 w1", "1 deposit 10.5 10.5 d1"],
            history.Body.GetProperty("entries").EnumerateArray().Select(LineOf));
    }

    [Fact]
    public async Task A_transfer_is_done_once_and_can_be_looked_up()
    {
        var (from, to, request) = ($"{_id}-from", $"{_id}-to", $"{_id}-transfer");
        await DepositAsync(from, 100m, "d1");
        foreach (var _ in Enumerable.Range(0, 2))
        {
            AssertTransfer("done", 70m, 30m, await TransferAsync(from, to, 30m, request));
        }

        AssertTransfer("done", 70m, 30m, await _bank.GetAsync($"/transfers/{request}"));
        AssertProblem("409 request-id-reused", await TransferAsync(from, to, 31m, request));
    }

    [Fact]
    public async Task A_transfer_without_money_stays_rejected()
    {
        var (from, to, request) = ($"{_id}-from", $"{_id}-to", $"{_id}-transfer");
        var rejected = await TransferAsync(from, to, 30m, request);
        AssertProblem("409 insufficient-funds", rejected);
        Assert.Equal("rejected", rejected.Text("state"));
        await DepositAsync(from, 100m, "d1");
        AssertProblem("409 insufficient-funds", await TransferAsync(from, to, 30m, request));
        AssertTransfer("rejected", 100m, 0m, await _bank.GetAsync($"/transfers/{request}"));
    }

    [Fact]
    public async Task A_standing_order_pays_until_it_ends_or_is_cancelled()
    {
        var (from, to, request) = ($"{_id}-from", $"{_id}-to", $"{_id}-order");
        await DepositAsync(from, 100m, "d1");
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var placed = await PlaceAsync(from, to, request, periodSeconds: 1, times: 2);
            Assert.Equal((HttpStatusCode.OK, request), (placed.Status, placed.Text("requestId")));
        }

        AssertProblem("409 request-id-reused", await PlaceAsync(from, to, request, periodSeconds: 2, times: 2));
        var ended = await Eventually.BecomesAsync(
            () => _bank.GetAsync($"/standing-orders/{request}"), order => order.Text("state") == "ended");
        Assert.Equal(
            [
                "requestId", "state", "from", "to", "amount", "periodSeconds", "times", "done", "rejected", "skipped",
                "next", "last",
            ],
            ended.Body.EnumerateObject().Select(each => each.Name));
        Assert.Equal(2, ended.Body.GetProperty("done").GetInt32());
        Assert.Equal($"{request}/2", ended.Body.GetProperty("last").GetProperty("requestId").GetString());
        AssertTransfer("done", 40m, 60m, await _bank.GetAsync($"/transfers/{Uri.EscapeDataString($"{request}/2")}"));

        await PlaceAsync(from, to, $"{request}s", periodSeconds: 1000, times: null);
        var cancelled = await _bank.SendAsync(HttpMethod.Delete, $"/standing-orders/{request}s", null);
        Assert.Equal((HttpStatusCode.OK, "cancelled"), (cancelled.Status, cancelled.Text("state")));
        Assert.Equal(JsonValueKind.Null, cancelled.Body.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task The_cluster_is_described_by_silos_and_by_groups_and_replicas()
    {
        await DepositAsync(_id, 1m, "d1");
        var cluster = await SiloButtons.DescribeAsync(_bank);
        Assert.Equal(
            ["a alive True", "b alive True", "c alive True"],
            cluster.GetProperty("silos").EnumerateArray().Select(silo =>
                $"{silo.GetProperty("name")} {silo.GetProperty("status")} "
                + $"{silo.GetProperty("address").GetString()!.StartsWith("127.0.0.1:", StringComparison.Ordinal)}"));
        var groups = cluster.GetProperty("groups").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, 16), groups.Select(group => group.GetProperty("group").GetInt32()));
        Assert.All(groups, group => Assert.Equal(
            ["a on a serving True", "b on b serving True", "c on c serving True"],
            group.GetProperty("replicas").EnumerateArray().Select(replica =>
                $"{replica.GetProperty("replica")} on {replica.GetProperty("host")} {replica.GetProperty("state")} "
                + $"{replica.GetProperty("logBytes").GetInt64() > 0}")));
        var ballots = groups.SelectMany(group => group.GetProperty("replicas").EnumerateArray())
            .Select(replica => replica.GetProperty("lastBallot").GetString());
        Assert.Contains(ballots, ballot => ballot is not (null or "none"));
    }

    [Fact]
    public async Task Without_a_quorum_the_bank_says_so_and_with_one_it_serves_again()
    {
        await DepositAsync(_id, 5m, "d1");
        try
        {
            await SiloButtons.KillAsync(_bank, "b");
            await SiloButtons.KillAsync(_bank, "c");
            await AssertUnavailableAsync();
            await SiloButtons.StartAsync(_bank, "b");
            Assert.Equal((12m, 2L), AccountOf(await _bank.InsistAsync(() => DepositAsync(_id, 7m, "d2"))));
        }
        finally
        {
            await _bank.PostAsync("/cluster/silos/b/start");
            await _bank.PostAsync("/cluster/silos/c/start");
        }

        var transfer = await _bank.InsistAsync(() => TransferAsync(_id, $"{_id}-to", 1m, $"{_id}-transfer"));
        AssertTransfer("done", 11m, 1m, transfer);
        Assert.Equal((11m, 3L), AccountOf(await _bank.GetAsync($"/accounts/{_id}?fresh=true")));
    }

    private async Task AssertUnavailableAsync()
    {
        var answers = await Task.WhenAll(
            DepositAsync(_id, 7m, "d2"),
            TransferAsync(_id, $"{_id}-to", 1m, $"{_id}-transfer"),
            _bank.GetAsync($"/accounts/{_id}?fresh=true"));
        Assert.All(answers, answer => AssertProblem("503 unavailable", answer));
        Assert.All(answers, answer => Assert.True(answer.RetryAfter > TimeSpan.Zero));
        AssertProblem("409 silo-conflict", await _bank.PostAsync("/cluster/silos/b/kill"));
    }

    private static void AssertProblem(string expected, Answer answer)
    {
        var type = answer.Text("type")!.Replace("urn:bank:", "", StringComparison.Ordinal);
        Assert.Equal(expected, $"{(int)answer.Status} {type}");
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal((int)answer.Status, answer.Body.GetProperty("status").GetInt32());
        Assert.NotEmpty(answer.Text("title")!);
        Assert.NotEmpty(answer.Text("detail")!);
    }

    private static void AssertTransfer(string state, decimal from, decimal to, Answer answer)
    {
        Assert.Equal((HttpStatusCode.OK, Json), (answer.Status, answer.MediaType));
        Assert.Equal(state, answer.Text("state"));
        Assert.Equal(from, answer.Body.GetProperty("from").GetProperty("balance").GetDecimal());
        Assert.Equal(to, answer.Body.GetProperty("to").GetProperty("balance").GetDecimal());
    }

    private static (decimal Balance, long Version) AccountOf(Answer answer)
    {
        Assert.Equal((HttpStatusCode.OK, Json), (answer.Status, answer.MediaType));
        return (answer.Balance, answer.Version);
    }

    private static string LineOf(JsonElement entry) =>
        $"{entry.GetProperty("version")} {entry.GetProperty("kind")} {entry.GetProperty("amount").GetDecimal():0.##} "
        + $"{entry.GetProperty("balance").GetDecimal():0.##} {entry.GetProperty("requestId")}";

    private Task<Answer> DepositAsync(string account, decimal amount, string requestId) =>
        _bank.PostAsync($"/accounts/{account}/deposit", new { amount, requestId });

    private Task<Answer> WithdrawAsync(string account, decimal amount, string requestId) =>
        _bank.PostAsync($"/accounts/{account}/withdraw", new { amount, requestId });

    private Task<Answer> TransferAsync(string from, string to, decimal amount, string requestId) =>
        _bank.PostAsync("/transfers", new { from, to, amount, requestId });

    private Task<Answer> PlaceAsync(string from, string to, string requestId, int periodSeconds, int? times) =>
        _bank.PostAsync("/standing-orders", new { from, to, amount = 30, requestId, periodSeconds, times });
}
