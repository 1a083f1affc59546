using System.Net;
using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.SampleSilo.Cluster;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The program's commands, exit codes and what it says.</summary>
[Collection(nameof(BankProcesses))]
public sealed class CommandTests(RunningBank running)
{
    [Fact]
    public async Task The_walkthrough_shows_that_42_is_committed()
    {
        var result = await SampleProgram.RunAsync("walkthrough", "paxos");

        Assert.Equal(0, result.Code);
        Assert.Contains("Value 42 committed", result.Output);
        Assert.Empty(result.Errors);
    }

    [Theory]
    [InlineData("--silos", "many")]
    [InlineData("--silos", "0")]
    [InlineData("--groups", "-1")]
    [InlineData("--color", "red")]
    [InlineData("walkthrough", "raft")]
    public async Task Arguments_that_make_no_sense_are_refused_by_name(string first, string second)
    {
        var result = await SampleProgram.RunAsync(first, second);

        Assert.Equal(2, result.Code);
        Assert.Empty(result.Output);
        Assert.Contains(
            result.Errors,
            line => line.Contains(first, StringComparison.Ordinal) || line.Contains(second, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_data_directory_in_use_is_refused_and_its_user_goes_on()
    {
        var second = BankPlan.Create(running.Plan.Data);

        var refusal = await RefusedAsync(second);

        // Of its silos that is told which fails first.
        Assert.Matches($"{Regex.Escape(running.Plan.Data)}/Default/([abc]) is in use by silo \\1", refusal);
        var answer = await running.Client.PostAsync(
            "/accounts/undisturbed/deposit", new { amount = 1, requestId = Guid.NewGuid() });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_by_its_number()
    {
        using var directory = new TemporaryDirectory();

        var refusal = await RefusedAsync(running.Plan with { Data = directory.Path });

        Assert.Contains($"HTTP port {running.Plan.HttpPort} can't be used", refusal, StringComparison.Ordinal);
        Assert.Empty(directory.Snapshot());
    }

    [Fact]
    public async Task An_address_of_another_machine_is_refused()
    {
        using var directory = new TemporaryDirectory();
        var plan = BankPlan.Create(directory.Path) with { Hosts = ["192.0.2.1"] };

        var result = await SampleProgram.RunAsync(plan.ArgumentsOf(0));

        Assert.Equal(1, result.Code);
        Assert.Equal(
            ["The bank could not start: 192.0.2.1 is not an address of this machine (--host)."], result.Errors);
    }

    [Fact]
    public async Task A_membership_of_another_cluster_is_refused_and_nothing_is_written()
    {
        using var directory = new TemporaryDirectory();
        var plan = BankPlan.Create(directory.Path);
        var place = new FileDocuments(plan.ClusterDirectory, TimeProvider.System, new Random(1));
        await MembershipIn(place, "another").FormAsync(TestContext.Current.CancellationToken);
        var before = directory.Snapshot("*");

        var result = await SampleProgram.RunAsync(plan.ArgumentsOf(0));

        Assert.Equal(1, result.Code);
        Assert.Contains(result.Errors, line => line.Contains("of cluster 'another'", StringComparison.Ordinal));
        Assert.Equal(before, directory.Snapshot("*"));
    }

    [Fact]
    public async Task A_membership_directory_that_can_not_be_used_is_told_and_nothing_is_written()
    {
        using var directory = new TemporaryDirectory();
        var plan = BankPlan.Create(directory.Path);
        await File.WriteAllTextAsync(plan.ClusterDirectory, "no directory", TestContext.Current.CancellationToken);
        var before = directory.Snapshot("*");

        var result = await SampleProgram.RunAsync(plan.ArgumentsOf(0));

        Assert.Equal(1, result.Code);
        Assert.Contains($"the cluster directory '{plan.ClusterDirectory}' can't be used", Assert.Single(result.Errors));
        Assert.Equal(before, directory.Snapshot("*"));
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("locked for ever")]
    public async Task A_membership_that_can_not_be_used_is_told_before_a_log_is_created(string how)
    {
        using var directory = new TemporaryDirectory();
        var plan = BankPlan.Create(directory.Path);
        await MembershipIn(new FileDocuments(plan.ClusterDirectory, TimeProvider.System, new Random(1)))
            .FormAsync(TestContext.Current.CancellationToken);
        if (how == "damaged")
        {
            await File.WriteAllTextAsync(plan.MembershipDocument, "?", TestContext.Current.CancellationToken);
        }
        else
        {
            // It can be read, and not be written.
            File.Delete(Path.Combine(plan.ClusterDirectory, "documents.lock"));
            Directory.CreateDirectory(Path.Combine(plan.ClusterDirectory, "documents.lock"));
        }

        var before = directory.Snapshot("*");
        var result = await SampleProgram.RunAsync(plan.ArgumentsOf(0));

        Assert.Equal(1, result.Code);
        Assert.Contains(
            result.Errors, line => line.Contains(plan.ClusterDirectory, StringComparison.Ordinal));
        Assert.Equal(before, directory.Snapshot("*"));
    }

    /// <summary>Each of them is tried for the twenty seconds of clustering's <c>RequestTimeout</c>.</summary>
    [Fact]
    public async Task A_storage_account_that_is_gone_or_gives_no_rights_is_told_and_nothing_is_written()
    {
        var account = (await SharedAccounts.TakeAsync(1))[0];
        var there = new BlobContainerClient(account, "there-" + Guid.NewGuid().ToString("N"));
        await MembershipIn(new BlobDocuments(there, Waiting.Patience, TimeProvider.System))
            .FormAsync(TestContext.Current.CancellationToken);
        var before = await BlobsInAsync(there);
        var gone = account.Replace($":{new Uri(there.Uri, "/").Port}/", ":1/", StringComparison.Ordinal);

        await Task.WhenAll(
            RefusedAsync(gone, there.Name, "can't be used"),
            RefusedAsync(LesserRights.WrongKey(account), there.Name, "no rights"),
            RefusedAsync(LesserRights.ReadOnly(account), there.Name, "no rights"));

        Assert.Equal(before, await BlobsInAsync(there));
    }

    [Fact]
    public async Task There_may_be_more_silos_than_replicas_and_never_another_number_of_groups()
    {
        using var directory = new TemporaryDirectory();
        var plan = BankPlan.Create(directory.Path) with { Silos = 4, Groups = 4 };
        await using (await plan.StartAsync())
        {
            using var bank = new BankClient(plan.Address);
            await UseAllSilosAsync(bank);
            await SiloButtons.KillAsync(bank, "c");
            Assert.Equal(HttpStatusCode.OK, (await bank.InsistAsync(() => DepositAsync(bank, "x0", "again"))).Status);
        }

        var before = directory.Snapshot();
        var refusal = await RefusedAsync(plan with { Groups = 8 });

        Assert.Contains("the number of groups in it is '4', configured is '8'", refusal, StringComparison.Ordinal);
        Assert.Equal(before, directory.Snapshot());
    }

    /// <summary>Until the silo that hosts no replica has an account, too.</summary>
    private static async Task UseAllSilosAsync(BankClient bank)
    {
        var cluster = await SiloButtons.DescribeAsync(bank);
        Assert.Equal(
            ["a", "b", "c", null],
            cluster.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("replica").GetString()));
        Assert.All(
            cluster.GetProperty("groups").EnumerateArray(),
            group => Assert.Equal(3, group.GetProperty("replicas").GetArrayLength()));
        var used = new HashSet<string?>();
        for (var account = 0; !used.Contains("d"); account++)
        {
            Assert.True(account < 200, $"Of 200 accounts none lives on d, only on {string.Join(", ", used)}.");
            var answer = await DepositAsync(bank, $"x{account}", "first");
            Assert.Equal((HttpStatusCode.OK, 1L), (answer.Status, answer.Version));
            used.Add(answer.Text("silo"));
        }
    }

    private static Task<Answer> DepositAsync(BankClient bank, string account, string requestId) =>
        bank.PostAsync($"/accounts/{account}/deposit", new { amount = 1, requestId });

    private static Membership MembershipIn(IDocuments place, string cluster = BankSiloSettings.ClusterName) =>
        MembershipPlaces.Create(
            [place],
            new() { ServiceId = BankSiloSettings.ClusterName, ClusterId = cluster },
            Waiting.Patience,
            TimeProvider.System,
            new Random(1));

    private static async Task<IReadOnlyList<string>> BlobsInAsync(BlobContainerClient container)
    {
        var blobs = new List<string>();
        await foreach (var blob in container.GetBlobsAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            blobs.Add($"{blob.Name} {blob.Properties.ETag}");
        }

        return blobs;
    }

    /// <summary>A silo of its own with its logs and membership in one account fails to start, and says why.</summary>
    private static async Task RefusedAsync(string connection, string container, string words)
    {
        var plan = BankPlan.Create("") with { Connections = [connection] };

        var result = await SampleProgram.RunAsync([.. plan.ArgumentsOf(0), "--container", container]);

        Assert.Equal(1, result.Code);
        var told = Assert.Single(
            result.Errors, line => line.StartsWith("The bank could not start: ", StringComparison.Ordinal));
        Assert.Contains(words, told, StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", told, StringComparison.Ordinal);
    }

    /// <summary>Fails to start; returns the one paragraph that says why. Orleans may tell of dead silos, too.</summary>
    private static async Task<string> RefusedAsync(BankPlan plan)
    {
        var result = await SampleProgram.RunAsync(plan.Arguments);
        Assert.Equal(1, result.Code);
        Assert.DoesNotContain(result.Output, line => line.StartsWith("Ready", StringComparison.Ordinal));
        return Assert.Single(
            result.Errors, line => line.StartsWith("The bank could not start: ", StringComparison.Ordinal));
    }
}
