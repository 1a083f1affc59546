using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>A bank of three silos that serves, for tests that leave it as it was.</summary>
public sealed class RunningBank : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private SampleProgram? _program;

    internal BankPlan Plan { get; private set; } = null!;

    internal BankClient Client { get; private set; } = null!;

    internal SampleProgram Program => _program!;

    public async ValueTask InitializeAsync()
    {
        Plan = BankPlan.Create(_directory.Path);
        Client = new(Plan.Address);
        _program = await Plan.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
        {
            await _program.DisposeAsync();
        }

        Client.Dispose();
        _directory.Dispose();
    }
}

/// <summary>All classes whose banks are processes; a bank in use keeps the machine busy, so one at a time.</summary>
[CollectionDefinition(nameof(BankProcesses), DisableParallelization = true)]
public sealed class BankProcesses : ICollectionFixture<RunningBank>;
