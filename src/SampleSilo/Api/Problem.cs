using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>An error answer (RFC 9457): <c>application/problem+json</c>, whatever the client accepts.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">A name for programs.</param>
/// <param name="Title">What kind of problem it is.</param>
/// <param name="Detail">This very problem, for people.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail) : IResult
{
    public const int RetryAfterSeconds = 1;

    /// <summary>State of the transfer that the problem is about, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? State { get; init; }

    public static Problem BadRequest(string detail) =>
        new(StatusCodes.Status400BadRequest, "urn:bank:bad-request", "The request is not valid.", detail);

    public static Problem NotFound(string detail) =>
        new(StatusCodes.Status404NotFound, "urn:bank:not-found", "There is no such thing.", detail);

    public static Problem InsufficientFunds(string detail) => new(
        StatusCodes.Status409Conflict, "urn:bank:insufficient-funds", "There is not enough money.", detail);

    public static Problem RequestIdReused(string detail) => new(
        StatusCodes.Status409Conflict,
        "urn:bank:request-id-reused",
        "The request id belongs to another request.",
        detail);

    public static Problem SiloConflict(string detail) => new(
        StatusCodes.Status409Conflict, "urn:bank:silo-conflict", "This can't be done to the silo.", detail);

    public static Problem Foreign(string detail) => new(
        StatusCodes.Status403Forbidden, "urn:bank:foreign", "Pages of other sites may not use the bank.", detail);

    public static Problem Unavailable(string detail) => new(
        StatusCodes.Status503ServiceUnavailable,
        "urn:bank:unavailable",
        "The bank did not answer in time, or can't tell what became of the request.",
        detail);

    public static Problem OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => NotFound("Nothing is served under this address."),
        StatusCodes.Status405MethodNotAllowed => new(
            status,
            "urn:bank:method",
            "The method is not allowed.",
            "The header 'Allow' names the methods of this address."),
        StatusCodes.Status413PayloadTooLarge => new(
            status, "urn:bank:too-large", "The body is too large.", $"At most {BankApi.MaxBodyBytes} bytes are read."),
        StatusCodes.Status415UnsupportedMediaType => new(
            status,
            "urn:bank:media-type",
            "The body is not JSON.",
            "Send 'Content-Type: application/json' (curl: --json)."),
        StatusCodes.Status500InternalServerError => new(
            status, "urn:bank:internal", "Something went wrong.", "The error stream of the program says more."),
        _ => new(status, "about:blank", "The request failed.", $"HTTP status {status}."),
    };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        if (Status == StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers.RetryAfter = $"{RetryAfterSeconds}";
        }

        await response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(this, BankApi.Json));
    }
}
