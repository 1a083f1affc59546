namespace Orleans.Consensus.Clustering;

/// <summary>Too few membership documents can be used. The message names them and says why.</summary>
internal sealed class DocumentsUnavailableException(string message, Exception? inner = null)
    : IOException(message, inner)
{
    public static DocumentsUnavailableException Of(IEnumerable<string> problems) =>
        new($"Too few membership documents can be used: {string.Join("; ", problems)}.");
}
