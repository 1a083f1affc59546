using System.Diagnostics;
using Orleans.Consensus.SampleSilo.Bank;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>Standing orders over HTTP.</summary>
internal sealed class StandingOrderApi(GrainCalls calls)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/standing-orders", BankApi.Answer(PlaceAsync));
        routes.MapGet("/standing-orders/{requestId}", BankApi.Answer(request => FindAsync(
            request, order => order.GetAsync())));
        routes.MapDelete("/standing-orders/{requestId}", BankApi.Answer(request => FindAsync(
            request, order => order.CancelAsync())));
    }

    private async Task<IResult> PlaceAsync(HttpRequest request)
    {
        var body = await JsonBody.ReadAsync(request);
        if (body.Refused is { } refused)
        {
            return refused;
        }

        var parsed = BankRequests.ReadStandingOrder(body.Bytes);
        if (parsed.Value is not { } order)
        {
            return Problem.BadRequest(parsed.Error!);
        }

        var result = await calls.CallAsync(
            grains => grains.GetGrain<IStandingOrderGrain>(order.RequestId).PlaceAsync(order.Terms));
        return result switch
        {
            StandingOrderResult.Placed placed => BankApi.Ok(StandingOrderAnswer.Of(placed.Order)),
            StandingOrderResult.RequestIdReused reused => Problem.RequestIdReused(Words.Reused(reused.Earlier)),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<IResult> FindAsync(
        HttpRequest request, Func<IStandingOrderGrain, Task<StandingOrderView?>> call)
    {
        var requestId = RawPath.Segment(request, 1);
        if (BankRequests.CheckOrderId(requestId) is { } error)
        {
            return Problem.BadRequest(error);
        }

        var order = await calls.CallAsync(grains => call(grains.GetGrain<IStandingOrderGrain>(requestId)));
        return order is null
            ? Problem.NotFound($"There is no standing order '{requestId}'.")
            : BankApi.Ok(StandingOrderAnswer.Of(order));
    }
}
