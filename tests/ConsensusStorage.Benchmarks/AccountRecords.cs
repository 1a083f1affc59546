using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Benchmarks;

/// <summary>Accept records of different accounts with 200 bytes of state, as a replica writes them.</summary>
internal sealed class AccountRecords(int groups)
{
    private const int PayloadBytes = 200;

    private readonly ByteWriter _writer = new(1024);
    private readonly ProposerId _proposer = ProposerId.Create(Random.Shared);
    private readonly StoredPayload _payload = StoredPayload.Pending(
        new(RandomNumberGenerator.GetBytes(PayloadBytes)));

    /// <summary>The record of an account by its number. Valid until the next one.</summary>
    public ReadOnlySpan<byte> Write(int number, out RegisterId register)
    {
        register = NameOf(number);
        var ballot = new Ballot(Ballot.RoundAt(1_700_000_000_000) + number, _proposer);
        var next = ballot with { Round = ballot.Round + 1 };
        var value = new RegisterValue(new(_proposer, (ulong)number + 1), _payload);
        _writer.Clear();
        AcceptorRecords.WriteAccept(_writer, register.GroupOf(groups), register, new(next, ballot, value));
        return _writer.WrittenSpan;
    }

    private static RegisterId NameOf(int number) => RegisterId.Create(
        "bank", "Default", "account", "account"u8,
        Encoding.ASCII.GetBytes(number.ToString("d12", CultureInfo.InvariantCulture)));
}
