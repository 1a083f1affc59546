using System.Collections;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Orleans.Consensus.SampleSilo.Operations;

/// <summary>
/// What the store and Orleans measure, of all silos of this process: for Prometheus at <c>/metrics</c>; and with the
/// traces for whoever listens at <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, if that is set.
/// </summary>
internal static class Telemetry
{
    /// <summary>Of the variables that OpenTelemetry looks for in the configuration.</summary>
    private const string Prefix = "OTEL_";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string Store = "Orleans.Consensus";

    public static void Configure(WebApplicationBuilder builder)
    {
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value))
            .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal)));
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("bank"))
            .WithMetrics(metrics => metrics
                .AddMeter(Store, "Microsoft.Orleans")
                .AddPrometheusExporter());
        if (!string.IsNullOrEmpty(builder.Configuration[Endpoint]))
        {
            telemetry
                .WithTracing(traces => traces
                    .AddSource(Store, "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime")
                    .AddSource("Microsoft.AspNetCore"))
                .UseOtlpExporter();
        }
    }
}
