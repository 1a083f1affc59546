using Orleans.Configuration;
using Orleans.Storage;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>Builds the generic host of one silo.</summary>
internal static class BankSiloHost
{
    /// <summary>When storage gives up. Two in a row fit into one call, and into the deadline of a request.</summary>
    private static readonly TimeSpan StorageTimeout = TimeSpan.FromSeconds(4);

    /// <summary>A call that takes longer has failed.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private const int BeforeTheStores = ServiceLifecycleStage.RuntimeStorageServices - 1;
    private const int AfterJoining = ServiceLifecycleStage.Active + 1;

    public static IHost Build(BankSiloSettings settings)
    {
        var builder = Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "bank" });
        QuietLogging.Configure(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.UseOrleans(silo => Configure(silo, settings));
        return builder.Build();
    }

    /// <summary>
    /// A silo whose process has ended is dead after three seconds. One that has given no sign of life for four does not
    /// keep a new one from joining: whoever kills all of them and starts one need not wait longer.
    /// </summary>
    private static void NoticeTheDeadSoon(ClusterMembershipOptions options)
    {
        // Who starts asks the silos of before, too, this long at a time and with a pause as long, until all of those
        // that were killed have been buried: therefore short, and more of them in a row.
        options.ProbeTimeout = TimeSpan.FromSeconds(0.5);

        // One that hangs is dead after six of these: until then the last message on its connection speaks for it.
        options.MaxProbeTimeout = TimeSpan.FromSeconds(1);
        options.NumMissedProbesLimit = 6;
        options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
        options.NumMissedTableIAmAliveLimit = 2;

        // A silo that is started again buries its former self when it reads the table, and leaves it to the next time
        // if another one is changing it: nobody joins until then.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
    }

    /// <summary>
    /// One grain whose deactivation hangs does not take all of the time that the host gives a stop: by default each
    /// gets as much as that.
    /// </summary>
    private static void StopInTime(GrainCollectionOptions options) => options.DeactivationTimeout = CallTimeout;

    /// <summary>
    /// A demo's standing orders are paid while somebody watches; real ones are paid monthly. A reminder that was
    /// registered at the wrong silo, while one died, is found at the next refresh.
    /// </summary>
    private static void RemindOften(ReminderOptions options)
    {
        options.MinimumReminderPeriod = TimeSpan.FromSeconds(1);
        options.RefreshReminderListPeriod = TimeSpan.FromMinutes(1);
    }

    private static void CheckName(
        ISiloBuilder silo, int stage, Func<NameCheck, CancellationToken, Task> run) => silo.AddStartupTask(
        (services, token) => run(
            ActivatorUtilities.CreateInstance<NameCheck>(services, TimeProvider.System), token),
        stage);

    private static void Configure(ISiloBuilder silo, BankSiloSettings settings)
    {
        silo.ConfigureEndpoints(settings.Host, settings.SiloPort, settings.GatewayPort);
        silo.Configure<ClusterOptions>(options =>
        {
            options.ServiceId = BankSiloSettings.ClusterName;
            options.ClusterId = BankSiloSettings.ClusterName;
        });
        silo.UseConsensusClustering(options =>
        {
            if (settings.Accounts.Count == 0)
            {
                options.Directories = [settings.ClusterDirectory];
                return;
            }

            var accounts = settings.Accounts.OrderBy(each => each.Key, StringComparer.Ordinal);
            var different = accounts.Select(each => each.Value).Distinct().ToList();
            options.ConnectionStrings = different.Count == settings.Accounts.Count ? different : different[..1];
            options.ContainerName = settings.Container;
        });
        silo.Configure<ClusterMembershipOptions>(NoticeTheDeadSoon);
        if (settings.ChecksName)
        {
            CheckName(silo, BeforeTheStores, static (check, token) => check.RunBeforeJoiningAsync(token));

            // Of two that were started at the same moment neither may have been there for the other before.
            CheckName(silo, AfterJoining, static (check, token) => check.RunAfterJoiningAsync(token));
        }

        silo.Configure<GrainCollectionOptions>(StopInTime);
        silo.Configure<SiloOptions>(options => options.SiloName = settings.Name);
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = CallTimeout);

        // A thousand remembered requests are 60 kB this way and four times as much as JSON.
        silo.Services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();
        silo.UseConsensusStore(options =>
        {
            options.Replicas = [.. settings.Replicas];
            options.ReplicaId = settings.Replica;
            options.DataDirectory = settings.DataDirectory;
            options.Groups = settings.Groups;
            options.RequestTimeout = StorageTimeout;
            options.ConnectionStrings = new Dictionary<string, string>(settings.Accounts);
            if (settings.Accounts.Count > 0)
            {
                options.ContainerName = settings.Container;
            }
        });
        silo.AddConsensusGrainStorageAsDefault();
        silo.UseConsensusReminders();
        silo.Configure<ReminderOptions>(RemindOften);
        silo.AddActivityPropagation();
        silo.Services.AddHealthChecks().AddConsensusStorage();
    }
}
