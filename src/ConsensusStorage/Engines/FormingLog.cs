using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Engines;

/// <summary>Walks the steps of <see cref="Formation"/> with a log and what the silos say of theirs (S13).</summary>
internal sealed class FormingLog(ReplicaId replica, ReplicaSet replicas, ReplicaDirectory directory, TimeProvider time)
{
    /// <summary>
    /// Completes when the log may answer; at once if it was formed before. Returns why it never may, or null.
    /// </summary>
    /// <param name="waits">Told what is missing.</param>
    public async Task<FormationStep.Refuse?> RunAsync(
        IJournal journal, AcceptorIndex index, Action<string> waits, CancellationToken stop)
    {
        while (!index.Formed)
        {
            using var changed = directory.Changed.Next(Timeout.InfiniteTimeSpan, time, stop);
            var step = Formation.Step(
                replicas,
                replica,
                journal.Identity.LogId,
                index.Peers,
                [.. directory.Seen.Select(seen => seen.Replica)]);
            switch (step)
            {
                case FormationStep.WritePeers write:
                    await AppendAsync(
                        journal, AcceptorRecords.PeersKind, writer => AcceptorRecords.WritePeers(writer, write.Logs));
                    index.Peers = write.Logs;
                    directory.Nudge();
                    break;
                case FormationStep.WriteFormed:
                    await AppendAsync(journal, AcceptorRecords.FormedKind, _ => { });
                    index.Formed = true;
                    break;
                case FormationStep.Refuse refuse:
                    return refuse;
                case FormationStep.Wait wait:
                    waits(wait.Problem);
                    await changed.Task;
                    stop.ThrowIfCancellationRequested();
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        return null;
    }

    private static async Task AppendAsync(IJournal journal, byte kind, Action<ByteWriter> write)
    {
        var record = new ByteWriter(256);
        write(record);
        var batch = new JournalBatch();
        batch.Add(kind, record.WrittenSpan);
        await journal.AppendAsync(batch, CancellationToken.None);
    }
}
