using System.Net;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>
/// Keeps pages of other sites from using the bank through the browser of somebody who can reach it. Programs that are
/// no browsers send none of these headers, and are not asked for them.
/// </summary>
internal sealed class OwnPagesMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        Objection(context.Request) is { } objection ? Problem.Foreign(objection).ExecuteAsync(context) : next(context);

    /// <summary>Why a request is not served, or null.</summary>
    internal static string? Objection(HttpRequest request)
    {
        // A name that was made to stand for this address would make any page one of the bank's own.
        var host = request.Host.Host;
        if (host is not ("" or "localhost") && !IPAddress.TryParse(host.Trim('[', ']'), out _))
        {
            return $"Ask for an IP address or 'localhost', not for '{host}'.";
        }

        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return null;
        }

        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var origin = request.Headers.Origin.ToString();
        var isOwn = origin.Length == 0 || origin == $"{request.Scheme}://{request.Host}";
        return isOwn && site is ("" or "same-origin" or "none")
            ? null
            : $"This came from a page of '{(origin.Length > 0 ? origin : site)}'.";
    }
}
