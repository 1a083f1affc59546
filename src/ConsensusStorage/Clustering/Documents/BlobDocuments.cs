using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Orleans.Consensus.Clustering.Documents;

/// <summary>
/// Documents as block blobs of a container, replaced on the condition of their ETag. Notes are empty blobs with the
/// time in their metadata: one request lists them all.
/// </summary>
/// <param name="perTry">Time for one request.</param>
internal sealed class BlobDocuments(BlobContainerClient container, TimeSpan perTry, TimeProvider time) : IDocuments
{
    private const string TimeKey = "time";

    // Without the query: a shared access signature is a secret.
    public string Location { get; } = container.Uri.GetLeftPart(UriPartial.Path);

    public ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken) =>
        TryAsync<Document?>(async token =>
        {
            try
            {
                var found = (await container.GetBlobClient(name).DownloadContentAsync(token)).Value;
                return new Document(found.Content.ToMemory(), found.Details.ETag.ToString());
            }
            catch (RequestFailedException exception) when (IsAbsent(exception))
            {
                return null;
            }
        }, cancellationToken);

    public ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        TryAsync(async token =>
        {
            var conditions = tag is null
                ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                : new BlobRequestConditions { IfMatch = new(tag) };
            try
            {
                await UploadAsync(name, bytes, new() { Conditions = conditions }, mayCreate: tag is null, token);
                return true;
            }
            catch (RequestFailedException exception)
                when (exception.ErrorCode == BlobErrorCode.BlobAlreadyExists
                    || exception.ErrorCode == BlobErrorCode.ConditionNotMet
                    || (tag is not null && IsAbsent(exception)))
            {
                return false;
            }
        }, cancellationToken);

    /// <summary>A blob that can be read is durable.</summary>
    public ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken) => new(true);

    public async ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken)
    {
        var text = time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
        var options = new BlobUploadOptions { Metadata = new Dictionary<string, string> { [TimeKey] = text } };
        await TryAsync(async token =>
        {
            await UploadAsync(name, default, options, mayCreate: false, token);
            return true;
        }, cancellationToken);
    }

    public async ValueTask ForgetAsync(string name, CancellationToken cancellationToken) =>
        await TryAsync(async token =>
        {
            try
            {
                return (await container.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: token)).Value;
            }
            catch (RequestFailedException exception) when (IsAbsent(exception))
            {
                return false;
            }
        }, cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken) =>
        TryAsync<IReadOnlyDictionary<string, DateTime>>(async token =>
        {
            var notes = new Dictionary<string, DateTime>(StringComparer.Ordinal);
            try
            {
                await foreach (var blob in container.GetBlobsAsync(
                    BlobTraits.Metadata, BlobStates.None, prefix, token))
                {
                    if (blob.Metadata.TryGetValue(TimeKey, out var text)
                        && DateTime.TryParse(
                            text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var noted))
                    {
                        notes[blob.Name] = noted;
                    }
                }
            }
            catch (RequestFailedException exception) when (IsAbsent(exception))
            {
                notes.Clear();
            }

            return notes;
        }, cancellationToken);

    private static bool IsAbsent(RequestFailedException exception) =>
        exception.ErrorCode == BlobErrorCode.BlobNotFound || exception.ErrorCode == BlobErrorCode.ContainerNotFound;

    private async Task UploadAsync(
        string name,
        ReadOnlyMemory<byte> bytes,
        BlobUploadOptions options,
        bool mayCreate,
        CancellationToken cancellationToken)
    {
        var blob = container.GetBlobClient(name);
        try
        {
            await blob.UploadAsync(BinaryData.FromBytes(bytes), options, cancellationToken);
        }
        catch (RequestFailedException exception)
            when (mayCreate && exception.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await blob.UploadAsync(BinaryData.FromBytes(bytes), options, cancellationToken);
        }
    }

    private async ValueTask<T> TryAsync<T>(
        Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(perTry, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await request(either.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Translate(exception);
        }
    }

    private Exception Translate(Exception exception) => exception switch
    {
        RequestFailedException { Status: 401 or 403 } failed => new UnauthorizedAccessException(
            $"There are no rights to {Location}: {failed.Status} {failed.ErrorCode}.", failed),
        RequestFailedException failed => new IOException(
            $"{Location} can't be used: {failed.Status} {failed.ErrorCode ?? failed.Message.Split('\n')[0].Trim()}.",
            failed),
        OperationCanceledException => new IOException($"{Location} gave no answer in its time.", exception),
        IOException or UnauthorizedAccessException => exception,
        _ => new IOException($"{Location}: {exception.Message}", exception),
    };
}
