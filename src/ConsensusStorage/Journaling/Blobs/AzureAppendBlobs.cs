using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// A container of Azure Blob Storage. Each request is one try with a time-out of its own; a client that tries again by
/// itself is safe, too, because every append is bound to its position. Thread rule: any.
/// </summary>
/// <param name="perTry">Time for one request; those that move many bytes get more.</param>
internal sealed class AzureAppendBlobs(BlobContainerClient container, TimeSpan perTry, TimeProvider time) : IAppendBlobs
{
    private const int BytesPerTry = 4 << 20;
    private const int LargestBlock = 100 << 20;

    // The shortest that there is.
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(15);

    // Without the query: a shared access signature is a secret.
    public string Location { get; } = container.Uri.GetLeftPart(UriPartial.Path);

    /// <summary>
    /// Options for a client that is made for logs: no retries of its own, because the log knows better when to stop.
    /// </summary>
    public static BlobClientOptions OptionsFor(TimeSpan perTry)
    {
        var options = new BlobClientOptions();
        options.Retry.MaxRetries = 0;

        // The log cuts each try short by itself; this one must not cut the largest batch short.
        options.Retry.NetworkTimeout = TimeFor(perTry, LargestBlock);
        return options;
    }

    public ValueTask<bool> CreateAsync(string name, bool withContainer, CancellationToken cancellationToken) =>
        TryAsync(name, 0, async token =>
        {
            var conditions = new AppendBlobRequestConditions { IfNoneMatch = ETag.All };
            var options = new AppendBlobCreateOptions { Conditions = conditions };
            var blob = container.GetAppendBlobClient(name);
            try
            {
                await blob.CreateAsync(options, token);
            }
            catch (RequestFailedException exception)
                when (withContainer && exception.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                await container.CreateIfNotExistsAsync(cancellationToken: token);
                await blob.CreateAsync(options, token);
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.BlobAlreadyExists)
            {
                return false;
            }

            return true;
        }, cancellationToken);

    public ValueTask<AppendOutcome> AppendAsync(
        string name, long position, ReadOnlyMemory<byte> bytes, Guid? hold, CancellationToken cancellationToken) =>
        TryAsync(name, bytes.Length, async token =>
        {
            var conditions = new AppendBlobRequestConditions
            {
                IfAppendPositionEqual = position,
                LeaseId = hold?.ToString(),
            };
            try
            {
                using var content = BinaryData.FromBytes(bytes).ToStream();
                await container.GetAppendBlobClient(name).AppendBlockAsync(
                    content, new AppendBlobAppendBlockOptions { Conditions = conditions }, token);
                return AppendOutcome.Appended;
            }
            catch (RequestFailedException exception)
                when (exception.ErrorCode == BlobErrorCode.AppendPositionConditionNotMet)
            {
                return AppendOutcome.WrongPosition;
            }
            catch (RequestFailedException exception) when (IsOfHolds(exception.ErrorCode))
            {
                return AppendOutcome.Held;
            }
        }, cancellationToken);

    public ValueTask<bool> HoldAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        TryAsync(name, 0, async token =>
        {
            try
            {
                var lease = container.GetAppendBlobClient(name).GetBlobLeaseClient(hold.ToString());
                await lease.AcquireAsync(HoldTime, cancellationToken: token);
                return true;
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.LeaseAlreadyPresent)
            {
                return false;
            }
        }, cancellationToken);

    public async ValueTask ReleaseAsync(string name, Guid hold, CancellationToken cancellationToken) =>
        await TryAsync(name, 0, async token =>
        {
            try
            {
                var lease = container.GetAppendBlobClient(name).GetBlobLeaseClient(hold.ToString());
                await lease.ReleaseAsync(cancellationToken: token);
                return true;
            }
            catch (RequestFailedException exception) when (IsOfHolds(exception.ErrorCode))
            {
                return false;
            }
        }, cancellationToken);

