using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>A silo that is built and not started.</summary>
internal static class SiloUnderTest
{
    public static IHost Build(
        Action<ISiloBuilder> configure, Dictionary<string, string?>? settings = null, string name = "Silo_0")
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(serviceId: "shop", clusterId: "blue");
            silo.Configure<SiloOptions>(options => options.SiloName = name);
            configure(silo);
        });
        return builder.Build();
    }

    /// <summary>What Orleans does first when a silo starts.</summary>
    public static void Validate(this IHost host)
    {
        foreach (var validator in host.Services.GetServices<IConfigurationValidator>())
        {
            if (validator is ConsensusOptionsValidator)
            {
                validator.ValidateConfiguration();
            }
        }
    }
}
