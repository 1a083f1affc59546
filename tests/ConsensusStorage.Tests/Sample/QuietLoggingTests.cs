using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.SampleSilo.Cluster;

namespace Orleans.Consensus.Tests.Sample;

public sealed class QuietLoggingTests
{
    [Fact]
    public void Polls_of_health_leave_no_lines_and_warnings_of_the_store_do()
    {
        using var services = new ServiceCollection().AddLogging(QuietLogging.Configure).BuildServiceProvider();
        var loggers = services.GetRequiredService<ILoggerFactory>();
        const string health = "Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService";
        Assert.False(loggers.CreateLogger(health).IsEnabled(LogLevel.Error));
        Assert.True(loggers.CreateLogger("Orleans.Consensus").IsEnabled(LogLevel.Warning));
    }
}
