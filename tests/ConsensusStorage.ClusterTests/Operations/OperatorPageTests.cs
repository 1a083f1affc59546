using Orleans.Consensus.ClusterTests.Bank;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Operations;

/// <summary>The page at <c>/</c> in a browser: a bank in use that loses its silos one after another.</summary>
[Collection(nameof(BankProcesses))]
public sealed class OperatorPageTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private BankPlan _plan = null!;
    private SampleProgram _bank = null!;

    public async ValueTask InitializeAsync()
    {
        _plan = BankPlan.Create(_directory.Path);
        _bank = await _plan.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _bank.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task It_shows_what_happens_and_lets_people_use_and_break_the_bank()
    {
        await using var page = await browser.OpenAsync(_plan.Address, 1280, 900);
        await page.ShowsAsync("#health", "All is well");
        await page.ShowsAsync("[data-silo=a] .state", "alive");

        await page.ClickAsync("#deposit button[value=deposit]");
        await page.ShowsAsync("#balances", "alice\t100.00");
        await page.ClickAsync("#transfer button");
        await page.ShowsAsync("#balances", "bob\t30.00");
        Assert.Contains("alice\t70.00", await page.TextAsync("#balances"), StringComparison.Ordinal);
        await page.FillAsync("#deposit [name=amount]", "1000");
        await page.ClickAsync("#deposit button[value=withdraw]");
        await page.ShowsAsync("#bank-answer", "There is not enough money.");
        await page.FillAsync("#deposit [name=amount]", "1");
        foreach (var (plot, figures) in new[] { ("#rounds", 1), ("#latency", 2), ("#trips", 1) })
        {
            await page.ClickAsync("#deposit button[value=deposit]");
            await page.ShowsAsync("#bank-answer", "Done");
            await page.ShowsNumbersAsync($"{plot}-now", figures);
            await page.DrawsAsync(plot);
        }

        await page.ShowsAsync("#replicas", "serving");
        Assert.True(await page.FitsAsync());
        await page.PictureAsync("desk");

        await page.ClickAsync("[data-silo=b] button.kill");
        await page.ShowsAsync("[data-silo=b] .state", "dead");
        await page.ShowsAsync("#health", "no replica is left to lose");
        await page.ClickAsync("[data-silo=c] button.kill");
        await page.ShowsAsync("#health", "No quorum");
        await page.ShowsAsync("#reasons", "1 of 3 replicas serve, 2 are needed");
        var statuses = await page.EvaluateAsync<int[]>(
            "() => Promise.all(['ready', 'live'].map(async kind => (await fetch(`/health/${kind}`)).status))");
        Assert.Equal([503, 200], statuses);
        await page.ResizeAsync(390, 844);
        await page.FillAsync("#deposit [name=amount]", "5");
        await page.ClickAsync("#deposit button[value=deposit]");
        await page.ShowsAsync("#bank-answer", "No answer yet");
        await page.PictureAsync("phone-without-quorum");
        Assert.True(await page.FitsAsync());

        await page.ClickAsync("[data-silo=c] button.start");
        await page.ShowsAsync("[data-silo=c] .state", "alive");
        await page.ShowsAsync("#balances", "alice\t78.00");
        await page.ShowsAsync("#health", "no replica is left to lose");
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task What_it_computes_from_the_metrics_is_what_they_say()
    {
        await using var page = await browser.OpenAsync(_plan.Address, 800, 600);
        var computed = await page.EvaluateAsync<double?[]>(
            """
            async () => {
              const { grown, parse, quantiles } = await import('/page/metrics.js');
              const at = (a, b, c, le) => parse(`# TYPE n counter
            n_total{silo="a",trips="1"} ${a} 1700000000000
            n_total{silo="a \\"quoted\\"",trips="2"} ${b}
            n_total{silo="b",trips="1"} ${c}
            d_bucket{silo="a",le="0.01"} ${le}
            d_bucket{silo="b",le="0.01"} 0
            d_bucket{silo="a",le="0.02"} ${2 * le}
            d_bucket{silo="b",le="0.02"} ${2 * le}
            d_bucket{silo="a",le="+Inf"} ${2 * le}
            d_bucket{silo="b",le="+Inf"} ${2 * le}
            `);
              const [before, now] = [at(10, 5, 100, 0), at(25, 6, 7, 30)];
              return [
                grown(before, now, 'n_total'),
                grown(before, now, 'n_total', labels => labels.trips === '1'),
                grown(before, now, 'n_total', labels => labels.silo.includes('quoted')),
                ...quantiles(before, now, 'd', [0.25, 0.5, 1]),
                ...quantiles(before, before, 'd', [0.5]),
              ];
            }
            """);

        // Silo b began anew: it counts from zero. Of 120 durations 30 took up to 10 ms, and 90 from there to 20 ms.
        Assert.Equal([15 + 1 + 7, 15 + 7, 1, 0.01, 0.01 + (0.01 / 3), 0.02, null], computed, Near);
        Assert.Empty(page.Problems);

        static bool Near(double? left, double? right) =>
            left is null ? right is null : right is not null && Math.Abs(left.Value - right.Value) < 1e-9;
    }
}
