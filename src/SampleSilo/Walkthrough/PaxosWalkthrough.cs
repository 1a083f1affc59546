using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo.Walkthrough;

/// <summary>
/// Three nodes agree on a value, on the shipped protocol code, in words. What it claims is read back from the bytes
/// of the nodes' logs after the nodes have stopped.
/// </summary>
internal sealed class PaxosWalkthrough
{
    private static readonly ProposerId P = new(1);
    private static readonly ProposerId Q = new(2);

    private readonly WalkthroughStore _store;
    private readonly TextWriter _output;
    private readonly Wording _wording;
    private readonly WalkthroughProposer _p;
    private readonly WalkthroughProposer _q;

    /// <param name="store">The nodes' logs, new.</param>
    public PaxosWalkthrough(WalkthroughStore store, TextWriter output)
    {
        _store = store;
        _output = output;
        _wording = new(new Dictionary<ProposerId, char> { [P] = 'P', [Q] = 'Q' });
        _p = new('P', P, _wording, output);
        _q = new('Q', Q, _wording, output);
    }

    /// <summary>Returns the exit code: 0 only if the logs say all that the text says.</summary>
    public async Task<int> RunAsync()
    {
        _output.WriteLine("Nodes A, B and C; any two of them are a majority. Each writes its log before it answers.");
        _output.WriteLine("A ballot is a number and who made it: 1.P is below 1.Q, and both are below 2.P.");
        var committed = await AgreeAsync();
        return committed && await KeepAsync() && await DecideWithoutCAsync() ? 0 : BankCommandLine.Failure;
    }

    private async Task<bool> AgreeAsync()
    {
        _output.WriteLine();
        _output.WriteLine("1. Proposer P wants the value 42.");
        var result = await ProposeAsync(_p, "42", expected: null, down: null);
        if (result is not ChangeResult.Applied || !await LogsSayAsync("42", nodes: 3))
        {
            return false;
        }

        _output.WriteLine("Value 42 committed");
        return true;
    }

    private async Task<bool> KeepAsync()
    {
        _output.WriteLine();
        _output.WriteLine("2. Proposer Q wants the value 43, if there is none yet.");
        var result = await ProposeAsync(_q, "43", expected: null, down: null);
        if (result is not ChangeResult.Stale { Current.Payload: { } found } || Wording.Text(found) != "42")
        {
            _output.WriteLine("Q has not found 42.");
            return false;
        }

        _output.WriteLine("Q finds that 42 is chosen: a majority accepted it at one ballot. It keeps 42.");
        return await LogsSayAsync("42", nodes: 3);
    }

    private async Task<bool> DecideWithoutCAsync()
    {
        _output.WriteLine();
        _output.WriteLine("3. Node C goes down. Q changes 42 into 43.");
        var chosen = (await ReadLogsAsync())[0].State.Value!.Version;
        var result = await ProposeAsync(_q, "43", chosen, down: "C");
        if (result is not ChangeResult.Applied || !await LogsSayAsync("43", nodes: 2))
        {
            return false;
        }

        _output.WriteLine("Value 43 committed by A and B. Any majority has one of them, so nobody can miss it.");
        return true;
    }

    private async Task<ChangeResult?> ProposeAsync(
        WalkthroughProposer proposer, string value, RegisterVersion? expected, string? down)
    {
        var nodes = new List<WalkthroughNode?>();
        try
        {
            foreach (var node in WalkthroughStore.Nodes.Members)
            {
                nodes.Add(node.Name == down ? null : await WalkthroughNode.StartAsync(node, _store));
            }

            return await proposer.ProposeAsync(nodes, value, expected);
        }
        finally
        {
            foreach (var node in nodes.OfType<WalkthroughNode>())
            {
                await node.DisposeAsync();
            }
        }
    }

    /// <summary>Whether a majority chose <paramref name="value"/>, and so many logs hold it.</summary>
    private async Task<bool> LogsSayAsync(string value, int nodes)
    {
        var findings = await ReadLogsAsync();
        foreach (var finding in findings)
        {
            _output.WriteLine(_wording.Of(finding));
        }

        var agree = LogFinding.Agree(findings, value) && findings.Count(finding => finding.Value == value) == nodes;
        if (!agree)
        {
            _output.WriteLine($"The logs do not say that {value} is chosen.");
        }

        return agree;
    }

    private async Task<List<LogFinding>> ReadLogsAsync()
    {
        var findings = new List<LogFinding>();
        foreach (var node in WalkthroughStore.Nodes.Members)
        {
            findings.Add(await _store.ReadAsync(node));
        }

        return findings;
    }
}
