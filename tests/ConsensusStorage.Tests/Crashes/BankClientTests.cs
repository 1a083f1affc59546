using System.Net;
using System.Net.Http.Json;
using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.Tests.Crashes;

public sealed class BankClientTests
{
    private const int Requests = 3;

    [Fact]
    public async Task Requests_that_fail_together_all_go_on_to_another_address()
    {
        var hanging = new OneHangs();
        using var client = new BankClient(
            hanging, [.. Enumerable.Range(0, Requests).Select(number => new Uri($"http://127.0.0.1:{number + 1}"))]);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, Requests).Select(_ => client.InsistAsync(() => client.GetAsync("/"))));

        Assert.All(answers, answer => Assert.Equal(2, answer.Attempts));
        Assert.Equal(Requests, hanging.Failed);
        Assert.Equal(Requests, client.Troubles.Count());
    }

    /// <summary>Whoever asks the first address gets no answer, as soon as all have asked.</summary>
    private sealed class OneHangs : HttpMessageHandler
    {
        private TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _failed;

        public int Failed => _failed;

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.Port != 1)
            {
                return new(HttpStatusCode.OK) { Content = JsonContent.Create(new { }) };
            }

            var all = _all;
            if (Interlocked.Increment(ref _failed) % Requests == 0)
            {
                _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
                all.SetResult();
            }

            await all.Task.WaitAsync(cancellationToken);
            throw new HttpRequestException("no answer");
        }
    }
}
