using Microsoft.AspNetCore.Http;
using Orleans.Consensus.SampleSilo.Api;

namespace Orleans.Consensus.Tests.Sample;

/// <summary>Whom the bank serves, by the headers that browsers send.</summary>
public sealed class OwnPagesTests
{
    [Theory]
    [InlineData("POST", "127.0.0.1:5080", null, null)]
    [InlineData("POST", "", null, null)]
    [InlineData("POST", "localhost:5080", "http://localhost:5080", "same-origin")]
    [InlineData("DELETE", "[::1]:5080", "http://[::1]:5080", null)]
    [InlineData("POST", "127.0.0.1:5080", null, "none")]
    [InlineData("GET", "127.0.0.1:5080", null, "cross-site")]
    public void Programs_and_its_own_pages_are_served(string method, string host, string? origin, string? site) =>
        Assert.Null(OwnPagesMiddleware.Objection(Request(method, host, origin, site)));

    [Theory]
    [InlineData("POST", "127.0.0.1:5080", "http://evil.example", null, "evil.example")]
    [InlineData("POST", "127.0.0.1:5080", null, "cross-site", "cross-site")]
    [InlineData("POST", "127.0.0.1:5080", "http://127.0.0.1:5081", "same-site", "127.0.0.1:5081")]
    [InlineData("POST", "127.0.0.1:5080", "null", null, "null")]
    [InlineData("GET", "evil.example:5080", null, null, "evil.example")]
    [InlineData("POST", "evil.example:5080", "http://evil.example:5080", "same-origin", "evil.example")]
    public void Pages_of_others_are_not(string method, string host, string? origin, string? site, string told)
    {
        var objection = OwnPagesMiddleware.Objection(Request(method, host, origin, site));
        Assert.Contains(told, objection, StringComparison.Ordinal);
    }

    private static HttpRequest Request(string method, string host, string? origin, string? site)
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Method, request.Host) = ("http", method, new(host));
        if (origin is not null)
        {
            request.Headers.Origin = origin;
        }

        if (site is not null)
        {
            request.Headers["Sec-Fetch-Site"] = site;
        }

        return request;
    }
}
