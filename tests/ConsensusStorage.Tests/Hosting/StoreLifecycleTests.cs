using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Transport;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

public sealed class StoreLifecycleTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("consensus-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_log_is_open_from_stage_6000_until_the_stop_of_that_stage()
    {
        using var first = Build(_directory);
        using var second = Build(_directory);
        var opened = Lifecycle(first);
        var refused = Lifecycle(second);

        await opened.StartAsync(ServiceLifecycleStage.RuntimeStorageServices);
        Assert.True(Directory.Exists(Path.Combine(_directory, "Default", "local")));
        Assert.True(first.Services.GetRequiredService<TransportTargets>().TryGet("Default", out _));
        var exception = await Assert.ThrowsAsync<OrleansConfigurationException>(
            () => refused.StartAsync(ServiceLifecycleStage.RuntimeStorageServices));
        Assert.Contains("store 'Default'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("replica 'local'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(exception.InnerException!.Message, exception.Message, StringComparison.Ordinal);

        await opened.StopAsync(ServiceLifecycleStage.RuntimeStorageServices);
        Assert.False(first.Services.GetRequiredService<TransportTargets>().TryGet("Default", out _));
        using var third = Build(_directory);
        await Lifecycle(third).StartAsync(ServiceLifecycleStage.RuntimeStorageServices);
    }

    [Fact]
    public async Task A_silo_that_is_disposed_of_without_a_stop_gives_its_log_back()
    {
        using (var killed = Build(_directory))
        {
            await Lifecycle(killed).StartAsync(ServiceLifecycleStage.RuntimeStorageServices);
        }

        using var next = Build(_directory);
        await Lifecycle(next).StartAsync(ServiceLifecycleStage.RuntimeStorageServices);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_fails_the_start_with_its_path()
    {
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        using var host = Build(file);

        var exception = await Assert.ThrowsAsync<OrleansConfigurationException>(
            () => Lifecycle(host).StartAsync(ServiceLifecycleStage.RuntimeStorageServices));

        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_without_replica_opens_no_log()
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(options =>
        {
            options.Replicas = ["a", "b", "c"];
            options.DataDirectory = _directory;
        }));

        await Lifecycle(host).StartAsync(ServiceLifecycleStage.RuntimeStorageServices);

        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task Options_out_of_range_fail_the_start_before_anything_is_written()
    {
        using var host = SiloUnderTest.Build(silo => silo.UseConsensusStore(options =>
        {
            options.Groups = 0;
            options.DataDirectory = _directory;
        }));

        var exception = await Assert.ThrowsAsync<OrleansConfigurationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("Groups", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task Other_silos_are_seen_only_when_this_one_has_joined()
    {
        var token = TestContext.Current.CancellationToken;
        var local = SiloAddress.New(IPAddress.Loopback, 1, 1);
        var other = SiloAddress.New(IPAddress.Loopback, 2, 1);
        var view = new LateMembershipView(new FixedView([local, other]), local);
        var changed = view.ChangedAsync(token);
        Assert.Equal([local], view.LiveSilos);
        Assert.False(changed.IsCompleted);

        view.Open();

        await changed;
        Assert.Equal([local, other], view.LiveSilos);
        Assert.False(view.ChangedAsync(token).IsCompleted);
    }

    private static IHost Build(string directory) => SiloUnderTest.Build(silo => silo
        .AddConsensusGrainStorageAsDefault()
        .UseConsensusStore(options => options.DataDirectory = directory));

    private static StagedLifecycle Lifecycle(IHost host) => StagedLifecycle.Of(host);
}
