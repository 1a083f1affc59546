using System.Text.RegularExpressions;

namespace Orleans.Consensus.Tests.Architecture;

/// <summary>The checkout that these tests were built from.</summary>
internal static partial class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>All C# files below a folder, relative to the root, with forward slashes.</summary>
    public static IEnumerable<SourceFile> Files(string folder)
    {
        var path = Path.Combine(Root, folder);
        return !Directory.Exists(path)
            ? []
            : Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)
                    && !file.Contains("/bin/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(file => new SourceFile(file, File.ReadAllText(Path.Combine(Root, file))));
    }

    /// <summary>The text with comments and the contents of strings blanked out, line by line as before.</summary>
    public static string CodeOf(string text) =>
        CommentOrString().Replace(text, match => Blank().Replace(match.Value, " "));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Orleans.Consensus.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new DirectoryNotFoundException("Orleans.Consensus.sln is not above the tests.");
    }

    [GeneratedRegex("""
        //[^\n]*|/\*.*?\*/|\"{3}.*?\"{3}|@\"(?:[^\"]|\"\")*\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'
        """, RegexOptions.Singleline)]
    private static partial Regex CommentOrString();

    [GeneratedRegex("[^\n]")]
    private static partial Regex Blank();
}

/// <summary>One file: its path below the root and what is in it.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    private string? _code;

    public string Code => _code ??= SourceTree.CodeOf(Text);

    public string[] Lines => Text.Split('\n');

    public override string ToString() => Path;
}
