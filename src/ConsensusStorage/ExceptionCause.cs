namespace Orleans.Consensus;

/// <summary>
/// What our exceptions say of their cause. They travel to other silos and to clients, and Orleans can't serialize an
/// exception of any type: one inside another would reach a caller as CodecNotFoundException, and ours would be lost
/// with it.
/// </summary>
internal static class ExceptionCause
{
    /// <summary>First parts of the namespaces whose exceptions Orleans serializes by default.</summary>
    private static readonly string[] KnownNamespaces = ["System", "Microsoft", "Azure"];

    /// <summary>
    /// <paramref name="cause"/> as it is if Orleans can serialize it and all that is inside of it. Else an exception
    /// with its type, its text and the stack of calls it came from.
    /// </summary>
    public static Exception? Portable(Exception? cause) =>
        cause is null || IsPortable(cause) ? cause : new ConsensusStorageException(cause.ToString());

    private static bool IsPortable(Exception exception)
    {
        var isKnown = exception.GetType().Namespace is { } name
            && KnownNamespaces.Any(known => name == known || name.StartsWith(known + ".", StringComparison.Ordinal));
        var isOurs = Attribute.IsDefined(exception.GetType(), typeof(GenerateSerializerAttribute), inherit: false);
        return (isKnown || isOurs) && exception.Data.Count == 0 && exception switch
        {
            AggregateException several => several.InnerExceptions.All(IsPortable),
            { InnerException: { } inner } => IsPortable(inner),
            _ => true,
        };
    }
}
