using Orleans.Consensus.Azurite;

// Starts servers as tests have them: as many as the first argument says, one without it. Each is a line, process id
// and connection string, and ends with this program or its input. A second argument, "paused", pauses them.
try
{
    var count = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1;
    var servers = await AzuriteServer.StartAsync(count);
    foreach (var server in servers)
    {
        if (args.Contains("paused"))
        {
            server.Pause();
        }

        Console.WriteLine($"{server.ProcessId} {server.ConnectionString}");
    }

    await Console.In.ReadToEndAsync();
    foreach (var server in servers)
    {
        await server.DisposeAsync();
    }

    return 0;
}
catch (AzuriteException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
