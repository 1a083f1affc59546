using System.Reflection;

namespace Orleans.Consensus.SampleSilo.Operations;

/// <summary>
/// The page at <c>/</c>: what the cluster does, with a bank form and the demo's buttons. It uses the HTTP API and
/// <c>/metrics</c> like everybody else, and nothing from other servers.
/// </summary>
internal static class OperatorPage
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        const string folder = "page/";
        var assembly = Assembly.GetExecutingAssembly();
        var names = assembly.GetManifestResourceNames();
        foreach (var name in names.Where(name => name.StartsWith(folder, StringComparison.Ordinal)))
        {
            var file = name[folder.Length..];
            routes.MapGet(file == "index.html" ? "/" : $"/page/{file}", Answer(assembly, name));
        }
    }

    private static RequestDelegate Answer(Assembly assembly, string name)
    {
        var type = Types[Path.GetExtension(name)];
        return async context =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = "default-src 'self'; frame-ancestors 'none'";
            headers.XContentTypeOptions = "nosniff";
            headers.CacheControl = "no-cache";
            context.Response.ContentType = type;
            await using var content = assembly.GetManifestResourceStream(name)!;
            await content.CopyToAsync(context.Response.Body, context.RequestAborted);
        };
    }
}
