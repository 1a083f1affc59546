using Orleans.Consensus.Clustering;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Members;

/// <summary>
/// What a process asks of the membership table: silos join, change their rows, suspect and bury others, beat and clean
/// up, sometimes with what they read long ago; clients of the cluster look for gateways. Some calls are given up early.
/// </summary>
internal sealed class MemberClient(MembershipRun run, MemberProcess member, int longestPause, Random random)
{
    private static readonly SiloStatus[] Statuses =
        [SiloStatus.Joining, SiloStatus.Active, SiloStatus.Active, SiloStatus.ShuttingDown];

    private MembershipTableData? _read;

    private DateTime Now => member.Time.GetUtcNow().UtcDateTime;

    /// <summary>One call after the other, until there are enough.</summary>
    public async Task WorkAsync(bool isSilo)
    {
        if (isSilo && !await FormAsync(() => run.IsEnough))
        {
            return;
        }

        while (!run.IsEnough)
        {
            using var cancel = Patience();
            await (isSilo ? StepAsync(cancel.Token) : LookForGatewaysAsync(cancel.Token));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, longestPause)), run.Time);
        }
    }

    /// <summary>As a silo starts: again and again, until it works or nobody wants it any more.</summary>
    public async Task<bool> FormAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            using var cancel = Patience();
            try
            {
                await member.Membership.OpenAsync(cancel.Token);
                await member.Table.InitializeMembershipTableAsync(true, CancellationToken.None);
                run.Formed();
                return true;
            }
            catch (Exception exception) when (exception is IOException || IsCalledOff(exception, cancel))
            {
                run.Trace.Add("start failed", member.Number, exception.Message);
                run.Saw("a start that has to be tried again");
                await Task.Delay(TimeSpan.FromMilliseconds(100), run.Time);
            }
        }

        return false;
    }

    /// <summary>Ends a call early, now and then.</summary>
    private CancellationTokenSource Patience() => random.Next(16) == 0
        ? new(TimeSpan.FromMilliseconds(random.Next(1, 400)), run.Time)
        : new();

    private static bool IsCalledOff(Exception exception, CancellationTokenSource cancel) =>
        exception is OperationCanceledException && cancel.IsCancellationRequested;

    public async Task<bool> ReadAllAsync(CancellationToken cancellationToken) =>
        await TryAsync(Call(TableAction.ReadAll), async call =>
        {
            _read = await member.Table.ReadAllAsync(cancellationToken);
            run.Tables.End(call, _read);
        });

    public Task<bool> LookForGatewaysAsync(CancellationToken cancellationToken) =>
        TryAsync(Call(TableAction.Gateways), async call =>
            run.Tables.End(call, await member.Gateways.GetGatewaysAsync(cancellationToken)));

    /// <summary>A sign of life, which the rows of the table show from then on.</summary>
    public Task<bool> BeatAsync(CancellationToken cancellationToken) =>
        TryAsync(Call(TableAction.Beat), async call =>
        {
            var entry = new MembershipEntry { SiloAddress = member.Address, IAmAliveTime = Now };
            await member.Table.UpdateIAmAliveAsync(entry, cancellationToken);
            run.Tables.End(call, wasDone: true);
        });

    /// <summary>Inserts its own row, or updates it, over the table as it is now.</summary>
    /// <returns>Whether that was acknowledged.</returns>
    public async Task<bool> ChangeOwnRowAsync(CancellationToken cancellationToken)
    {
        if (!await ReadAllAsync(cancellationToken))
        {
            return false;
        }

        var own = _read!.TryGet(member.Address);
        return await (own is null
            ? InsertAsync(cancellationToken)
            : UpdateAsync(own.Item1, own.Item2, _read.Version, SiloStatus.Active, cancellationToken));
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        var dice = random.Next(100);
        if (_read is null || dice < 20)
        {
            await ReadAllAsync(cancellationToken);
            return;
        }

        var own = _read.TryGet(member.Address);
        if (own is null)
        {
            await ChangeOwnRowAsync(cancellationToken);
            return;
        }

        // What it knows may be out of date: then all it tries has to be refused.
        if (dice < 70 && random.Next(4) != 0 && !await ReadAllAsync(cancellationToken))
        {
            return;
        }

        await (dice switch
        {
            < 45 => UpdateAsync(
                _read.TryGet(member.Address)?.Item1 ?? own.Item1,
                _read.TryGet(member.Address)?.Item2 ?? own.Item2,
                _read.Version,
                Statuses[random.Next(Statuses.Length)],
                cancellationToken),
            < 62 => AccuseAsync(cancellationToken),
            < 66 => UpdateAsync(own.Item1, own.Item2, _read.Version, SiloStatus.Active, cancellationToken),
            < 70 => InsertAsync(cancellationToken),
            < 76 => CleanUpAsync(cancellationToken),
            < 86 => ReadRowAsync(cancellationToken),
            _ => BeatAsync(cancellationToken),
        });
    }

    /// <summary>Suspects another silo, or declares it dead.</summary>
    private Task<bool> AccuseAsync(CancellationToken cancellationToken)
    {
        if (_read!.Members.Count == 0)
        {
            return ChangeOwnRowAsync(cancellationToken);
        }

        var (entry, etag) = _read.Members[random.Next(_read.Members.Count)];
        if (random.Next(2) == 0)
        {
            entry.AddSuspector(member.Address, Now);
            return UpdateAsync(entry, etag, _read.Version, entry.Status, cancellationToken);
        }

        return UpdateAsync(entry, etag, _read.Version, SiloStatus.Dead, cancellationToken);
    }

    private Task<bool> ReadRowAsync(CancellationToken cancellationToken)
    {
        var silo = _read!.Members.Count == 0 || random.Next(4) == 0
            ? member.Address
            : _read.Members[random.Next(_read.Members.Count)].Item1.SiloAddress;
        return TryAsync(Call(TableAction.ReadRow, call => call with { Silo = silo }), async call =>
            run.Tables.End(call, await member.Table.ReadRowAsync(silo, cancellationToken)));
    }

    private Task<bool> InsertAsync(CancellationToken cancellationToken)
    {
        var next = _read!.Version.Next();
        var begun = Call(TableAction.Insert, call => call with
        {
            Silo = member.Address,
            Status = SiloStatus.Joining,
            TableETag = _read.Version.VersionEtag,
            Version = next.Version,
        });
        var entry = new MembershipEntry
        {
            SiloAddress = member.Address,
            HostName = begun.Mark,
            SiloName = "silo",
            Status = SiloStatus.Joining,
            ProxyPort = random.Next(5) == 0 ? 0 : 2000 + member.Number,
            StartTime = Now,
            IAmAliveTime = Now,
        };
        return TryChangeAsync(begun, () => member.Table.InsertRowAsync(entry, next, cancellationToken));
    }

    private Task<bool> UpdateAsync(
        MembershipEntry row,
        string etag,
        TableVersion version,
        SiloStatus status,
        CancellationToken cancellationToken)
    {
        var next = version.Next();
        var begun = Call(TableAction.Update, call => call with
        {
            Silo = row.SiloAddress,
            Status = status,
            TableETag = version.VersionEtag,
            Version = next.Version,
            RowETag = etag,
        });
        var entry = new MembershipEntry
        {
            SiloAddress = row.SiloAddress,
            HostName = begun.Mark,
            SiloName = row.SiloName,
            Status = status,
            ProxyPort = row.ProxyPort,
            StartTime = row.StartTime,
            IAmAliveTime = row.IAmAliveTime,
            SuspectTimes = row.SuspectTimes,
        };
        return TryChangeAsync(
            begun, () => member.Table.UpdateRowAsync(entry, etag, next, cancellationToken));
    }

    private Task<bool> CleanUpAsync(CancellationToken cancellationToken)
    {
        var before = member.Time.GetUtcNow() - TimeSpan.FromMilliseconds(random.Next(2000));
        return TryAsync(Call(TableAction.Cleanup, call => call with { Before = before }), async call =>
        {
            await member.Table.CleanupDefunctSiloEntriesAsync(before, cancellationToken);
            run.Tables.End(call, wasDone: true);
        });
    }

    private TableCall Call(TableAction action, Func<TableCall, TableCall>? with = null) => run.Tables.Begin(
        (number, began) => (with ?? (static call => call))(new(number, member.Number, action, began)));

    private async Task<bool> TryChangeAsync(TableCall begun, Func<Task<bool>> change)
    {
        var isDone = false;
        await TryAsync(begun, async call =>
        {
            isDone = await change();
            run.Tables.End(call, isDone);
        });
        return isDone;
    }

    /// <returns>False if it failed, and nobody knows what has become of it.</returns>
    private async Task<bool> TryAsync(TableCall call, Func<TableCall, Task> make)
    {
        run.Trace.Add("call", call with { });
        var (started, pauses) = (run.Time.GetTimestamp(), member.Process.Pauses);
        try
        {
            await make(call);
            return true;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            TableOracle.Fail(call);
            run.Saw($"{call.Action} that failed");
            run.Trace.Add("failed", exception.Message);
            return false;
        }
        finally
        {
            run.Trace.Add("end ", call);
            run.CheckTime(call, run.Time.GetElapsedTime(started), pauses == member.Process.Pauses);
        }
    }
}
