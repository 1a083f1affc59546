using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.SampleSilo.Api;
using Orleans.Consensus.SampleSilo.Cluster;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

public sealed class GrainCallTests
{
    private readonly FakeTimeProvider _time = new() { AutoAdvanceAmount = TimeSpan.FromMilliseconds(100) };
    private readonly OneGateway _cluster = new();
    private int _calls;

    public static TheoryData<Exception> Passing() =>
    [
        new SiloUnavailableException(), new InconsistentStateException("x"),
        new ConsensusOutcomeUnknownException("x"), new ConsensusUnavailableException("the silo is stopping"),
        new ConsensusInDoubtStateException("x"), new ObjectDisposedException("x"),
    ];

    [Theory]
    [MemberData(nameof(Passing), DisableDiscoveryEnumeration = true)]
    public async Task Errors_that_pass_are_not_shown(Exception exception)
    {
        var result = CallAsync(() => _calls == 1 ? Task.FromException<string>(exception) : Task.FromResult("done"));

        Assert.Equal("done", await AdvanceAsync(result));
        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task A_quorum_that_was_waited_for_in_vain_is_not_waited_for_again()
    {
        var result = CallAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(4));
            return Task.FromException<string>(new ConsensusUnavailableException("no quorum"));
        });

        var problem = await Assert.ThrowsAsync<BankUnavailableException>(() => AdvanceAsync(result));
        Assert.Equal("no quorum", problem.Message);
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task Attempts_end_and_the_request_fails()
    {
        var started = _time.GetUtcNow();
        var result = CallAsync(() => Task.FromException<string>(new SiloUnavailableException("gone")));

        await Assert.ThrowsAsync<BankUnavailableException>(() => AdvanceAsync(result));
        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(12));
    }

    [Fact]
    public async Task A_call_that_hangs_fails_within_the_deadline()
    {
        var started = _time.GetUtcNow();
        var result = CallAsync(() => new TaskCompletionSource<string>().Task);

        await Assert.ThrowsAsync<BankUnavailableException>(() => AdvanceAsync(result));
        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(14));
    }

    [Fact]
    public async Task A_call_through_a_silo_that_dies_is_made_anew_at_once()
    {
        var result = CallAsync(() =>
        {
            if (_calls == 1)
            {
                _cluster.Die();
                return new TaskCompletionSource<string>().Task;
            }

            return Task.FromResult("done");
        });

        Assert.Equal("done", await AdvanceAsync(result));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_waits_for_a_silo_unless_it_can_be_served_elsewhere(bool waits)
    {
        _cluster.IsAway = true;
        _cluster.RequestsWait = waits;
        var result = CallAsync(() => Task.FromResult("done"));

        Assert.Equal(!waits, result.IsCompleted);
        _cluster.IsAway = false;
        if (waits)
        {
            Assert.Equal("done", await AdvanceAsync(result));
            return;
        }

        await Assert.ThrowsAsync<BankUnavailableException>(() => result);
        Assert.Equal(0, _calls);
    }

    [Fact]
    public async Task A_bug_is_not_taken_for_an_outage()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => CallAsync(() => Task.FromException<string>(new InvalidOperationException())));
    }

    private Task<string> CallAsync(Func<Task<string>> call) => new GrainCalls(_cluster, _time).CallAsync(_ =>
    {
        _calls++;
        return call();
    });

    private async Task<string> AdvanceAsync(Task<string> result)
    {
        while (!result.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        return await result;
    }

    private sealed class OneGateway : IBankCluster
    {
        private CancellationTokenSource _stopped = new();

        public bool IsAway { get; set; }

        public bool RequestsWait { get; set; } = true;

        public void Die()
        {
            var stopped = _stopped;
            _stopped = new();
            stopped.Cancel();
        }

        public BankGateway? FindGateway() => IsAway ? null : new(null!, _stopped.Token);

        public HealthCheckService? FindHealth() => throw new NotSupportedException();

        public Task<ClusterView> DescribeAsync(CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<SiloChange> KillAsync(string name) => throw new NotSupportedException();

        public Task<SiloChange> StartAsync(string name, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
