using System.Net;
using System.Net.Sockets;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// Refuses to start a silo whose name another one bears that is there. Orleans would let both in, and whoever asks for
/// one of them by name would get either. One that died without a word is not there: nobody listens at its address.
/// To be run before a silo opens a log, and again when it has joined: of two that started together at least the one
/// that joined last sees the other, and ends; both may.
/// </summary>
internal sealed class NameCheck(IMembershipTable table, ILocalSiloDetails own, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <exception cref="StartException">The name is taken.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var endpoint in await FindNamesakesAsync(cancellationToken))
        {
            if (await ListensAsync(endpoint, cancellationToken))
            {
                throw new StartException(
                    $"another silo '{own.Name}' is alive, at {endpoint}. Choose another name with --name.");
            }
        }
    }

    /// <summary>Where silos of this name are, or were, that nobody thinks dead.</summary>
    private async Task<IReadOnlyList<IPEndPoint>> FindNamesakesAsync(CancellationToken cancellationToken)
    {
        try
        {
            var read = await table.ReadAllAsync(cancellationToken);
            return
            [
                .. read.Members.Select(member => member.Item1)
                    .Where(entry => entry.SiloName == own.Name
                        && entry.Status is SiloStatus.Joining or SiloStatus.Active)
                    .Select(entry => entry.SiloAddress.Endpoint)
                    .Where(endpoint => !endpoint.Equals(own.SiloAddress.Endpoint)),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // There is no membership yet, or it can't be read: joining it tells why, and goes on trying.
            return [];
        }
    }

    private async Task<bool> ListensAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var connection = new TcpClient(endpoint.AddressFamily);
            await connection.ConnectAsync(endpoint, either.Token);
            return true;
        }
        catch (Exception exception)
            when (exception is SocketException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
