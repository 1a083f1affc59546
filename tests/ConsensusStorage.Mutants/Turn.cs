using System.Globalization;

namespace Orleans.Consensus.Mutants;

/// <summary>
/// Counts the runs for those that try a few mutants each: the number of commits, so that one commit always tries the
/// same ones; the number of the day where history was cut off and commits can't be counted.
/// </summary>
/// <param name="What">What was counted, in words.</param>
internal sealed record Turn(long Number, string What)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public static async Task<Turn> OfAsync(string root, CancellationToken cancellationToken)
    {
        var shallow = await GitAsync(root, ["rev-parse", "--is-shallow-repository"], cancellationToken);
        var counted = await GitAsync(root, ["rev-list", "--count", "HEAD"], cancellationToken);
        return shallow == "false" && long.TryParse(counted, CultureInfo.InvariantCulture, out var commits)
            ? new(commits, "commit")
            : new((long)(DateTime.UtcNow - DateTime.UnixEpoch).TotalDays, "day");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{What} {Number}");

    private static async Task<string> GitAsync(
        string root, string[] arguments, CancellationToken cancellationToken) =>
        (await new ChildProcess("git", arguments, root, Limit).RunAsync(cancellationToken)).LastLine;
}
