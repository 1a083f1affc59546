using System.Net;
using Orleans.Consensus.ClusterTests.Bank;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Operations;

/// <summary>What the sample tells programs that watch it.</summary>
[Collection(nameof(BankProcesses))]
public sealed class OperationsTests(RunningBank running) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _http = new() { BaseAddress = running.Plan.Address };

    public void Dispose()
    {
        _http.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("/health/ready", """{"status":"Healthy","checks":[{"name":"consensus","status":"Healthy",""")]
    [InlineData("/health/live", """{"status":"Healthy","checks":[{"name":"consensus-live","status":"Healthy",""")]
    public async Task A_bank_that_is_well_says_so(string path, string start)
    {
        var answer = await _http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith(start, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_tell_of_every_silo_of_the_process()
    {
        foreach (var account in Enumerable.Range(0, 30))
        {
            await DepositAsync(_http, $"metered-{account}");
        }

        var metrics = await _http.GetStringAsync(
            new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        foreach (var silo in new[] { "a", "b", "c" })
        {
            Assert.Contains(
                $"otel_scope_silo=\"{silo}\",kind=\"write\",outcome=\"ok\"", metrics, StringComparison.Ordinal);
        }

        Assert.Contains("consensus_change_duration_seconds_bucket", metrics, StringComparison.Ordinal);
        Assert.Contains("le=\"0.0025\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Traces_and_metrics_go_to_the_collector_that_the_environment_names()
    {
        using var collector = Collector.Start();
        var plan = BankPlan.Create(_directory.Path) with { Silos = 1 };
        await using var bank = SampleProgram.Start(plan.Arguments, ProgramPlace.Default with
        {
            Environment = new Dictionary<string, string>
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            },
        });
        await bank.PrintsAsync("Ready: ");
        using var http = new HttpClient { BaseAddress = plan.Address };

        await DepositAsync(http, "traced");

        await Eventually.BecomesAsync(
            () => Task.FromResult(collector), taken => taken.Has("/v1/traces", "consensus write"));
        await Eventually.BecomesAsync(
            () => Task.FromResult(collector), taken => taken.Has("/v1/metrics", "consensus.change.duration"));
    }

    private static async Task DepositAsync(HttpClient http, string account)
    {
        using var content = new StringContent(
            """{"amount":1,"requestId":"once"}""", System.Text.Encoding.UTF8, "application/json");
        var answer = await http.PostAsync(new Uri($"/accounts/{account}/deposit", UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
    }
}
