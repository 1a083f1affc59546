using System.Net;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>
/// Silos that are processes of their own and have nothing in common but the membership's directory. What becomes of
/// them under load and faults is in <see cref="CrashTests"/>.
/// </summary>
[Collection(nameof(BankProcesses))]
public sealed class SiloProcessTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SiloProcesses _silos;
    private readonly BankClient _bank;

    public SiloProcessTests()
    {
        var plan = BankPlan.Create(_directory.Path);
        _silos = new(plan);
        _bank = new([.. _silos.Addresses]);
        Plan = plan;
    }

    private BankPlan Plan { get; }

    /// <summary>Not in the order of their names: the last one makes the membership while it is alone.</summary>
    public async ValueTask InitializeAsync()
    {
        var first = _silos.StartAsync(2);
        await Eventually.BecomesAsync(
            () => Task.FromResult(File.Exists(Plan.MembershipDocument) || first.IsCompleted), isThere => isThere);
        await Task.WhenAll(first, _silos.StartAsync(0, 1));
    }

    public async ValueTask DisposeAsync()
    {
        await _silos.DisposeAsync();
        _bank.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Each_silo_tells_of_all_of_them_and_can_end_itself()
    {
        using var first = new BankClient(Plan.AddressOf(0));
        using var last = new BankClient(Plan.AddressOf(2));
        await SilosBecomeAsync(first, "a alive", "b alive", "c alive");
        Assert.Equal(HttpStatusCode.Conflict, (await first.PostAsync("/cluster/silos/c/kill")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await first.PostAsync("/cluster/silos/c/start")).Status);

        Assert.Equal("dying", (await last.PostAsync("/cluster/silos/c/kill")).Text("status"));

        await SilosBecomeAsync(first, "a alive", "b alive", "c dead");
    }

    [Fact]
    public async Task What_another_silo_has_is_refused()
    {
        await RefusesAsync("--data", "is in use by silo");
        await RefusesAsync("--silo-port", "can't be used");
        await RefusesAsync("--gateway-port", "can't be used");
        await RefusesAsync("--http-port", "can't be used");
        await RefusesAsync("--name", "another silo 'b' is alive, at 127.0.0.1:");

        var answer = await _bank.PostAsync("/accounts/x/deposit", new { amount = 1, requestId = "1" });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task Of_two_silos_of_one_name_that_start_together_one_at_most_stays()
    {
        using var last = new BankClient(Plan.AddressOf(2));
        await _silos.KillAsync(0, 1);
        await SilosBecomeAsync(last, "a dead", "b dead", "c alive");
        var renamed = Plan.ArgumentsOf(1);
        renamed[Array.IndexOf(renamed, "--name") + 1] = "a";

        await using var one = SampleProgram.Start(Plan.ArgumentsOf(0));
        await using var other = SampleProgram.Start(renamed);

        await Eventually.BecomesAsync(
            () => Task.FromResult(one.ExitCode ?? other.ExitCode), code => code is not null);
        var ended = one.ExitCode is null ? other : one;
        Assert.Equal(1, await ended.ExitAsync(Waiting.Patience));
        Assert.Contains(ended.Errors, line => line.Contains("another silo 'a' is alive", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_silo_has_the_page_metrics_and_health_and_knows_every_standing_order()
    {
        var order = new { requestId = "rent", from = "x", to = "y", amount = 1, periodSeconds = 3600 };
        using var first = new BankClient(Plan.AddressOf(0));
        Assert.Equal(HttpStatusCode.OK, (await first.PostAsync("/standing-orders", order)).Status);
        using var http = new HttpClient();
        for (var silo = 0; silo < Plan.Silos; silo++)
        {
            Assert.Contains("<html", await GetAsync(http, silo, "/"), StringComparison.OrdinalIgnoreCase);
            Assert.Contains(
                "consensus_changes_total", await GetAsync(http, silo, "/metrics"), StringComparison.Ordinal);
            Assert.Contains("\"Healthy\"", await GetAsync(http, silo, "/health/live"), StringComparison.Ordinal);
            await Eventually.BecomesAsync(
                () => GetAsync(http, silo, "/health/ready"), health => health.Contains("\"Healthy\""));
            Assert.Contains("\"rent\"", await GetAsync(http, silo, "/standing-orders/rent"), StringComparison.Ordinal);
        }

        await _silos.KillAsync(1, 2);

        await Eventually.BecomesAsync(
            () => GetAsync(http, 0, "/health/ready"), health => health.Contains("\"Unhealthy\""));
        Assert.Contains(
            "reads and writes fail until more are back",
            await GetAsync(http, 0, "/health/ready"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_membership_that_is_gone_is_not_made_anew_unless_that_is_asked_for()
    {
        await _silos.KillAsync(0);
        var aside = Plan.ClusterDirectory + ".aside";
        Directory.Move(Plan.ClusterDirectory, aside);

        var result = await SampleProgram.RunAsync(Plan.ArgumentsOf(0));

        Assert.Equal(1, result.Code);
        Assert.Contains(result.Errors, line => line.Contains("membership is not in", StringComparison.Ordinal));
        Assert.False(Directory.Exists(Plan.ClusterDirectory));
        await _silos.KillAsync(1, 2);

        await using (var alone = SampleProgram.Start([.. Plan.ArgumentsOf(0), "--new-membership"]))
        {
            await alone.PrintsAsync("Joined: ");
        }

        var twice = await SampleProgram.RunAsync([.. Plan.ArgumentsOf(0), "--new-membership"]);
        Assert.Equal(1, twice.Code);
        Assert.Contains(twice.Errors, line => line.Contains("Leave --new-membership out", StringComparison.Ordinal));
        Directory.Delete(Plan.ClusterDirectory, recursive: true);
        Directory.Move(aside, Plan.ClusterDirectory);
        await _silos.StartAsync(0, 1, 2);
    }

    /// <summary>A silo d with replica b, and one thing more that silo b has, does not start or write.</summary>
    private async Task RefusesAsync(string option, string words)
    {
        using var directory = new TemporaryDirectory();
        var others = BankPlan.Create(directory.Path).ArgumentsOf(3);
        var taken = Plan.ArgumentsOf(1);
        foreach (var same in (string[])["--replica", "--cluster", option])
        {
            others[Array.IndexOf(others, same) + 1] = taken[Array.IndexOf(taken, same) + 1];
        }

        var result = await SampleProgram.RunAsync(others);

        Assert.Equal(1, result.Code);
        Assert.Contains(result.Errors, line => line.Contains(words, StringComparison.Ordinal));
        Assert.Empty(directory.Snapshot("*"));
    }

    private async Task<string> GetAsync(HttpClient http, int silo, string path)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var answer = await http.GetAsync(new Uri(Plan.AddressOf(silo), path), cancellationToken);
        return await answer.Content.ReadAsStringAsync(cancellationToken);
    }

    private static async Task SilosBecomeAsync(BankClient bank, params string[] expected) =>
        await Eventually.BecomesAsync(
            async () => string.Join(", ", (await SiloButtons.DescribeAsync(bank))
                .GetProperty("silos").EnumerateArray()
                .Select(silo => $"{silo.GetProperty("name").GetString()} {silo.GetProperty("status").GetString()}")),
            silos => silos == string.Join(", ", expected));
}
