using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Simulation.Documents;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Members;

/// <summary>One life of a silo, or of a client of the cluster: its process, and the shipped table in it.</summary>
internal sealed class MemberProcess
{
    public const string Service = "service";
    public const string Cluster = "cluster";

    /// <summary>Where the membership is in each place.</summary>
    public const string DocumentName = Service + ".membership";

    private static readonly ClusterOptions Names = new() { ServiceId = Service, ClusterId = Cluster };

    private readonly ImmutableArray<ProcessDocuments> _documents;

    /// <param name="request">Time for a change.</param>
    /// <param name="isTimed">Places may hang, as directories do; else requests end, as those to blobs do.</param>
    public MemberProcess(
        SimulatedScheduler kernel,
        ImmutableArray<DocumentPlace> places,
        int number,
        int life,
        SiloClock clock,
        TimeSpan request,
        bool isTimed,
        Random random)
    {
        (Number, Process) = (number, new(kernel));
        var time = new ProcessTime(kernel.Time, clock, Process);
        _documents = [.. places.Select(place => new ProcessDocuments(place, number, Process, kernel))];
        ImmutableArray<IDocuments> ways =
        [
            .. _documents.Select(documents => isTimed
                ? new TimedDocuments(documents, request / 4, time, Process)
                : (IDocuments)documents),
        ];
        Membership = MembershipPlaces.Create(ways, Names, request, time, random);
        Table = new(Membership);
        Gateways = new(Membership, Options.Create(new GatewayOptions()));
        Address = SiloAddress.New(IPAddress.Loopback, 1000 + number, life);
        Time = time;
    }

    public int Number { get; }

    public SimulatedProcess Process { get; }

    public TimeProvider Time { get; }

    public Membership Membership { get; }

    public ConsensusMembershipTable Table { get; }

    public ConsensusGatewayListProvider Gateways { get; }

    /// <summary>Its row's, if it is a silo.</summary>
    public SiloAddress Address { get; }

    /// <summary>Whether the last document that it saw in a place is the one with that tag.</summary>
    public bool Knows(int place, string? tag) => _documents[place].Known == tag;
}
