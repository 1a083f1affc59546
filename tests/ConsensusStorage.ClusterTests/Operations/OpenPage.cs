using System.Globalization;
using Orleans.Consensus.ClusterTests.Support;
using PuppeteerSharp;

namespace Orleans.Consensus.ClusterTests.Operations;

/// <summary>A page as somebody sees it who sits before it, and what went wrong in it.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IPage _page;
    private readonly List<string> _problems = [];

    public OpenPage(IPage page, Uri address)
    {
        _page = page;
        page.PageError += (_, error) => Note(error.Message);
        page.Request += (_, asked) =>
        {
            if (new Uri(asked.Request.Url) is { Scheme: "http" or "https" } url && url.Authority != address.Authority)
            {
                Note($"It asks {url}.");
            }
        };
        page.Console += (_, said) =>
        {
            // The browser tells of answers like 503, too, which the page explains by itself.
            if (said.Message.Type == ConsoleType.Error
                && !said.Message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                Note(said.Message.Text);
            }
        };
    }

    /// <summary>Errors of the page's code, and requests that leave for other servers.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_problems)
            {
                return [.. _problems];
            }
        }
    }

    public Task<string> TextAsync(string selector) =>
        _page.EvaluateFunctionAsync<string>("selector => document.querySelector(selector)?.innerText ?? ''", selector);

    public Task<T> EvaluateAsync<T>(string function) => _page.EvaluateFunctionAsync<T>(function);

    /// <summary>Waits until an element shows a text.</summary>
    public Task ShowsAsync(string selector, string text) => Eventually.BecomesAsync(
        () => TextAsync(selector), shown => shown.Contains(text, StringComparison.Ordinal));

    /// <summary>Waits until an element shows so many numbers that aren't zero, with strokes between them.</summary>
    public Task ShowsNumbersAsync(string selector, int count) => Eventually.BecomesAsync(
        () => TextAsync(selector),
        shown => shown.Split('/').Count(
            part => double.TryParse(part, CultureInfo.InvariantCulture, out var number) && number > 0) == count);

    /// <summary>Waits until a plot shows more than its axes, which are grey: lines or points in a colour.</summary>
    public Task DrawsAsync(string plot) => Eventually.BecomesAsync(
        () => _page.EvaluateFunctionAsync<bool>(
            """
            plot => {
              const canvas = document.querySelector(`${plot} canvas`);
              const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
              for (let at = 0; at < data.length; at += 4) {
                const [red, green, blue, opacity] = data.subarray(at, at + 4);
                if (opacity > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 80) {
                  return true;
                }
              }
              return false;
            }
            """,
            plot),
        isDrawn => isDrawn);

    /// <summary>Everything fits into the width of the screen.</summary>
    public Task<bool> FitsAsync() =>
        EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth");

    public Task FillAsync(string selector, string text) => _page.EvaluateFunctionAsync(
        "(selector, text) => { document.querySelector(selector).value = text; }", selector, text);

    /// <summary>Clicks as soon as the element is there and can be clicked.</summary>
    public Task ClickAsync(string selector) => Eventually.SucceedsAsync(async () =>
    {
        await _page.WaitForSelectorAsync($"{selector}:not(:disabled)", new() { Timeout = 1000 });
        await _page.ClickAsync(selector);
    });

    public Task ResizeAsync(int width, int height) =>
        _page.SetViewportAsync(new() { Width = width, Height = height, IsMobile = width < 600 });

    /// <summary>Keeps a picture among the results of the tests.</summary>
    public async Task PictureAsync(string name)
    {
        var directory = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "screenshots"));
        await _page.ScreenshotAsync(Path.Combine(directory.FullName, $"{name}.png"), new() { FullPage = true });
    }

    public async ValueTask DisposeAsync() => await _page.DisposeAsync();

    private void Note(string problem)
    {
        lock (_problems)
        {
            _problems.Add(problem);
        }
    }
}
