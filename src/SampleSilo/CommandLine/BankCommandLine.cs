using System.CommandLine;

namespace Orleans.Consensus.SampleSilo.CommandLine;

/// <summary>The commands of the sample.</summary>
/// <param name="demo">Runs all silos in this process and returns the exit code.</param>
/// <param name="silo">Runs one silo in this process and returns the exit code.</param>
/// <param name="walkthrough">Shows the protocol and returns the exit code.</param>
internal sealed class BankCommandLine(
    Func<DemoOptions, Task<int>> demo,
    Func<SiloCommandOptions, Task<int>> silo,
    Func<TextWriter, Task<int>> walkthrough)
{
    /// <summary>Exit code for what can't be done, as against what was typed wrong.</summary>
    public const int Failure = 1;

    /// <summary>Exit code for a command line that makes no sense.</summary>
    public const int UsageError = 2;

    private readonly Option<string> _data = new("--data")
    {
        Description = "Directory of the replicas' logs.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "./data",
    };

    private readonly Option<string> _storage = new("--storage")
    {
        Description = "Where the logs are: file (in --data) or azure (append blobs; replicas float among the silos).",
        HelpName = "file|azure",
        DefaultValueFactory = _ => DemoOptions.FileStorage,
    };

    private readonly Option<string[]> _connections = new("--connection")
    {
        Description = "Connection string of a storage account: once for all replicas, or once for each. "
            + "UseDevelopmentStorage=true is a local emulator.",
        HelpName = "STRING",
    };

    private readonly Option<string> _container = new("--container")
    {
        Description = "The container of the logs, in each account.",
        HelpName = "NAME",
        DefaultValueFactory = _ => DemoOptions.DefaultContainer,
    };

    private readonly Option<int> _httpPort = Number("--http-port", 5080, "Port of the HTTP API.");
    private readonly Option<int> _silos = Number("--silos", 3, "Number of silos, a, b, c …: 1 to 9.");

    private readonly Option<int?> _replicas = new("--replicas")
    {
        Description = "Number of replicas: 1, 3 or 5; files are with the first silos. "
            + "[default: 3; with files 1 below 3 silos]",
        HelpName = "N",
    };

    private readonly Option<int?> _groups = new("--groups")
    {
        Description = "Number of replica groups; fixed at the first start. "
            + $"[default: {DemoOptions.FileGroups}; azure: {DemoOptions.BlobGroups}]",
        HelpName = "N",
    };

    private readonly Option<int> _siloPort = Number("--silo-port", 11111, "Port of silo a; the others follow.");
    private readonly Option<int> _gatewayPort =
        Number("--gateway-port", 30000, "Gateway port of silo a; the others follow.");

    private readonly Option<string> _name = new("--name")
    {
        Description = "The silo's name, another one for each.",
        HelpName = "NAME",
        Required = true,
    };

    private readonly Option<string?> _replica = new("--replica")
    {
        Description = "The replica (a, b, c …) whose log is in --data; none if it is left out. Not for azure.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _cluster = new("--cluster")
    {
        Description = "Directory with the cluster's membership, the same for all silos. Not for azure.",
        HelpName = "DIR",
    };

    private readonly Option<bool> _newMembership = new("--new-membership")
    {
        Description = "Begins a membership in --cluster although --data holds a log: the former one is lost, and no "
            + "silo of the bank runs. For one start of one silo.",
    };

    private readonly Option<int> _replicaCount =
        Number("--replicas", 3, "Number of replicas, a, b, c …: 1, 3 or 5; the same for all silos.");

    private readonly Option<string> _host = new("--host")
    {
        Description = "Address of this machine that the other silos, and customers, reach it at. Whoever reaches it "
            + "may do anything.",
        HelpName = "IP",
        DefaultValueFactory = _ => DemoOptions.Loopback,
    };

    private readonly Option<int> _ownSiloPort = Number("--silo-port", 11111, "Port for the other silos.");
    private readonly Option<int> _ownGatewayPort = Number("--gateway-port", 30000, "Port for Orleans' clients.");

    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Build(output, error).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            return Refuse(error, parsed.Errors.Select(each => each.Message));
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private RootCommand Build(TextWriter output, TextWriter error)
    {
        var paxos = new Command("paxos", "Nodes A, B and C agree on the value 42, message by message.");
        paxos.SetAction((_, _) => walkthrough(output));
        var root = new RootCommand(
            "A bank on Orleans whose accounts are replicated by Paxos: all silos in one process, with an HTTP API.")
        {
            _data, _storage, _connections, _container, _httpPort, _silos, _replicas, _groups, _siloPort, _gatewayPort,
            BuildSilo(error),
            new Command("walkthrough", "Shows how the protocol works.") { paxos },
        };
        root.SetAction((result, _) => RunDemoAsync(Read(result), error));
        return root;
    }

    private Command BuildSilo(TextWriter error)
    {
        var command = new Command(
            "silo", "Runs one silo, and the same HTTP API, in this process. Any number of them make a cluster.")
        {
            _name, _replica, _host, _ownSiloPort, _ownGatewayPort, _httpPort, _data, _cluster, _newMembership, _storage,
            _connections, _container, _replicaCount, _groups,
        };
        command.SetAction((result, _) =>
        {
            var options = ReadSilo(result);
            var problems = options.Problems().ToList();
            return problems.Count > 0 ? Task.FromResult(Refuse(error, problems)) : silo(options);
        });
        return command;
    }

    private SiloCommandOptions ReadSilo(ParseResult result)
    {
        var storage = result.GetValue(_storage) ?? "";
        return new()
        {
            Name = result.GetValue(_name) ?? "",
            Replica = result.GetValue(_replica),
            Host = result.GetValue(_host) ?? "",
            SiloPort = result.GetValue(_ownSiloPort),
            GatewayPort = result.GetValue(_ownGatewayPort),
            HttpPort = result.GetValue(_httpPort),
            Data = result.GetValue(_data) ?? "",
            Cluster = result.GetValue(_cluster),
            NewMembership = result.GetValue(_newMembership),
            Storage = storage,
            Connections = result.GetValue(_connections) is { Length: > 0 } given ? given : [],
            Container = result.GetValue(_container) ?? "",
            Replicas = result.GetValue(_replicaCount),
            Groups = result.GetValue(_groups) ?? GroupsFor(storage),
        };
    }

    private static int GroupsFor(string storage) =>
        storage == DemoOptions.FileStorage ? DemoOptions.FileGroups : DemoOptions.BlobGroups;

    private DemoOptions Read(ParseResult result)
    {
        var silos = result.GetValue(_silos);
        var storage = result.GetValue(_storage) ?? "";
        var isFile = storage == DemoOptions.FileStorage;
        return new()
        {
            Data = result.GetValue(_data) ?? "",
            Storage = storage,
            Connections = result.GetValue(_connections) is { Length: > 0 } given ? given : [],
            Container = result.GetValue(_container) ?? "",
            HttpPort = result.GetValue(_httpPort),
            Silos = silos,
            Replicas = result.GetValue(_replicas) ?? (isFile ? DemoOptions.DefaultReplicas(silos) : 3),
            Groups = result.GetValue(_groups) ?? GroupsFor(storage),
            SiloPort = result.GetValue(_siloPort),
            GatewayPort = result.GetValue(_gatewayPort),
        };
    }

    private Task<int> RunDemoAsync(DemoOptions options, TextWriter error)
    {
        var problems = options.Problems().ToList();
        return problems.Count > 0 ? Task.FromResult(Refuse(error, problems)) : demo(options);
    }

    private static int Refuse(TextWriter error, IEnumerable<string> problems)
    {
        foreach (var problem in problems)
        {
            error.WriteLine(problem);
        }

        error.WriteLine("--help lists what is possible.");
        return UsageError;
    }

    private static Option<int> Number(string name, int value, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };
}
