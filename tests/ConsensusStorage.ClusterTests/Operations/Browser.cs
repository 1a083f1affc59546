using Orleans.Consensus.Azurite;
using PuppeteerSharp;

namespace Orleans.Consensus.ClusterTests.Operations;

/// <summary>Debian's Chromium without a window, installed if it can be and is not there.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    /// <summary>It asks nobody but the page that it is given.</summary>
    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program) && await DebianPackages.InstallAsync(["chromium"]) is { } problem)
        {
            throw new InvalidOperationException($"There is no {Program} here: {problem}");
        }

        _browser = await Puppeteer.LaunchAsync(new() { Headless = true, ExecutablePath = Program, Args = Flags });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
    }

    /// <summary>Opens a page in a window of this size, and waits until its first requests are answered.</summary>
    internal async Task<OpenPage> OpenAsync(Uri address, int width, int height)
    {
        var page = await _browser!.NewPageAsync();
        await page.SetViewportAsync(new() { Width = width, Height = height });
        var open = new OpenPage(page, address);
        await page.GoToAsync(address.ToString());
        return open;
    }
}
