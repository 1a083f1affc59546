using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.SampleSilo.Walkthrough;

/// <summary>The logs of nodes A, B and C: the shipped journal, over files in memory.</summary>
internal sealed class WalkthroughStore
{
    public static readonly ReplicaSet Nodes = new([new("A"), new("B"), new("C")]);

    /// <summary>The one register that is decided about.</summary>
    public static readonly RegisterId Register =
        RegisterId.Create("walkthrough", "paxos", "value", "example"u8, "1"u8);

    public static readonly StoreSettings Settings = new()
    {
        Service = "walkthrough",
        Store = "paxos",
        Replicas = Nodes,
        Groups = 1,
    };

    private readonly FileJournalStore _journals = new(
        new MemoryFiles(), "walkthrough", new JournalOptions(), TimeProvider.System, new Random());

    /// <summary>Opens a node's log and replays all of it into <paramref name="index"/>.</summary>
    public async Task<IJournal> OpenAsync(ReplicaId node, AcceptorIndex index)
    {
        var identity = new JournalIdentity(
            Settings.Service, Settings.Store, node, Nodes.ToString(), Settings.Groups, Settings.Generation, new(1));
        return await _journals.OpenAsync(
            identity, new("walkthrough", node.Name), null, index.Replay, CancellationToken.None);
    }

    /// <summary>What a node's log says, read from its bytes. The node must not be running.</summary>
    public async Task<LogFinding> ReadAsync(ReplicaId node)
    {
        var index = new AcceptorIndex(Settings.Groups);
        await using var journal = await OpenAsync(node, index);
        var state = index[Register];
        var payload = state.Value?.Payload is StoredPayload stored
            ? await stored.LoadAsync(journal, CancellationToken.None)
            : null;
        return new(node, state, payload is null ? null : Wording.Text(payload));
    }
}

/// <summary>What a node's log says of the register.</summary>
/// <param name="Value">The value accepted last, or null.</param>
internal sealed record LogFinding(ReplicaId Node, Paxos.AcceptorState State, string? Value)
{
    /// <summary>
    /// Whether <paramref name="value"/> is chosen: the logs of a quorum of all nodes hold it, accepted at one ballot.
    /// </summary>
    public static bool Agree(IReadOnlyCollection<LogFinding> findings, string value) => findings
        .Where(finding => finding.Value == value)
        .GroupBy(finding => finding.State.Accepted)
        .Any(group => group.Count() >= Paxos.Votes.QuorumOf(WalkthroughStore.Nodes.Count));
}
