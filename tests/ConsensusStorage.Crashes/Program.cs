using Orleans.Consensus.Crashes.Runs;

return await CrashCommand.InvokeAsync(args);
