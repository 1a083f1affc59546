namespace Orleans.Consensus.Transport;

/// <summary>A silo gave no usable answer; what was asked for may or may not have happened.</summary>
internal sealed class TransportException(string message, Exception? cause = null) : Exception(message, cause);
