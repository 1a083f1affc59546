using Microsoft.Extensions.Logging.Console;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>Warnings and errors go to the error stream, a line each; the output stream is the program's own.</summary>
internal static class QuietLogging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);

        // It takes a busy machine for a deadlock, and warns of it in the first second.
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);

        // A line for each activation of a killed silo, and three for each call that found no quorum.
        logging.AddFilter("Orleans.Grain", LogLevel.Critical);

        // A silo that joins asks those of before, too, until it is told that they are dead.
        logging.AddFilter("Orleans.Runtime.MembershipService.MembershipAgent", LogLevel.Critical);

        // Silos that died with the last process are asked, too, until the new ones have declared them dead; and those
        // that stop ask one another to the last.
        logging.AddFilter("Orleans.Runtime.Messaging", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.GrainDirectory", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.GrainDirectory.ClientDirectory", LogLevel.Critical);
        logging.AddFilter("Orleans.Runtime.Metadata", LogLevel.Error);

        // The demo's reminders are that frequent; and what one could not do it does the next time.
        logging.AddFilter("Orleans.Hosting.ReminderOptionsValidator", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.ReminderService", LogLevel.Critical);

        // Whoever polls gets the answer; the store itself logs a replica or a quorum that is lost or back, once.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);

        // What keeps a silo from starting is told once, by the program.
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Critical);
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
        });
        logging.Services.Configure<ConsoleLoggerOptions>(
            options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
