namespace Orleans.Consensus.Azurite;

/// <summary>Azurite can't be installed or doesn't start. The message says why, and what to do about it.</summary>
public sealed class AzuriteException(string message, Exception? inner = null) : Exception(message, inner);
