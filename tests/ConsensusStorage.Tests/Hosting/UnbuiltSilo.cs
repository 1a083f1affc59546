using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>The services that verbs add, and almost none of Orleans': enough to see what comes first.</summary>
internal sealed class UnbuiltSilo : ISiloBuilder, IClientBuilder
{
    public UnbuiltSilo()
    {
        Services.AddLogging();
        Services.AddSingleton<IGrainStorageSerializer>(new Provider.FakeSerializer());
    }

    public IServiceCollection Services { get; } = new ServiceCollection();

    public IConfiguration Configuration { get; } = new ConfigurationBuilder().AddInMemoryCollection().Build();

    /// <summary>What is thrown by the making of a service, as Orleans asks for it before it runs validators.</summary>
    public Exception? Refusal(Func<IServiceProvider, object?> service)
    {
        using var services = Services.BuildServiceProvider();
        return Record.Exception(() => service(services));
    }
}
