namespace Orleans.Consensus.Simulation.Branches;

/// <summary>Branches that no run takes, or hardly any, and why.</summary>
/// <param name="Method">Type and method.</param>
/// <param name="Source">A part of what decides; empty for all.</param>
/// <param name="When">A part of what has to be so; empty for all.</param>
internal sealed record OutOfReach(string Method, string Source, string When, string Reason)
{
    private const string NoRepair = "no procedure drops, installs or raises horizons yet (S12, S14)";
    private const string NoBackAndForth = "a promise is above what was accepted, unless that was installed (S14)";
    private const string Contradiction = "acceptors that keep their word don't contradict one another";
    private const string OneAnswer = "links give each answer once, to the round that asked; RoundReplyTests (S22)";
    private const string Finished = "the engine asks when the round is over";
    private const string NotCompared = "nothing shipped compares changes";
    private const string ServedTwice = "a copied disk, or a dead silo seen for a moment; ReplicaDirectoryTests";
    private const string OneThread = "only another thread could come between; RegisterSessionTests";
    private const string EveryAnswer = "replicas answer every request; PaxosEngineOutcomeTests";
    private const string OneLook = "only another thread could stop it during a look";
    private const string NoLocks = "simulated replicas float over blobs, which nobody locks; FloatingReplicasTests";
    private const string Leaving = "others soon have what a silo hosts that leaves; FloatingReplicasTests";
    private const string Misuse = "an operator's mistake; FormationTests, ReplicaDirectoryTests";
    private const string NoClearing = "no silo empties a whole table; MembershipTableCases, ReminderTableTests";
    private const string NoNames = "no simulated silo is of another version; ReminderTreeTests";
    private const string FewCalls = "a store is empty for a moment only; ReminderTreeTests";
    private const string FewChanges = "there are few reminders, changed by few silos at once; ReminderTableTests";
    private const string Older = "what Orleans called before it had tokens; the same";
    private const string WrongPlaces = "an operator's mistake; MembershipFaultTests";
    private const string NoTear = "documents are never torn; MembershipFaultTests, MembershipFuzzTests";
    private const string Whole = "a document that was found has its content";
    private const string OneShape = "all silos of a run have the store, in one shape; ReplicaDirectoryTests";
    private const string TwoStores = "two stores of one name, an operator's mistake; ReplicaDirectoryTests";
    private const string Asked = "operators and health checks ask; ReplicaDirectoryTests, HealthCheckTests";
    private const string TooBusy = "simulated silos give one another a chance before that";

