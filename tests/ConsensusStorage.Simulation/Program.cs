using Orleans.Consensus.Simulation.Runs;

return SimulateCommand.Create().Parse(args).Invoke();
