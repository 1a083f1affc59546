using Orleans.Consensus.SampleSilo;
using Orleans.Consensus.SampleSilo.CommandLine;
using Orleans.Consensus.SampleSilo.Walkthrough;

var commandLine = new BankCommandLine(
    DemoRun.RunAsync, SiloRun.RunAsync, output => new PaxosWalkthrough(new(), output).RunAsync());
return await commandLine.RunAsync(args, Console.Out, Console.Error);
