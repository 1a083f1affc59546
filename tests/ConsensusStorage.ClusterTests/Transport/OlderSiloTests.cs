using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Orleans.Serialization.Configuration;

namespace Orleans.Consensus.ClusterTests.Transport;

/// <summary>
/// The second silo is as one that speaks version 1 of the wire: it doesn't have the methods of version 2, and calls
/// those of version 1.
/// </summary>
public sealed class OlderSiloTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static readonly string[] SecondVersion = ["Exchange2", "Describe2"];

    private readonly EchoCluster _cluster = new(ForgetSecondVersion);

    public async ValueTask InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _cluster.AddTargets();
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_silo_and_an_older_one_refuse_each_other_by_name()
    {
        var (first, second) = (_cluster.First.SiloAddress, _cluster.Second.SiloAddress);
        using var timeout = new CancellationTokenSource(Soon);

        var asked = await Assert.ThrowsAsync<TransportException>(
            () => _cluster.Transport.DescribeAsync(second, EchoTarget.Store, timeout.Token));
        var sent = await Assert.ThrowsAsync<TransportException>(
            () => _cluster.Transport.SendAsync(second, Batches.Accept([1]), timeout.Token));

        Assert.All([asked, sent], refused => Assert.Equal(FirstVersion.NoAnswer(second), refused.Message));
        Assert.Contains($"Silo {second} runs an older release", asked.Message, StringComparison.Ordinal);
        Assert.Empty(_cluster.TargetOf(_cluster.Second).Batches);
        var service = _cluster.Second.ServiceProvider.GetRequiredService<ConsensusGrainServiceClient>().Of(first);
        byte[] request = [FirstVersion.Version, .. MessageCodec.Encode(Batches.Accept([1]), 5, null).ToArray()[1..]];
        var refusals = new[]
        {
            await service.ExchangeOfFirstVersionAsync(request, timeout.Token),
            await service.DescribeOfFirstVersionAsync(request, timeout.Token),
        };

        Assert.All(refusals, refusal =>
        {
            Assert.Equal(FirstVersion.Refusal(first).Span, refusal.Span);
            Assert.Contains($"Silo {first} runs a newer release", TextOf(refusal), StringComparison.Ordinal);
        });
        Assert.Empty(_cluster.TargetOf(_cluster.First).Batches);
    }

    /// <summary>Reads a refusal as version 1 does.</summary>
    private static string TextOf(ReadOnlyMemory<byte> refusal)
    {
        var reader = new ByteReader(refusal.Span);
        Assert.True(reader.TryReadBytes(11, out var header));
        Assert.Equal(Convert.FromHexString("0105000000000000000000"), header);
        Assert.True(reader.TryReadByte(out var present));
        Assert.Equal(1, present);
        Assert.True(reader.TryReadString(2048, out var text));
        Assert.Equal(0, reader.Remaining);
        return text;
    }

    /// <summary>Takes what the code generator registered for the methods of version 2 out again.</summary>
    private static void ForgetSecondVersion(IServiceCollection services) =>
        services.PostConfigure<TypeManifestOptions>(options =>
        {
            var methods = options.CompoundTypeAliases
                .Add("inv")
                .Add(typeof(GrainReference))
                .Add(typeof(IConsensusGrainService));
            options.Serializers.RemoveWhere(IsOfSecondVersion);
            options.Copiers.RemoveWhere(IsOfSecondVersion);
            foreach (var method in SecondVersion)
            {
                // An alias without a type is as good as none.
                methods.Add(method);
            }
        });

    private static bool IsOfSecondVersion(Type serializer) => serializer.GetInterfaces()
        .SelectMany(type => type.GenericTypeArguments)
        .SelectMany(type => type.GetCustomAttributes(typeof(CompoundTypeAliasAttribute), inherit: false))
        .Cast<CompoundTypeAliasAttribute>()
        .Any(alias => alias.Components is [.., string method] && SecondVersion.Contains(method));
}
