namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>A request's body, or the problem to answer instead.</summary>
internal readonly record struct JsonBody(ReadOnlyMemory<byte> Bytes, Problem? Refused)
{
    public static async Task<JsonBody> ReadAsync(HttpRequest request)
    {
        if (!request.HasJsonContentType())
        {
            return new(default, Problem.OfStatus(StatusCodes.Status415UnsupportedMediaType));
        }

        try
        {
            using var buffer = new MemoryStream();
            await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
            return new(buffer.ToArray(), null);
        }
        catch (BadHttpRequestException exception)
        {
            var tooLarge = exception.StatusCode == StatusCodes.Status413PayloadTooLarge;
            return new(
                default,
                tooLarge ? Problem.OfStatus(exception.StatusCode) : Problem.BadRequest(exception.Message));
        }
    }
}
