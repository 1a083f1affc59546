namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>A run cannot go on: it does not come to an end, leaves the simulation, or explodes.</summary>
internal sealed class SimulationException(string message) : Exception(message);
