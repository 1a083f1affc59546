using System.Net;
using System.Text.Json;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>Ends and starts single silos of a bank, and sees that it says so.</summary>
internal static class SiloButtons
{
    public static async Task KillAsync(BankClient bank, string silo)
    {
        var killed = await bank.PostAsync($"/cluster/silos/{silo}/kill");
        Assert.Equal((HttpStatusCode.OK, "dead"), (killed.Status, killed.Text("status")));
        Assert.Equal("dead", await StatusAsync(bank, silo));
        await Eventually.BecomesAsync(
            () => ReplicaAsync(bank, silo),
            replica => replica.GetProperty("state").GetString() == "unreachable"
                && replica.GetProperty("host").ValueKind == JsonValueKind.Null);
    }

    public static async Task StartAsync(BankClient bank, string silo)
    {
        var started = await bank.PostAsync($"/cluster/silos/{silo}/start");
        Assert.Equal((HttpStatusCode.OK, "alive"), (started.Status, started.Text("status")));
        Assert.Equal("alive", await StatusAsync(bank, silo));
        await Eventually.BecomesAsync(
            () => ReplicaAsync(bank, silo),
            replica => replica.GetProperty("state").GetString() == "serving"
                && replica.GetProperty("host").GetString() == silo);
    }

    public static async Task<JsonElement> DescribeAsync(BankClient bank)
    {
        var cluster = await bank.GetAsync("/cluster");
        Assert.Equal(HttpStatusCode.OK, cluster.Status);
        return cluster.Body;
    }

    private static async Task<string?> StatusAsync(BankClient bank, string silo) => (await DescribeAsync(bank))
        .GetProperty("silos").EnumerateArray().Single(each => each.GetProperty("name").GetString() == silo)
        .GetProperty("status").GetString();

    /// <summary>The silo's replica in the first group.</summary>
    private static async Task<JsonElement> ReplicaAsync(BankClient bank, string silo) => (await DescribeAsync(bank))
        .GetProperty("groups")[0].GetProperty("replicas").EnumerateArray()
        .Single(each => each.GetProperty("replica").GetString() == silo);
}
