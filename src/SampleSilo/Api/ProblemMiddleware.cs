namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>Gives every failed request a body, and turns "no answer" into 503.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            var response = context.Response;
            if (response.StatusCode >= StatusCodes.Status400BadRequest && !response.HasStarted)
            {
                await Problem.OfStatus(response.StatusCode).ExecuteAsync(context);
            }
        }
        catch (BankUnavailableException exception) when (!context.Response.HasStarted)
        {
            LogUnavailable(
                exception.IsExpected ? LogLevel.Debug : LogLevel.Warning,
                context.Request.Method,
                context.Request.Path,
                exception.Message);
            await Problem.Unavailable(
                $"{exception.Message} Repeating the request with the same request id is safe.").ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            LogFailed(exception, context.Request.Method, context.Request.Path);
            await Problem.OfStatus(StatusCodes.Status500InternalServerError).ExecuteAsync(context);
        }
    }

    [LoggerMessage(EventId = 1, Message = "{Method} {Path}: no answer. {Why}")]
    private partial void LogUnavailable(LogLevel level, string method, PathString path, string why);

    [LoggerMessage(2, LogLevel.Error, "{Method} {Path} failed.")]
    private partial void LogFailed(Exception exception, string method, PathString path);
}
