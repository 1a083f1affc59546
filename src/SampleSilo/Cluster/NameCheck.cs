using System.Net;
using System.Net.Sockets;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// Refuses to start a silo whose name another one bears that is there. Orleans would let both in, and whoever asks for
/// one of them by name would get either. One that died without a word is not there: nobody listens at its address.
/// Run before a silo opens a log, and again when it has joined: of two that started together at least the one that
/// joined last sees the other, and ends; both may.
/// </summary>
internal sealed class NameCheck(IMembershipTable table, ILocalSiloDetails own, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestReading = TimeSpan.FromSeconds(10);

    /// <summary>Before it opens a log.</summary>
    /// <exception cref="StartException">The name is taken.</exception>
    public async Task RunBeforeJoiningAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckAsync(cancellationToken);
        }
        catch (Exception exception) when (IsUnread(exception))
        {
            // There is no membership yet, or it can't be read: joining it tells why, and goes on trying.
        }
    }

    /// <summary>When it has joined, so that the membership was there a moment ago.</summary>
    /// <exception cref="StartException">The name is taken, or whether it is can't be read.</exception>
    public async Task RunAfterJoiningAsync(CancellationToken cancellationToken)
    {
        for (var start = time.GetTimestamp(); ; await Task.Delay(Pause, time, cancellationToken))
        {
            try
            {
                await CheckAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (IsUnread(exception))
            {
                if (time.GetElapsedTime(start) > LongestReading)
                {
                    throw new StartException(
                        $"whether another silo '{own.Name}' is alive can't be read: {exception.Message}");
                }
            }
        }
    }

    private static bool IsUnread(Exception exception) => exception is IOException or UnauthorizedAccessException;

    private async Task CheckAsync(CancellationToken cancellationToken)
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
