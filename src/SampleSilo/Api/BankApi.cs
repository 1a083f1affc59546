using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Consensus.SampleSilo.Cluster;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>The bank over HTTP. The same on every process that serves it.</summary>
internal sealed class BankApi(GrainCalls calls, IBankCluster cluster)
{
    public const int MaxBodyBytes = 16 * 1024;

    private const int HistoryLength = 100;

    /// <summary>The answers are JSON and never a part of a page, so apostrophes may stay what they are.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/accounts/{id}", Answer(GetAccountAsync));
        routes.MapGet("/accounts/{id}/history", Answer(GetHistoryAsync));
        routes.MapPost(
            "/accounts/{id}/deposit",
            Answer(request => ChangeAsync(request, OperationKind.Deposit)));
        routes.MapPost(
            "/accounts/{id}/withdraw",
            Answer(request => ChangeAsync(request, OperationKind.Withdrawal)));
        routes.MapPost("/transfers", Answer(TransferAsync));
        routes.MapGet("/transfers/{requestId}", Answer(GetTransferAsync));
        routes.MapGet("/cluster", Answer(GetClusterAsync));
        routes.MapPost("/cluster/silos/{name}/kill", Answer(KillAsync));
        routes.MapPost("/cluster/silos/{name}/start", Answer(StartAsync));
    }

    /// <summary>Makes a route of a method that answers.</summary>
    internal static RequestDelegate Answer(Func<HttpRequest, Task<IResult>> answer) => async context =>
    {
        var result = await answer(context.Request);
        await result.ExecuteAsync(context);
    };

    internal static IResult Ok<T>(T value) => Results.Json(value, Json);

    private async Task<IResult> GetAccountAsync(HttpRequest request)
    {
        var id = RawPath.Segment(request, 1);
        var error = BankRequests.ReadFresh(request.Query["fresh"], out var fresh) ?? BankRequests.CheckAccount(id);
        if (error is not null)
        {
            return Problem.BadRequest(error);
        }

        return Ok(await calls.CallAsync(grains => grains.GetGrain<IAccountGrain>(id).GetAsync(fresh)));
    }

    private async Task<IResult> GetHistoryAsync(HttpRequest request)
    {
        var id = RawPath.Segment(request, 1);
        if (BankRequests.CheckAccount(id) is { } error)
        {
            return Problem.BadRequest(error);
        }

        var entries = await calls.CallAsync(
            grains => grains.GetGrain<IAccountGrain>(id).GetHistoryAsync(HistoryLength));
        return Ok(new { id, entries = entries.Select(EntryView.Of) });
    }

    private async Task<IResult> ChangeAsync(HttpRequest request, OperationKind kind)
    {
        var id = RawPath.Segment(request, 1);
        if (BankRequests.CheckAccount(id) is { } error)
        {
            return Problem.BadRequest(error);
        }

        var body = await JsonBody.ReadAsync(request);
        if (body.Refused is { } refused)
        {
            return refused;
        }

        var parsed = BankRequests.ReadAmountRequest(body.Bytes);
        if (parsed.Value is not { } change)
        {
            return Problem.BadRequest(parsed.Error!);
        }

        var operation = new Operation(kind, change.RequestId, change.Amount);
        return await calls.CallAsync(grains => grains.GetGrain<IAccountGrain>(id).ApplyAsync(operation)) switch
        {
            OperationResult.Applied applied => Ok(applied.Account),
            OperationResult.InsufficientFunds refusal => Problem.InsufficientFunds(Words.Insufficient(refusal.Account)),
            OperationResult.RequestIdReused reused => Problem.RequestIdReused(Words.Reused(reused.Earlier)),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<IResult> TransferAsync(HttpRequest request)
    {
        var body = await JsonBody.ReadAsync(request);
        if (body.Refused is { } refused)
        {
            return refused;
        }

        var parsed = BankRequests.ReadTransferRequest(body.Bytes);
        if (parsed.Value is not { } transfer)
        {
            return Problem.BadRequest(parsed.Error!);
        }

        var result = await calls.CallAsync(
            grains => grains.GetGrain<ITransferGrain>(transfer.RequestId).ExecuteAsync(transfer.Order));
        return result switch
        {
            TransferResult.Ended { Transfer.State: TransferStage.Rejected } ended =>
                Problem.InsufficientFunds(Words.Insufficient(ended.Transfer.From)) with { State = "rejected" },
            TransferResult.Ended ended => Ok(TransferAnswer.Of(ended.Transfer)),
            TransferResult.RequestIdReused reused => Problem.RequestIdReused(Words.Reused(reused.Earlier)),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<IResult> GetTransferAsync(HttpRequest request)
    {
        var requestId = RawPath.Segment(request, 1);
        if (BankRequests.CheckRequestId(requestId) is { } error)
        {
            return Problem.BadRequest(error);
        }

        var transfer = await calls.CallAsync(grains => grains.GetGrain<ITransferGrain>(requestId).GetAsync());
        return transfer is null
            ? Problem.NotFound($"There is no transfer '{requestId}'.")
            : Ok(TransferAnswer.Of(transfer));
    }

    private async Task<IResult> GetClusterAsync(HttpRequest request) =>
        Ok(await cluster.DescribeAsync(request.HttpContext.RequestAborted));

    private async Task<IResult> KillAsync(HttpRequest request) =>
        Describe(await cluster.KillAsync(RawPath.Segment(request, 2)));

    // A start that is under way goes on when the client has gone.
    private async Task<IResult> StartAsync(HttpRequest request) =>
        Describe(await cluster.StartAsync(RawPath.Segment(request, 2), CancellationToken.None));

    private static IResult Describe(SiloChange change) => change switch
    {
        SiloChange.Changed changed => Ok(changed.Silo),
        SiloChange.Unknown unknown => Problem.NotFound(unknown.Why),
        SiloChange.Refused refused => Problem.SiloConflict(refused.Why),
        SiloChange.Failed failed => Problem.Unavailable(failed.Why),
        _ => throw new UnreachableException(),
    };
}
