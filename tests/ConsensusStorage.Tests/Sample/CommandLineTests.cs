using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.Tests.Sample;

public sealed class CommandLineTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private DemoOptions? _options;

    [Fact]
    public async Task Without_arguments_three_silos_with_a_replica_each_start()
    {
        Assert.Equal(0, await RunAsync());
        Assert.Equal(
            new DemoOptions
            {
                Data = "./data",
                HttpPort = 5080,
                Silos = 3,
                Replicas = 3,
                Groups = 16,
                SiloPort = 11111,
                GatewayPort = 30000,
            },
            _options);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 3)]
    [InlineData(9, 3)]
    public async Task Replicas_follow_silos(int silos, int replicas)
    {
        await RunAsync("--silos", $"{silos}");

        Assert.Equal(replicas, _options!.Replicas);
    }

    [Theory]
    [InlineData("--silos 0")]
    [InlineData("--silos 10")]
    [InlineData("--silos three")]
    [InlineData("--silos")]
    [InlineData("--silos 99999999999")]
    [InlineData("--replicas 2")]
    [InlineData("--replicas 5")]
    [InlineData("--groups 0")]
    [InlineData("--http-port 65536")]
    [InlineData("--http-port 11112")]
    [InlineData("--silo-port 65534")]
    [InlineData("--silo-port 29999")]
    [InlineData("--silo-port 0")]
    [InlineData("--gateway-port -1")]
    [InlineData("--unknown")]
    [InlineData("stray")]
    [InlineData("walkthrough")]
    [InlineData("walkthrough raft")]
    public async Task What_makes_no_sense_is_a_usage_error(string arguments)
    {
        Assert.Equal(BankCommandLine.UsageError, await RunAsync(arguments.Split(' ')));
        Assert.Null(_options);
        Assert.NotEmpty(_error.ToString());
    }

    [Fact]
    public async Task The_walkthrough_writes_to_the_output_and_its_exit_code_counts()
    {
        Assert.Equal(7, await RunAsync("walkthrough", "paxos"));
        Assert.Equal("walked", _output.ToString());
    }

    [Fact]
    public void Silos_have_consecutive_names_and_ports_and_the_first_ones_host_replicas()
    {
        var plan = DemoCluster.Plan(silos: 5, replicas: 3, groups: 4, siloPort: 100, gatewayPort: 200, "x").ToList();

        Assert.Equal(["a", "b", "c", "d", "e"], plan.Select(silo => silo.Name));
        Assert.Equal(["a", "b", "c", null, null], plan.Select(silo => silo.Replica));
        Assert.Equal([100, 101, 102, 103, 104], plan.Select(silo => silo.SiloPort));
        Assert.Equal([true, false, false, false, false], plan.Select(silo => silo.IsPrimary));
        Assert.All(plan, silo => Assert.Equal(["a", "b", "c"], silo.Replicas));
    }

    private Task<int> RunAsync(params string[] args)
    {
        var commandLine = new BankCommandLine(
            options =>
            {
                _options = options;
                return Task.FromResult(0);
            },
            output =>
            {
                output.Write("walked");
                return Task.FromResult(7);
            });
        return commandLine.RunAsync(args, _output, _error);
    }
}
