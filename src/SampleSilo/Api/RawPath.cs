using Microsoft.AspNetCore.Http.Features;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>
/// Names in paths, decoded in full. Routing leaves <c>%2F</c> as it is, so from its values nobody can tell an account
/// called <c>a/b</c> from one called <c>a%2Fb</c>.
/// </summary>
internal static class RawPath
{
    /// <summary>Segment number <paramref name="index"/>, from 0, of the path that routing has matched.</summary>
    public static string Segment(HttpRequest request, int index)
    {
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget;
        return Segment(target, request.Path.Value ?? "", index);
    }

    internal static string Segment(string? target, string matchedPath, int index)
    {
        var path = (target ?? "").Split('?')[0];
        if (Uri.TryCreate(path, UriKind.Absolute, out var absolute) && !path.StartsWith('/'))
        {
            path = absolute.GetComponents(UriComponents.Path | UriComponents.KeepDelimiter, UriFormat.UriEscaped);
        }

        var raw = path.Split('/');
        var matched = matchedPath.Split('/');

        // They differ when the server has taken dot segments out; then its word counts.
        var segments = raw.Length == matched.Length ? raw : matched;
        return index + 1 < segments.Length ? Uri.UnescapeDataString(segments[index + 1]) : "";
    }
}
