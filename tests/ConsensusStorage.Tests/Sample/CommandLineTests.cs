using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.Tests.Sample;

public sealed class CommandLineTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private DemoOptions? _options;
    private SiloCommandOptions? _silo;

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
    [InlineData("--storage tape")]
    [InlineData("--storage azure")]
    [InlineData("--storage azure --connection x --connection y")]
    [InlineData("--connection UseDevelopmentStorage=true")]
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
        var plan = DemoCluster.Plan(Options(silos: 5), "x").ToList();

        Assert.Equal(["a", "b", "c", "d", "e"], plan.Select(silo => silo.Name));
        Assert.Equal(["a", "b", "c", null, null], plan.Select(silo => silo.Replica));
        Assert.Equal([100, 101, 102, 103, 104], plan.Select(silo => silo.SiloPort));
        Assert.All(plan, silo => Assert.Equal(Path.Combine("x", "cluster"), silo.ClusterDirectory));
        Assert.All(plan, silo => Assert.Equal(["a", "b", "c"], silo.Replicas));
        Assert.All(plan, silo => Assert.Empty(silo.Accounts));
    }

    [Fact]
    public async Task Logs_in_azure_take_one_account_or_one_for_each_replica()
    {
        await RunAsync("--storage", "azure", "--connection", "UseDevelopmentStorage=true", "--silos", "1");
        var one = _options!;
        await RunAsync(
            "--storage", "azure", "--connection", "x", "--connection", "y", "--connection", "z", "--container", "box");
        var three = _options!;

        Assert.Equal((3, 4, "bank"), (one.Replicas, one.Groups, one.Container));
        var silo = Assert.Single(DemoCluster.Plan(one, ""));
        Assert.Null(silo.Replica);
        Assert.Equal(["a", "b", "c"], silo.Accounts.Keys);
        Assert.All(silo.Accounts.Values, account => Assert.Equal("UseDevelopmentStorage=true", account));
        Assert.All(DemoCluster.Plan(three, ""), each => Assert.Equal(
            ["a x", "b y", "c z"], each.Accounts.Select(account => $"{account.Key} {account.Value}")));
        Assert.Equal("box", three.Container);
    }

    [Fact]
    public async Task A_silo_of_its_own_is_told_its_names_ports_and_places()
    {
        const string given = "silo --name a --replica a --silo-port 11111 --gateway-port 30000 --http-port 5081 "
            + "--data DIR --cluster SHARED --host 10.0.0.1";
        Assert.Equal(0, await RunAsync(given.Split(' ')));

        Assert.Equal(
            new SiloCommandOptions
            {
                Name = "a",
                Replica = "a",
                Host = "10.0.0.1",
                SiloPort = 11111,
                GatewayPort = 30000,
                HttpPort = 5081,
                Data = "DIR",
                Cluster = "SHARED",
                Storage = "file",
                Connections = _silo!.Connections,
                Container = "bank",
                Replicas = 3,
                Groups = 16,
            },
            _silo);
        Assert.Empty(_silo.Connections);
        Assert.Null(_options);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("silo --name a")]
    [InlineData("silo --name a --cluster d --replica x")]
    [InlineData("silo --name a --cluster d --replica b --replicas 1")]
    [InlineData("silo --name a --cluster d --replicas 2")]
    [InlineData("silo --name a --cluster d --groups 0")]
    [InlineData("silo --name a --cluster d --silo-port 0")]
    [InlineData("silo --name a --cluster d --silo-port 30000")]
    [InlineData("silo --name a --cluster d --http-port 70000")]
    [InlineData("silo --name a --cluster d --host here")]
    [InlineData("silo --name a --cluster d --host 0.0.0.0")]
    [InlineData("silo --name a --cluster d --host ::")]
    [InlineData("silo --name a --cluster d --silos 3")]
    [InlineData("silo --name a --cluster d --connection x")]
    [InlineData("silo --name a --storage azure")]
    [InlineData("silo --name a --storage azure --connection x --connection y")]
    [InlineData("silo --name a --storage azure --connection x --cluster d")]
    [InlineData("silo --name a --storage azure --connection x --replica a")]
    public async Task What_makes_no_sense_for_a_silo_is_a_usage_error(string arguments)
    {
        Assert.Equal(BankCommandLine.UsageError, await RunAsync(arguments.Split(' ')));
        Assert.Null(_silo);
        Assert.NotEmpty(_error.ToString());
    }

    private static DemoOptions Options(int silos) => new()
    {
        Data = "x",
        HttpPort = 1,
        Silos = silos,
        Replicas = 3,
        Groups = 4,
        SiloPort = 100,
        GatewayPort = 200,
    };

    private Task<int> RunAsync(params string[] args)
    {
        var commandLine = new BankCommandLine(
            options =>
            {
                _options = options;
                return Task.FromResult(0);
            },
            options =>
            {
                _silo = options;
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
