using System.Reflection;
using System.Text.RegularExpressions;

namespace Orleans.Consensus.Tests.Architecture;

/// <summary>Which part of the library may know which (design: "Dependency rule").</summary>
public sealed class LayeringTests
{
    private const string Library = "src/ConsensusStorage";

    private static readonly string[] Parts =
        ["Clustering", "Codec", "Engines", "Hosting", "Journaling", "Paxos", "Raft", "Reminders", "Transport"];

    /// <summary>What users touch besides options and hosting verbs.</summary>
    private static readonly string[] PublicTypes =
    [
        "Exception$",
        @"^Orleans\.Consensus\.(IConsensusStore|ConsensusReplicaStat(us|e)|ConsensusTimeProviderNames)$",
        @"^OrleansCodeGen\.",
    ];

    [Theory]
    [InlineData("Codec", "Paxos")]
    [InlineData("Paxos", "")]
    [InlineData("Raft", "")]
    [InlineData("Journaling", "Codec")]
    [InlineData("Transport", "Codec Paxos Raft")]
    [InlineData("Engines", "Codec Journaling Paxos Raft Transport")]
    [InlineData("Clustering", "Codec Engines Journaling Paxos Transport")]
    [InlineData("Reminders", "")]
    public void A_part_knows_only_the_parts_below_it(string part, string below)
    {
        var forbidden = Parts.Except(below.Split(' ')).Where(other => other != part);
        Assert.Empty(
            from file in SourceTree.Files($"{Library}/{part}")
            from other in forbidden
            where Knows(file, other)
            select $"{file} knows {other}");
    }

    [Fact]
    public void The_register_types_know_the_codec_alone()
    {
        string[] roots = ["Change.cs", "Register.cs", "Membership.cs", "IConsensusEngine.cs"];
        Assert.Empty(
            from file in SourceTree.Files(Library)
            where roots.Contains(file.Path[(Library.Length + 1)..])
            from other in Parts.Where(part => part != "Codec")
            where Knows(file, other)
            select $"{file} knows {other}");
    }

    [Fact]
    public void The_bytes_know_nothing_of_the_protocol()
    {
        const string names = @"\b(Register\w*|Change|Payload|ReplicaId|ProposerId|LogId|Ballot|InDoubt)\b";
        var bytes = SourceTree.Files($"{Library}/Codec").Where(file => file.Path.Contains("/Byte")).ToList();
        Assert.Equal(2, bytes.Count);
        Assert.DoesNotContain(bytes, file => Regex.IsMatch(file.Code, names));
    }

    [Fact]
    public void The_grain_storage_knows_only_the_seam() => Assert.Empty(
        from file in SourceTree.Files(Library)
        where file.Path == $"{Library}/ConsensusGrainStorage.cs"
        from other in new[] { "Engines", "Journaling", "Paxos", "Raft", "Transport" }
        where Knows(file, other)
        select $"{file} knows {other}");

    [Fact]
    public void Nothing_but_hosting_knows_hosting() => Assert.Empty(
        from file in SourceTree.Files(Library)
        where !file.Path.StartsWith($"{Library}/Hosting/", StringComparison.Ordinal)
        where Regex.IsMatch(file.Code, @"\bConsensus\.Hosting\b|\busing\s+(static\s+)?Orleans\.Hosting\b")
        select file.Path);

    [Fact]
    public void A_file_declares_the_namespace_of_its_folder()
    {
        Assert.Empty(
            from file in SourceTree.Files(Library)
            let folder = Path.GetDirectoryName(file.Path[(Library.Length + 1)..])!.Replace('/', '.')
            let declared = Regex.Match(file.Code, @"^namespace\s+([\w.]+);", RegexOptions.Multiline).Groups[1].Value
            let expected = folder.Length == 0 ? "Orleans.Consensus" : $"Orleans.Consensus.{folder}"
            where declared != expected && declared is not ("Orleans.Configuration" or "Orleans.Hosting")
            select $"{file} declares '{declared}'");
    }

    [Fact]
    public void Only_options_hosting_verbs_exceptions_and_the_status_are_public()
    {
        var exported = Assembly.Load("Orleans.Consensus").GetExportedTypes();
        Assert.Empty(
            from type in exported
            where type.Namespace is not ("Orleans.Configuration" or "Orleans.Hosting")
            where !PublicTypes.Any(allowed => Regex.IsMatch(type.FullName!, allowed))
            select type.FullName);
    }

    /// <summary>By a using, or by a name in full or from the part on: Paxos.Ballot.</summary>
    private static bool Knows(SourceFile file, string part) =>
        Regex.IsMatch(file.Code, $@"\bConsensus\.{part}\b|(?<![\w.]){part}\.[A-Z]");
}
