using System.Globalization;
using System.Text;
using Orleans.Consensus.SampleSilo.Api;
using Orleans.Consensus.SampleSilo.Bank;

namespace Orleans.Consensus.Tests.Sample;

public sealed class BankRequestTests
{
    [Theory]
    [InlineData("1", "1")]
    [InlineData("0.01", "0.01")]
    [InlineData("10.50", "10.50")]
    [InlineData("10.500", "10.50")]
    [InlineData("1e2", "100")]
    [InlineData("1.5E-1", "0.15")]
    [InlineData("1000000000000000", "1000000000000000")]
    [InlineData("1000000000000000.00", "1000000000000000.00")]
    public void An_amount_is_a_positive_number_with_at_most_two_places(string json, string amount)
    {
        var request = Amount($$"""{"amount":{{json}},"requestId":"r"}""");

        Assert.Equal(new AmountRequest(decimal.Parse(amount, CultureInfo.InvariantCulture), "r"), request.Value);
        Assert.True(request.Value!.Amount.Scale <= 2);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-1")]
    [InlineData("0.001")]
    [InlineData("10.005")]
    [InlineData("1e-3")]
    [InlineData("1e-300")]
    [InlineData("1e300")]
    [InlineData("1000000000000000.01")]
    [InlineData("1.0000000000000000000000000000000000000001")]
    [InlineData("\"1\"")]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("[1]")]
    [InlineData("NaN")]
    [InlineData("1,5")]
    [InlineData("01")]
    public void Other_amounts_are_refused(string json)
    {
        Assert.NotNull(Amount($$"""{"amount":{{json}},"requestId":"r"}""").Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"amount":1}""")]
    [InlineData("""{"requestId":"r"}""")]
    [InlineData("""{"amount":1,"requestId":""}""")]
    [InlineData("""{"amount":1,"requestId":7}""")]
    [InlineData("""{"amount":1,"requestId":null}""")]
    [InlineData("""{"amount":1,"requestId":"\ud800"}""")]
    [InlineData("""{"amount":1,"amount":2,"requestId":"r"}""")]
    [InlineData("""{"amount":1,"requestId":"r"} x""")]
    [InlineData("""{"Amount":1,"requestId":"r"}""")]
    public void A_malformed_body_is_refused_with_a_sentence(string json)
    {
        Assert.NotNull(Amount(json).Error);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
    {
        Assert.NotNull(BankRequests.ReadAmountRequest(new byte[] { (byte)'{', 0xff, (byte)'}' }).Error);
        byte[] name = [.. "{\"amount\":1,\"requestId\":\""u8, 0xc3, 0x28, .. "\"}"u8];
        Assert.NotNull(BankRequests.ReadAmountRequest(name).Error);
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void A_request_id_has_at_most_100_characters(int length, bool valid)
    {
        var request = Amount($$"""{"amount":1,"requestId":"{{new string('r', length)}}","more":"is ignored"}""");

        Assert.Equal(valid, request.Error is null);
    }

    [Fact]
    public void A_transfer_needs_two_accounts()
    {
        Assert.Equal(
            new TransferRequest("r", new TransferOrder("a", "b/ü", 1)),
            Transfer("""{"amount":1,"requestId":"r","from":"a","to":"b/\u00fc"}""").Value);
        Assert.NotNull(Transfer("""{"amount":1,"requestId":"r","from":"a","to":"a"}""").Error);
        Assert.NotNull(Transfer("""{"amount":1,"requestId":"r","from":"","to":"a"}""").Error);
        Assert.NotNull(Transfer("""{"amount":1,"requestId":"r","from":"a"}""").Error);
        Assert.NotNull(Transfer($$"""{"amount":1,"requestId":"r","from":"a","to":"{{new string('x', 201)}}"}""").Error);
        Assert.Null(Transfer($$"""{"amount":1,"requestId":"r","from":"a","to":"{{new string('x', 200)}}"}""").Error);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(""","times":null""", null)]
    [InlineData(""","times":12""", 12)]
    public void A_standing_order_is_a_transfer_with_a_period_and_perhaps_an_end(string end, int? times)
    {
        Assert.Equal(
            new StandingOrderRequest("r", new(new("a", "b", 1), TimeSpan.FromSeconds(60), times)),
            Standing($$""","periodSeconds":60{{end}}""").Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","periodSeconds":0""")]
    [InlineData(""","periodSeconds":-1""")]
    [InlineData(""","periodSeconds":1.5""")]
    [InlineData(""","periodSeconds":"60" """)]
    [InlineData(""","periodSeconds":2678401""")]
    [InlineData(""","periodSeconds":99999999999""")]
    [InlineData(""","periodSeconds":60,"times":0""")]
    [InlineData(""","periodSeconds":60,"times":1000001""")]
    [InlineData(""","periodSeconds":60,"times":"1" """)]
    public void Other_periods_and_numbers_of_payments_are_refused(string rest)
    {
        Assert.NotNull(Standing(rest).Error);
    }

    [Theory]
    [InlineData(80, true)]
    [InlineData(81, false)]
    public void A_standing_orders_request_id_leaves_room_for_its_payments_numbers(int length, bool valid)
    {
        Assert.Equal(valid, Standing(""","periodSeconds":60""", new('r', length)).Error is null);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a\\u0000")]
    public void A_standing_order_that_no_path_could_name_is_refused(string requestId) =>
        Assert.Contains("'..'", Standing(""","periodSeconds":60""", requestId).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("/accounts/alice", "/accounts/alice", "alice")]
    [InlineData("/accounts/alice?fresh=true", "/accounts/alice", "alice")]
    [InlineData("/accounts/a%2Fb", "/accounts/a%2Fb", "a/b")]
    [InlineData("/accounts/a%252Fb", "/accounts/a%2Fb", "a%2Fb")]
    [InlineData("/accounts/%C3%BC%20x/deposit", "/accounts/ü x/deposit", "ü x")]
    [InlineData("/x/../accounts/bob", "/accounts/bob", "bob")]
    [InlineData("http://host:80/accounts/a%2Fb?x=/", "/accounts/a%2Fb", "a/b")]
    public void Names_in_paths_are_decoded_in_full(string target, string path, string name)
    {
        Assert.Equal(name, RawPath.Segment(target, path, 1));
    }

    private static Parsed<AmountRequest> Amount(string json) =>
        BankRequests.ReadAmountRequest(Encoding.UTF8.GetBytes(json));

    private static Parsed<TransferRequest> Transfer(string json) =>
        BankRequests.ReadTransferRequest(Encoding.UTF8.GetBytes(json));

    private static Parsed<StandingOrderRequest> Standing(string rest, string requestId = "r") =>
        BankRequests.ReadStandingOrder(Encoding.UTF8.GetBytes(
            $$"""{"amount":1,"requestId":"{{requestId}}","from":"a","to":"b"{{rest}}}"""));
}
