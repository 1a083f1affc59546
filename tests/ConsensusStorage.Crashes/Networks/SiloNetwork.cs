using System.Globalization;

namespace Orleans.Consensus.Crashes.Networks;

/// <summary>
/// A network namespace for each silo, and one that routes between them and to this machine. The router loses what
/// nobody is to get, without a word. Takes Linux and root. Not thread-safe.
/// </summary>
internal sealed class SiloNetwork : IAsyncDisposable
{
    private const string Family = "consensus";

    private readonly int _silos;
    private readonly int _number = 128 + (Environment.ProcessId % 100);

    private SiloNetwork(int silos) => _silos = silos;

    /// <summary>The address of each silo.</summary>
    public IReadOnlyList<string> Hosts => [.. Enumerable.Range(0, _silos).Select(HostOf)];

    private static string Router => string.Create(CultureInfo.InvariantCulture, $"{Family}-{Environment.ProcessId}");

    /// <exception cref="NetworkException">It can't be made here; nothing is left of it.</exception>
    public static async Task<SiloNetwork> CreateAsync(int silos)
    {
        var network = new SiloNetwork(silos);
        try
        {
            await DeleteAbandonedAsync();
            await network.JoinRouterAsync();
            for (var silo = 0; silo < silos; silo++)
            {
                await network.JoinAsync(silo);
            }

            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>The command that runs a program in a silo's network.</summary>
    public static IReadOnlyList<string> PrefixOf(int silo) => ["ip", "netns", "exec", NamespaceOf(silo)];

    /// <summary>Nothing gets from a silo to the others, or from them to it. This machine reaches all of them.</summary>
    public Task CutOffAsync(int silo) => ChangeRulesAsync("add", silo);

    /// <summary>Ends <see cref="CutOffAsync"/>.</summary>
    public Task HealAsync(int silo) => ChangeRulesAsync("del", silo);

    public async ValueTask DisposeAsync()
    {
        foreach (var name in (await NamesAsync()).Where(name => name == Router || name.StartsWith($"{Router}-")))
        {
            await IpCommand.RunAsync($"netns del {name}");
        }
    }

    private static string NamespaceOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"{Router}-{silo}");

    private static async Task<IEnumerable<string>> NamesAsync() =>
        (await IpCommand.RunAsync("netns list")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0]);

    /// <summary>Those of processes that were killed before they could do so.</summary>
    private static async Task DeleteAbandonedAsync()
    {
        foreach (var name in await NamesAsync())
        {
            var parts = name.Split('-');
            if (parts.Length > 1 && parts[0] == Family && !Directory.Exists($"/proc/{parts[1]}"))
            {
                await IpCommand.RunAsync($"netns del {name}");
            }
        }
    }

    private string HostOf(int silo) => Address(silo + 1, 2);

    private string Address(int link, int end) =>
        string.Create(CultureInfo.InvariantCulture, $"10.{_number}.{link}.{end}");

    private async Task JoinRouterAsync()
    {
        var outside = string.Create(CultureInfo.InvariantCulture, $"cs{Environment.ProcessId}");
        await IpCommand.RunAsync($"netns add {Router}");
        await IpCommand.RunAsync($"netns exec {Router} sysctl -q -w net.ipv4.ip_forward=1");
        await IpCommand.RunAsync($"link add {outside} type veth peer name outside netns {Router}");
        await IpCommand.RunAsync($"addr add {Address(0, 1)}/30 dev {outside}");
        await IpCommand.RunAsync($"link set {outside} up");
        await IpCommand.RunAsync($"-n {Router} addr add {Address(0, 2)}/30 dev outside");
        await IpCommand.RunAsync($"-n {Router} link set outside up");
        await IpCommand.RunAsync($"route add {Address(0, 0)}/16 via {Address(0, 2)}");
    }

    private async Task JoinAsync(int silo)
    {
        var (name, link) = (NamespaceOf(silo), $"link{silo}");
        await IpCommand.RunAsync($"netns add {name}");
        await IpCommand.RunAsync($"-n {name} link set lo up");
        await IpCommand.RunAsync($"-n {Router} link add {link} type veth peer name router netns {name}");
        await IpCommand.RunAsync($"-n {Router} addr add {Address(silo + 1, 1)}/30 dev {link}");
        await IpCommand.RunAsync($"-n {Router} link set {link} up");
        await IpCommand.RunAsync($"-n {name} addr add {HostOf(silo)}/30 dev router");
        await IpCommand.RunAsync($"-n {name} link set router up");
        await IpCommand.RunAsync($"-n {name} route add default via {Address(silo + 1, 1)}");
    }

    private async Task ChangeRulesAsync(string verb, int silo)
    {
        foreach (var other in Hosts.Where((_, number) => number != silo))
        {
            await IpCommand.RunAsync($"-n {Router} rule {verb} from {HostOf(silo)} to {other} blackhole");
            await IpCommand.RunAsync($"-n {Router} rule {verb} from {other} to {HostOf(silo)} blackhole");
        }
    }
}