    public static readonly IReadOnlyList<OutOfReach> All =
    [
        new("Acceptor.Drop", "", "", NoRepair),
        new("Acceptor.Install", "", "", NoRepair),
        new("Acceptor.RaiseHorizon", "", "", NoRepair),
        new("Acceptor.On", "var again =", "Value: no", "nothing is accepted without a value"),
        new("Acceptor.On", "if (again &&", "GreaterThanOrEqual: no", NoBackAndForth),
        new("Acceptor.On", "if (accept.Ballot < state.Promised", "LessThanOrEqual: yes", NoBackAndForth),
        new("Acceptor.On", "if (accept.Ballot < state.Promised", "again", NoBackAndForth),
        new("Acceptor.On", "var value = again", "again: yes", NoBackAndForth),
        new("Preparing.WithPromise", "ThrowIf", "== HasValue: no", Contradiction),
        new("ProtocolViolationException.ThrowIf", "", "violated: yes", Contradiction),
        new("Attempt.Deliver", "", "caught ProtocolViolationException", Contradiction),
        new("PaxosEngine.DriveAsync", "", "violation: yes", Contradiction),
        new("PaxosEngine.GiveUp", "", "violated: yes", Contradiction),
        new("Preparing.On", "", "HasVoted: yes", OneAnswer),
        new("Preparing.On", "reply.Phase", "!= 1: yes", OneAnswer),
        new("Preparing.On", "reply.Phase", "Inequality: yes", OneAnswer),
        new("Accepting.On", "reply.Phase", "Inequality: yes", OneAnswer),
        new("Preparing.Decide", "Decision.Keep", "!= Omitted: no", "every read asks for the payload at once"),
        new("Round.Note", "Ballot.MaxRound", "7903: yes", "no simulated clock is hundreds of thousands of years ahead"),
        new("Round.get_ChangeAfter", "", "", Finished),
        new("Accepting.get_ChangeAfter", "", "", Finished),
        new("Attempt.get_IsSettled", "", "is Finished: no", Finished),
        new("InDoubt.Equals", "", "", NotCompared),
        new("InDoubt.GetHashCode", "", "", NotCompared),
        new(
            "Write.Apply",
            "Expected is null && current is null",
            "current: no",
            "it takes a tombstone that only a minority accepted, and that is seen once and never again; ChangeTests"),
        new("Formation.Step", "ReplicaState.Serving", "!= 3: no", Misuse),
        new("Formation.Step", "logs[index] ?? other.Log", "Inequality: yes", Misuse),
        new("Formation.Step", "logs[index] ?? other.Log", "HasValue: no", Misuse),
        new("Formation.Step", "twice ??=", "", Misuse),
        new("Formation.Step", "twice is null", "HasValue: yes", Misuse),
        new("Formation.Step", "twice is not null", "HasValue: yes", Misuse),
        new("Formation.TwoLogs", "", "", Misuse),
        new("Formation.OlderCopy", "", "", Misuse),
        new("PaxosEngine.UntilReplicasAreFoundAsync", "", "HasQuorum: yes", OneThread),
        new("Shard.Enter", "session.Busy", "Busy: no", OneThread),
        new("Shard.GiveUp", "place.List?.Remove", "List: no", OneThread),
        new(
            "Shard.EvictOldest",
            "oldest == newest",
            "newest: yes",
            "it comes last in line, behind as many others as are looked at"),
        new("ReplicaLink.Post", "", "TryWrite: no", "the engine admits nothing once it stops"),
        new("ReplicaLink.SendAsync", "", "== conv.i4: no", EveryAnswer),
        new("ReplicaLink.SendAsync", "does not fit", "Refusal: no", EveryAnswer),
        new("FloatingReplicas.Find", "", "< 0: yes", "all silos of a run have the same replicas"),
        new("FloatingReplicas.LeaveAsync", "Hosted.Count > 0", "Any: no", Leaving),
        new("FloatingReplicas.LeaveAsync", "Hosted.Count > 0", "LessThan: no", Leaving),
        new("FloatingReplicas.LeaveAsync", "Hosted.Count > 0", "IsCancellationRequested: yes", Leaving),
        new("FloatingReplicas.Look", "isMine &&", "IsCancellationRequested: yes", OneLook),
        new("FloatingReplicas.GiveUpIfItIsTime", "_isLocked", "_isLocked: yes", NoLocks),
        new("Seat.Take", "LongestPause", "LessThan: no", "half a minute comes after four losses in one membership"),
        new("HostedReplica.HandleAsync", "is not { } incarnation", "incarnation: no", OneThread),
        new("HostedReplica.HandleAsync", "Refused(_problem ??", "_problem: no", "for a moment of its start"),
        new("HostedReplica.HandleAsync", "batch.Log", "Inequality: yes", "a log keeps its id; HostedReplicaTests"),
        new("HostedReplica.HandleAsync", "batch.Generation", "Generation: no", "no change of the replicas yet (S15)"),
        new("HostedReplica.RunAsync", "Refuse(", "caught it", "a closed log is damaged; HostedReplicaTests"),
        new("TwinWatch.RunAsync", "FindTwin", "silo: yes", ServedTwice),
        new("HostedReplica.DisposeAsync", "", "caught Exception", "no log fails to close; HostedReplicaTests"),
        new("HostedReplica.LoseLog", "_settings.Floats", "Floats: no", Misuse),
        new("HostedLog.OpenAsync", "_held is", ">= add: no", "an older copy under a running silo; HostedLogTests"),
        new("HostedLog.OpenAsync", "_held is", "Equality: no", "a log is lost, and begins anew, while it is closed"),
        new("FloatingReplicas.GiveUpIfItIsTime", "other.Log ==", "HasValue: no", "who serves has a log"),
        new("ReplicaDirectory.RefreshAllAsync", "", "", Asked),
        new("ReplicaDirectory.FindTwin", "", "", ServedTwice),
        new("ReplicaDirectory.WatchMembershipAsync", "", "caught Exception", "the membership itself fails"),
        new("ReplicaDirectory.DescribeAsync", "description?.Shape", "description: no", OneShape),
        new("ReplicaDirectory.OfThisStore", "description", "description: no", OneShape),
        new("ReplicaDirectory.OfThisStore", "description.Shape !=", "Inequality: yes", OneShape),
        new("ReplicaMap.Of", "Log: not null", "Item2: no", "who serves has a log and peers"),
        new("ReplicaMap.Of", "Log: not null", "HasValue: no", "who serves has a log and peers"),
        new("ReplicaMap.Of", "formations.Count > 1", "> 1: yes", TwoStores),
        new("ReplicaMap.Of", "conflict ?", "conflict: yes", TwoStores),
        new("ReplicaMap.Of", "same.Key.Replica", "entered", ServedTwice),
        new("ReplicaMap.Of", "replica.Log == formation", "HasValue: no", TwoStores),
        new("ReplicaMap.Of", "replica.Log == formation", "Equality: no", TwoStores),
        new("ReplicaDirectory.Report", "_twice = conflict", "conflict: yes", TwoStores),
        new("ReplicaDirectory.Report", "if (!conflict)", "conflict: yes", TwoStores),
        new("ReplicaDirectory.Report", "if (Problem is null)", "", TwoStores),
        new("ReplicaDirectory.Report", "twice.IsEmpty", "IsEmpty: yes", ServedTwice),
        new("ReplicaPlacement.Of", "candidates.Count == 0", "Count: no", "a silo that looks is there itself"),
        new("PaxosReplica.LoadAndAnswerAsync", "MaxLoadedBytes", "33554432: no", "simulated states are small"),

        new("ConsensusMembershipTable.DeleteMembershipTableEntriesAsync", "", "", NoClearing),
        new("DocumentFormation.get_Cluster", "", "", NoClearing),
        new("Membership.get_Cluster", "", "", NoClearing),
        new("Membership.Decode", "", "value: yes", NoClearing),
        new("ConsensusMembershipTable.InitializeMembershipTable", "", "", Older),
        new("ConsensusMembershipTable.DeleteMembershipTableEntries", "", "", Older),
        new("ConsensusMembershipTable.CleanupDefunctSiloEntries", "", "", Older),
        new("ConsensusMembershipTable.ReadRow", "", "", Older),
        new("ConsensusMembershipTable.ReadAll", "", "", Older),
        new("ConsensusMembershipTable.InsertRow", "", "", Older),
        new("ConsensusMembershipTable.UpdateRow", "", "", Older),
        new("ConsensusMembershipTable.UpdateIAmAlive", "", "", Older),
        new("ConsensusMembershipTable.CleanupDefunctSiloEntriesAsync", "tries <", "< 5: no", TooBusy),
        new("DocumentAcceptor.DecideAsync", "tries <", ">= 20: yes", TooBusy),
        new("DocumentRegister.DriveAsync", "left <= TimeSpan.Zero", "<= 100: no", TooBusy),
        new("DocumentRegister.GiveUp", "var unknown =", "contention: yes", TooBusy),
        new("DocumentAcceptor.ReadAsync", "content.Owner != owner", "Inequality: yes", WrongPlaces),
        new("DocumentAcceptor.ReadAsync", "content.Owner != owner", "== index: no", WrongPlaces),
        new("DocumentAcceptor.Describe", "", "", WrongPlaces),
        new("DocumentAcceptor.ReadAsync", "", "caught InvalidDataException", NoTear),
        new("Heartbeats.ReadAsync", "SiloOf(name)", "silo: no", NoTear),
        new("Heartbeats.SiloOf", "", "caught it", NoTear),
        new("DocumentAcceptor.Require", "IsOther(", "IsOther: yes", WrongPlaces),
        new("DocumentAcceptor.DecideAsync", "is not { Content:", "content: no", Whole),
        new("DocumentRegister.LookAsync", "is { Content:", "content: no", Whole),
        new("DocumentAcceptor.IsOwn", "", "LessThan: no", "rounds accept after their promises only"),
        new("DocumentRegister.DriveAsync", "", "violation: yes", Contradiction),
        new("DocumentRegister.StartOf", "Unreachable", "Equality: yes", "no clock is off by more than minutes"),
        new(
            "DocumentFormation.CreateMissingAsync",
            "is { } knows",
            "knows: yes",
            "no place is emptied in the moment of its formation; MembershipFaultTests"),
        new("DocumentFormation.CreateMissingAsync", "look.Content is null", "entered", "only after that"),
        new("DocumentFormation.Require", "", "knowsTheOthers: no", "the same; MembershipFaultTests"),
        new("FormerReminderBuckets.RefuseAsync", "state.RecordExists", "yes", NoNames),
        new("FormerReminderBuckets.RefuseAsync", "_look is null", "IsCompletedSuccessfully: no", FewCalls),
        new("KnownReminderNodes.NoteSplit", "MostSplit", "no", FewChanges),
        new("KnownReminderNodes.Keep", "MostLeaves", "no", FewChanges),
        new("ReminderNode.HasSeen", "Last", "Last: no", FewChanges),
        new("ReminderNode.HasSeen", "Last.Contains(last)", "Contains: no", FewChanges),
        new("ReminderNode.HasSeen", "Last.Count", "< 16: no", FewChanges),
        new("ReminderNodeId.get_LastHash", "IsRoot", "yes", "every range begins with the root, unasked"),
        new("ReminderTree.ClearAsync", "", "", NoClearing),
        new("ReminderTree.WasDone", "", "HasValue: no", FewChanges),
        new("ReminderTree.ChangeAsync", "MostConflicts", "== 30: yes", FewChanges),
        new("ReminderTree.ReadStateAsync", "Format", "== 1: no", NoNames),
        new("ReminderTree.IsTooLarge", "Deepest", ">= 64: yes", "no two reminders share a hash; ReminderTreeTests"),
        new("ConsensusReminderTable.TestOnlyClearTable", "", "", NoClearing),
        new("ConsensusReminderTable.ReadRows", "when (", "0: no", "grain storage fails in no other way there"),
    ];

    public static string? ReasonFor(Branch branch) => branch.IsRuledOut
        ? "the code itself says so"
        : All.FirstOrDefault(one => one.Covers(branch))?.Reason;

    public bool Covers(Branch branch) =>
        branch.Method == Method
        && branch.Source.Contains(Source, StringComparison.Ordinal)
        && branch.When.Contains(When, StringComparison.Ordinal);
}
