using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo;

/// <summary>What the demo says to whoever started it.</summary>
internal static class Banner
{
    public static string Starting(DemoOptions options, string data)
    {
        var silos = options.Silos == 1 ? "1 silo" : $"{options.Silos} silos";
        var replicas = options.Replicas == 1 ? "1 replica" : $"{options.Replicas} replicas";
        var accounts = options.Connections.Count == 1 ? "one storage account" : "a storage account each";
        var logs = options.IsAzure ? $"container '{options.Container}' of {accounts}" : data;
        return $"The bank starts: {silos}, {replicas} in {options.Groups} groups, logs in {logs}";
    }

    public static string Next(string address, int silos)
    {
        var lines = $"""

            Try:
              curl --json '{"{"}"amount":100,"requestId":"d1"{"}"}' {address}/accounts/alice/deposit
              curl --json '{"{"}"from":"alice","to":"bob","amount":30,"requestId":"t1"{"}"}' {address}/transfers
              curl {address}/accounts/bob
              curl {address}/cluster
            """;
        return silos == 1 ? lines : $"""
            {lines}
              curl -X POST {address}/cluster/silos/b/kill
              curl '{address}/accounts/bob?fresh=true'
              curl -X POST {address}/cluster/silos/b/start
            Ctrl-C stops it; started again on the same logs, every balance is there.
            """;
    }
}
