using Orleans.Consensus.Benchmarks;

return await new BenchmarkCommandLine().RunAsync(args);
