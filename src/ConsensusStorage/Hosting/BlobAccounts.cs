using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>Clients of storage accounts, from what stands in options.</summary>
internal static class BlobAccounts
{
    /// <param name="what">What has the key, for messages.</param>
    /// <exception cref="OrleansConfigurationException">There is no client under that key.</exception>
    public static BlobServiceClient Keyed(string what, string key, IServiceProvider services) =>
        services.GetKeyedService<BlobServiceClient>(key) ?? throw new OrleansConfigurationException(
            $"{what} has ServiceKey '{key}', but no {nameof(BlobServiceClient)} is registered under that key.");

    /// <param name="what">Which connection string it is, for messages.</param>
    /// <param name="connection">A connection string, or an http(s) address with a shared access signature.</param>
    /// <exception cref="OrleansConfigurationException">It is neither.</exception>
    public static BlobServiceClient Connect(string what, string connection, BlobClientOptions pipeline)
    {
        try
        {
            return Uri.TryCreate(connection, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? new(address, pipeline)
                : new(connection, pipeline);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw new OrleansConfigurationException(
                $"{what} is not one of a storage account: {exception.Message}", exception);
        }
    }
}
