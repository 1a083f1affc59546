using System.Security.Cryptography;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>Connection strings of an account that do not let one do everything.</summary>
internal static class LesserRights
{
    public static string ReadOnly(string account) => new BlobServiceClient(account).GenerateAccountSasUri(
        AccountSasPermissions.Read | AccountSasPermissions.List,
        DateTimeOffset.UtcNow.AddHours(1),
        AccountSasResourceTypes.All).AbsoluteUri;

    public static string WrongKey(string account)
    {
        const string name = "AccountKey=";
        var parts = account.Split(';').Select(part => part.StartsWith(name, StringComparison.Ordinal)
            ? name + Convert.ToBase64String(RandomNumberGenerator.GetBytes(64))
            : part);
        return string.Join(';', parts);
    }
}
