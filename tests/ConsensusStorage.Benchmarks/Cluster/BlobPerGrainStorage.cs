using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Benchmarks.Cluster;

/// <summary>
/// Each grain state is a block blob, and its ETag the blob's: one request for a read, write or clear, and the service
/// compares ETags. So does Orleans' own provider for Azure blobs, which this one stands in for.
/// </summary>
internal sealed class BlobPerGrainStorage(BlobServiceClient account, IGrainStorageSerializer serializer) : IGrainStorage
{
    private const string Container = "grainstate";

    private readonly BlobContainerClient _container = account.GetBlobContainerClient(Container);
    private readonly SemaphoreSlim _creating = new(1);
    private bool _created;

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await EnsureContainerAsync();
        try
        {
            var blob = (await BlobOf(stateName, grainId).DownloadContentAsync()).Value;
            grainState.State = serializer.Deserialize<T>(blob.Content);
            grainState.ETag = blob.Details.ETag.ToString();
            grainState.RecordExists = true;
        }
        catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            Forget(grainState);
        }
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await EnsureContainerAsync();
        var options = new BlobUploadOptions
        {
            Conditions = ConditionsOf(grainState.ETag),
            HttpHeaders = new() { ContentType = "application/json" },
        };
        var blob = BlobOf(stateName, grainId);
        var written = await CheckedAsync(
            grainState.ETag, () => blob.UploadAsync(serializer.Serialize(grainState.State), options));
        grainState.ETag = written.Value.ETag.ToString();
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await EnsureContainerAsync();
        var blob = BlobOf(stateName, grainId);
        await CheckedAsync(
            grainState.ETag, () => blob.DeleteIfExistsAsync(conditions: ConditionsOf(grainState.ETag)));
        Forget(grainState);
    }

    private static BlobRequestConditions ConditionsOf(string? etag) =>
        etag is null ? new() { IfNoneMatch = ETag.All } : new() { IfMatch = new ETag(etag) };

    private static void Forget<T>(IGrainState<T> grainState)
    {
        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static async Task<T> CheckedAsync<T>(string? etag, Func<Task<T>> request)
    {
        try
        {
            return await request();
        }
        catch (RequestFailedException exception) when (exception.Status is 409 or 412)
        {
            throw new InconsistentStateException("The blob is another one.", "unknown", etag ?? "none", exception);
        }
    }

    private BlobClient BlobOf(string stateName, GrainId grainId) =>
        _container.GetBlobClient($"{stateName}-{grainId}.json");

    private async Task EnsureContainerAsync()
    {
        if (Volatile.Read(ref _created))
        {
            return;
        }

        await _creating.WaitAsync();
        try
        {
            if (!_created)
            {
                await _container.CreateIfNotExistsAsync();
                Volatile.Write(ref _created, true);
            }
        }
        finally
        {
            _creating.Release();
        }
    }
}
