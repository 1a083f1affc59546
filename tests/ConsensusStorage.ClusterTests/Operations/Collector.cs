using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orleans.Consensus.ClusterTests.Operations;

/// <summary>Takes what programs export by OTLP over HTTP, and remembers it. Thread-safe.</summary>
internal sealed class Collector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly List<(string Path, string Body)> _taken = [];

    private Collector(int port)
    {
        Address = $"http://127.0.0.1:{port}/";
        _listener.Prefixes.Add(Address);
    }

    public string Address { get; }

    public static Collector Start()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var collector = new Collector(((IPEndPoint)probe.LocalEndpoint).Port);
        probe.Stop();
        collector._listener.Start();
        _ = collector.TakeAsync();
        return collector;
    }

    /// <summary>Whether something was sent to a path, with this text in it.</summary>
    public bool Has(string path, string text)
    {
        lock (_taken)
        {
            return _taken.Any(one => one.Path == path && one.Body.Contains(text, StringComparison.Ordinal));
        }
    }

    public void Dispose() => _listener.Close();

    private async Task TakeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                // Closed.
                return;
            }

            // Names and values are readable in Protocol Buffers, too.
            using var reader = new StreamReader(context.Request.InputStream, Encoding.Latin1);
            var body = await reader.ReadToEndAsync();
            lock (_taken)
            {
                _taken.Add((context.Request.Url!.AbsolutePath, body));
            }

            context.Response.Close();
        }
    }
}
