using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.SampleSilo.Api;
using Orleans.Consensus.SampleSilo.Cluster;

namespace Orleans.Consensus.SampleSilo.Operations;

/// <summary>
/// Health for whoever restarts processes or shares out requests, of a silo that is alive in this process. The status is
/// 503 if it is unhealthy, else 200.
/// </summary>
internal sealed class HealthApi(IBankCluster cluster)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", BankApi.Answer(request => AnswerAsync(
            request, ConsensusHealthCheckExtensions.LiveTag, HealthStatus.Healthy)));
        routes.MapGet("/health/ready", BankApi.Answer(request => AnswerAsync(
            request, ConsensusHealthCheckExtensions.ReadyTag, HealthStatus.Unhealthy)));
    }

    /// <param name="withoutSilo">What is told while no silo is alive.</param>
    private async Task<IResult> AnswerAsync(HttpRequest request, string tag, HealthStatus withoutSilo)
    {
        var context = request.HttpContext;
        var view = await ReadAsync(tag, withoutSilo, context.RequestAborted);
        var status = view.Status == nameof(HealthStatus.Unhealthy)
            ? StatusCodes.Status503ServiceUnavailable
            : StatusCodes.Status200OK;
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(view, BankApi.Json, statusCode: status);
    }

    private async Task<HealthView> ReadAsync(string tag, HealthStatus withoutSilo, CancellationToken cancellationToken)
    {
        if (cluster.FindHealth() is not { } health)
        {
            return new(
                $"{withoutSilo}", [new("silo", $"{withoutSilo}", "No silo is alive in this process.")]);
        }

        var report = await health.CheckHealthAsync(check => check.Tags.Contains(tag), cancellationToken);
        return new($"{report.Status}", [.. report.Entries.Select(
            entry => new CheckView(entry.Key, $"{entry.Value.Status}", entry.Value.Description))]);
    }

    /// <param name="Status"><c>Healthy</c>, <c>Degraded</c> or <c>Unhealthy</c>.</param>
    private sealed record HealthView(string Status, IReadOnlyList<CheckView> Checks);

    private sealed record CheckView(string Name, string Status, string? Description);
}