    public async ValueTask BreakAsync(string name, CancellationToken cancellationToken) =>
        await TryAsync(name, 0, async token =>
        {
            var blob = container.GetAppendBlobClient(name);
            var properties = await blob.GetPropertiesAsync(cancellationToken: token);
            if (properties.Value.LeaseDuration != LeaseDurationType.Fixed)
            {
                return false;
            }

            try
            {
                await blob.GetBlobLeaseClient().BreakAsync(TimeSpan.Zero, cancellationToken: token);
                return true;
            }
            catch (RequestFailedException exception) when (IsOfHolds(exception.ErrorCode))
            {
                return false;
            }
        }, cancellationToken);

    public ValueTask<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        TryAsync<long?>(name, 0, async token =>
        {
            try
            {
                var properties = await container.GetAppendBlobClient(name).GetPropertiesAsync(
                    cancellationToken: token);
                return properties.Value.BlobType == BlobType.Append
                    ? properties.Value.ContentLength
                    : throw new IOException($"The blob {name} in {Location} is no append blob.");
            }
            catch (RequestFailedException exception) when (exception.Status == 404 && !IsBeingDeleted(exception))
            {
                return null;
            }
        }, cancellationToken);

    public ValueTask<int> ReadAsync(
        string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        TryAsync(name, buffer.Length, async token =>
        {
            try
            {
                var range = new BlobDownloadOptions { Range = new HttpRange(offset, buffer.Length) };
                var answer = await container.GetAppendBlobClient(name).DownloadStreamingAsync(range, token);
                await using var content = answer.Value.Content;
                return await content.ReadAtLeastAsync(
                    buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken: token);
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.InvalidRange)
            {
                return 0;
            }
        }, cancellationToken);

    private static TimeSpan TimeFor(TimeSpan perTry, int bytes) => perTry * (1 + ((double)bytes / BytesPerTry));

    private async ValueTask<T> TryAsync<T>(
        string name, int bytes, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(TimeFor(perTry, bytes), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await request(either.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Translate(name, exception);
        }
    }

    private Exception Translate(string name, Exception exception) => exception switch
    {
        RequestFailedException failed => Translate(name, failed),
        OperationCanceledException => new TransientBlobException(
            $"The blob {name} in {Location} gave no answer in its time.", exception),

        // A client that tries again by itself reports all of its tries at once.
        AggregateException { InnerExceptions: [.., var last] } when last is not AggregateException =>
            Translate(name, last),
        TransientBlobException or UnauthorizedAccessException => exception,
        IOException { InnerException: null } and not HttpIOException => exception,

        // A connection that broke, a token that could not be had, and what else nobody has thought of: tried again for
        // a while, each time at the same place.
        _ => new TransientBlobException($"The blob {name} in {Location}: {exception.Message}", exception),
    };

    private Exception Translate(string name, RequestFailedException failed)
    {
        var what = $"{failed.Status} {failed.ErrorCode ?? FirstLine(failed.Message)}";
        return failed switch
        {
            { Status: 0 or 408 or 429 or >= 500 } => new TransientBlobException(
                $"The blob {name} in {Location} can't be reached: {what}.", failed),
            { Status: 401 or 403 } => new UnauthorizedAccessException(
                $"There are no rights to the blob {name} in {Location}: {what}.", failed),
            _ when failed.ErrorCode == BlobErrorCode.ContainerNotFound || IsBeingDeleted(failed) =>
                new IOException($"The container was deleted: {Location} ({what}).", failed),
            _ when failed.ErrorCode == BlobErrorCode.BlobNotFound =>
                new IOException($"The blob {name} in {Location} was deleted ({what}).", failed),
            _ => new IOException($"The blob {name} in {Location} refused a request: {what}.", failed),
        };
    }

    private static bool IsOfHolds(string? code) =>
        code == BlobErrorCode.LeaseIdMissing
        || code == BlobErrorCode.LeaseLost
        || code == BlobErrorCode.LeaseIdMismatchWithBlobOperation
        || code == BlobErrorCode.LeaseIdMismatchWithLeaseOperation
        || code == BlobErrorCode.LeaseNotPresentWithBlobOperation
        || code == BlobErrorCode.LeaseNotPresentWithLeaseOperation;

    private static bool IsBeingDeleted(RequestFailedException failed) =>
        failed.ErrorCode == BlobErrorCode.ContainerBeingDeleted;

    private static string FirstLine(string message) => message.Split('\n', 2)[0].Trim();
}
