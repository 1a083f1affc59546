using System.Net;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>What goes over the wire to Azure, and what its answers are taken for.</summary>
public sealed class AzureAppendBlobsTests
{
    private static readonly Uri Container = new("https://account.blob.core.windows.net/container?sig=secret");

    private readonly StubbedService _service = new();
    private readonly AzureAppendBlobs _blobs;

    public AzureAppendBlobsTests()
    {
        var options = AzureAppendBlobs.OptionsFor(TimeSpan.FromSeconds(5));
        options.Transport = new HttpClientTransport(_service);
        _blobs = new(new BlobContainerClient(Container, options), TimeSpan.FromSeconds(5), TimeProvider.System);
    }

    [Fact]
    public async Task An_append_always_carries_its_position()
    {
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        Assert.Equal(AppendOutcome.Appended, await AppendAsync(4096));

        var request = Assert.Single(_service.Requests);
        Assert.Contains("comp=appendblock", request, StringComparison.Ordinal);
        Assert.Contains("x-ms-blob-condition-appendpos: 4096", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_is_created_only_if_it_is_not_there()
    {
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        _service.Answers.Enqueue((HttpStatusCode.Conflict, "BlobAlreadyExists"));
        Assert.True(await _blobs.CreateAsync("log", withContainer: false, Cancel));
        Assert.False(await _blobs.CreateAsync("log", withContainer: false, Cancel));
        Assert.All(
            _service.Requests,
            request => Assert.Contains("If-None-Match: *", request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_container_is_created_only_on_demand()
    {
        _service.Answers.Enqueue((HttpStatusCode.NotFound, "ContainerNotFound"));
        var gone = await Assert.ThrowsAsync<IOException>(
            async () => await _blobs.CreateAsync("log", withContainer: false, Cancel));
        Assert.Contains("The container was deleted", gone.Message, StringComparison.Ordinal);

        _service.Answers.Enqueue((HttpStatusCode.NotFound, "ContainerNotFound"));
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        Assert.True(await _blobs.CreateAsync("log", withContainer: true, Cancel));
        Assert.Contains("restype=container", _service.Requests[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_position_that_is_taken_is_an_outcome_and_no_failure()
    {
        _service.Answers.Enqueue((HttpStatusCode.PreconditionFailed, "AppendPositionConditionNotMet"));
        Assert.Equal(AppendOutcome.WrongPosition, await AppendAsync(0));
    }

    [Fact]
    public async Task Who_holds_a_blob_appends_with_its_lease()
    {
        var hold = Guid.NewGuid();
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        _service.Answers.Enqueue((HttpStatusCode.Created, ""));
        _service.Answers.Enqueue((HttpStatusCode.OK, ""));
        Assert.True(await _blobs.HoldAsync("log", hold, Cancel));
        await _blobs.AppendAsync("log", 0, new byte[512], hold, Cancel);
        await _blobs.ReleaseAsync("log", hold, Cancel);

        Assert.Contains("x-ms-lease-action: acquire", _service.Requests[0], StringComparison.Ordinal);
        Assert.Contains("x-ms-lease-duration: 15", _service.Requests[0], StringComparison.Ordinal);
        Assert.Contains($"x-ms-lease-id: {hold}", _service.Requests[1], StringComparison.Ordinal);
        Assert.Contains("x-ms-blob-condition-appendpos: 0", _service.Requests[1], StringComparison.Ordinal);
        Assert.Contains("x-ms-lease-action: release", _service.Requests[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_that_somebody_else_holds_can_not_be_held()
    {
        _service.Answers.Enqueue((HttpStatusCode.Conflict, "LeaseAlreadyPresent"));
        Assert.False(await _blobs.HoldAsync("log", Guid.NewGuid(), Cancel));
    }

    [Fact]
    public async Task Whoevers_hold_is_ended_at_once()
    {
        _service.LeaseDuration = "fixed";
        _service.Answers.Enqueue((HttpStatusCode.OK, ""));
        _service.Answers.Enqueue((HttpStatusCode.Accepted, ""));
        await _blobs.BreakAsync("log", Cancel);

        var request = _service.Requests[1];
        Assert.Contains("x-ms-lease-action: break", request, StringComparison.Ordinal);
        Assert.Contains("x-ms-lease-break-period: 0", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_without_end_is_left_alone()
    {
        _service.LeaseDuration = "infinite";
        _service.Answers.Enqueue((HttpStatusCode.OK, ""));
        await _blobs.BreakAsync("log", Cancel);
        Assert.Single(_service.Requests);
    }

    [Theory]
    [InlineData("LeaseIdMissing")]
    [InlineData("LeaseLost")]
    [InlineData("LeaseIdMismatchWithBlobOperation")]
    [InlineData("LeaseNotPresentWithBlobOperation")]
    public async Task An_append_that_a_hold_stops_is_an_outcome_and_no_failure(string code)
    {
        _service.Answers.Enqueue((HttpStatusCode.PreconditionFailed, code));
        Assert.Equal(AppendOutcome.Held, await AppendAsync(0));
    }

    [Theory]
    [InlineData("LeaseIdMismatchWithLeaseOperation")]
    [InlineData("LeaseNotPresentWithLeaseOperation")]
    public async Task A_hold_that_is_over_needs_no_release(string code)
    {
        _service.Answers.Enqueue((HttpStatusCode.Conflict, code));
        await _blobs.ReleaseAsync("log", Guid.NewGuid(), Cancel);
        Assert.Single(_service.Requests);
    }

    [Theory]
    [InlineData(408, "")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(500, "InternalError")]
    [InlineData(500, "OperationTimedOut")]
    [InlineData(503, "ServerBusy")]
    [InlineData(0, "")]
    public async Task What_may_pass_is_told_from_what_stays(int status, string code)
    {
        _service.Answers.Enqueue(((HttpStatusCode)status, code));
        await Assert.ThrowsAsync<TransientBlobException>(() => AppendAsync(0));
        Assert.Single(_service.Requests);
    }

    [Theory]
    [InlineData(404, "BlobNotFound", "was deleted")]
    [InlineData(404, "ContainerNotFound", "The container was deleted")]
    [InlineData(409, "ContainerBeingDeleted", "The container was deleted")]
    [InlineData(409, "BlockCountExceedsLimit", "BlockCountExceedsLimit")]
    [InlineData(413, "RequestBodyTooLarge", "RequestBodyTooLarge")]
    [InlineData(412, "ConditionNotMet", "ConditionNotMet")]
    public async Task What_stays_is_reported_in_clear_words(int status, string code, string words)
    {
        _service.Answers.Enqueue(((HttpStatusCode)status, code));
        var failed = await Assert.ThrowsAsync<IOException>(() => AppendAsync(0));
        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "InvalidAuthenticationInfo")]
    [InlineData(403, "AuthorizationPermissionMismatch")]
    public async Task Missing_rights_are_no_failure_that_passes(int status, string code)
    {
        _service.Answers.Enqueue(((HttpStatusCode)status, code));
        var denied = await Assert.ThrowsAsync<UnauthorizedAccessException>(() => AppendAsync(0));
        Assert.Contains(code, denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_that_is_not_there_has_no_length_and_one_that_ends_has_nothing_to_read()
    {
        _service.Answers.Enqueue((HttpStatusCode.NotFound, "BlobNotFound"));
        _service.Answers.Enqueue((HttpStatusCode.RequestedRangeNotSatisfiable, "InvalidRange"));
        Assert.Null(await _blobs.LengthAsync("log", Cancel));
        Assert.Equal(0, await _blobs.ReadAsync("log", 512, new byte[10], Cancel));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<AppendOutcome> AppendAsync(long position) =>
        _blobs.AppendAsync("log", position, new byte[512], hold: null, Cancel).AsTask();

    /// <summary>Answers each request with the next answer; status 0 breaks the connection.</summary>
    private sealed class StubbedService : HttpMessageHandler
    {
        public Queue<(HttpStatusCode Status, string Code)> Answers { get; } = [];

        public List<string> Requests { get; } = [];

        public string? LeaseDuration { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add($"{request.RequestUri}\n{request.Headers}");
            var (status, code) = Answers.Dequeue();
            if (status == 0)
            {
                throw new HttpRequestException("The connection was reset.");
            }

            var answer = new HttpResponseMessage(status) { Content = new ByteArrayContent([]) };
            answer.Headers.Add("x-ms-error-code", code);
            answer.Headers.Add("x-ms-request-id", "1");
            answer.Headers.Add("ETag", "\"1\"");
            answer.Content.Headers.LastModified = DateTimeOffset.UnixEpoch;
            answer.Headers.Add("x-ms-lease-duration", LeaseDuration);
            answer.Headers.Add("x-ms-blob-append-offset", "0");
            answer.Headers.Add("x-ms-blob-committed-block-count", "1");
            answer.Headers.Add("x-ms-request-server-encrypted", "true");
            return Task.FromResult(answer);
        }
    }
}
