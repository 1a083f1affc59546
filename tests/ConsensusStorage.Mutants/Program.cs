using Orleans.Consensus.Mutants;

return await new MutantCommandLine().RunAsync(args);
