using System.Net.Sockets;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>The ports of a silo.</summary>
internal static class SiloPorts
{
    /// <exception cref="StartException">One of them is taken.</exception>
    public static void Check(BankSiloSettings settings)
    {
        foreach (var port in new[] { settings.SiloPort, settings.GatewayPort })
        {
            try
            {
                using var listener = new TcpListener(settings.Host, port);
                listener.Start();
            }
            catch (SocketException exception)
            {
                throw new StartException(
                    $"port {port} of silo '{settings.Name}' can't be used ({exception.Message}). Perhaps the bank "
                    + "runs already; otherwise choose other ports with --silo-port and --gateway-port.",
                    exception);
            }
        }
    }
}
