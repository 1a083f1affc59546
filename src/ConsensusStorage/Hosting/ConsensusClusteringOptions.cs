using Azure.Storage.Blobs;

namespace Orleans.Configuration;

/// <summary>
/// Where a cluster keeps its membership: one small document in each of 1, 3 or 5 places, the same ones in the same
/// order on every silo and client, and fixed once the documents exist. The loss of a minority of places loses nothing
/// and stops nothing; the first start of a cluster needs all of them. Places are directories or storage accounts, not
/// both. Read once, when the silo or client starts.
/// </summary>
public sealed class ConsensusClusteringOptions
{
    /// <summary>
    /// Directories that all silos and clients reach, on file systems whose locks hold between them. Default empty.
    /// </summary>
    public IList<string> Directories { get; set; } = [];

    /// <summary>
    /// Storage accounts, as connection strings or https addresses with a shared access signature. Clients of the
    /// cluster only need rights to read. Default empty.
    /// </summary>
    [Redact]
    public IList<string> ConnectionStrings { get; set; } = [];

    /// <summary>
    /// Keys of <see cref="BlobServiceClient"/>s among the services, in place of <see cref="ConnectionStrings"/>.
    /// Default empty.
    /// </summary>
    public IList<string> ServiceKeys { get; set; } = [];

    /// <summary>
    /// The container of the documents, in each account: 3–63 lower case letters, digits and single dashes between
    /// them; that of a consensus store will do. Created if it isn't there. Default <c>consensus</c>.
    /// </summary>
    public string ContainerName { get; set; } = "consensus";

    /// <summary>Time for one request to blob storage, 100 ms – 1 minute. Default 5 seconds.</summary>
    public TimeSpan BlobTryTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time for one reading or change of the membership at most, 1 second – 10 minutes. Default 20 seconds.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(20);

    internal IReadOnlyList<BlobServiceClient> Clients { get; private set; } = [];

    internal int Places =>
        (Directories?.Count ?? 0) + (ConnectionStrings?.Count ?? 0) + (ServiceKeys?.Count ?? 0) + Clients.Count;

    /// <summary>
    /// Keeps the documents in the accounts that these clients are for, with their credentials, for example a managed
    /// identity.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="clients"/> is null.</exception>
    public void UseBlobs(params BlobServiceClient[] clients)
    {
        ArgumentNullException.ThrowIfNull(clients);
        Clients = [.. clients];
    }
}
