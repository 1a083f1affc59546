using Orleans.Consensus.Simulation.Runs;

return SimulateCommand.Invoke(args);
