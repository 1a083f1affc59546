using System.Globalization;
using System.Text.Json;
using Orleans.Consensus.SampleSilo.Bank;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>What was read from a request, or in words what is wrong with it.</summary>
internal readonly record struct Parsed<T>(T? Value, string? Error)
    where T : class
{
    public static implicit operator Parsed<T>(T value) => new(value, null);

    public static Parsed<T> Failed(string error) => new(null, error);
}

/// <summary>Body of a deposit or withdrawal.</summary>
internal sealed record AmountRequest(decimal Amount, string RequestId);

/// <summary>Body of a transfer.</summary>
internal sealed record TransferRequest(string RequestId, TransferOrder Order);

/// <summary>Body of a standing order.</summary>
internal sealed record StandingOrderRequest(string RequestId, StandingOrderTerms Terms);

/// <summary>
/// Reads request bodies and names by hand, so that each mistake is answered with a sentence about it. Unknown
/// properties are ignored, doubled ones are not accepted.
/// </summary>
internal static class BankRequests
{
    public const int MaxAccountLength = 200;
    public const int MaxRequestIdLength = 100;

    /// <summary>Leaves room for the number of a payment, whose request id begins with it.</summary>
    public const int MaxOrderIdLength = 80;

    public const int MaxPeriodSeconds = 31 * 24 * 60 * 60;
    public const int MaxTimes = 1_000_000;
    public const decimal MaxAmount = 1_000_000_000_000_000m;

    /// <summary>As many characters as decimals surely hold without rounding.</summary>
    private const int MaxAmountLength = 28;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static Parsed<AmountRequest> ReadAmountRequest(ReadOnlyMemory<byte> body) => Read(body, root =>
    {
        var requestId = "";
        var error = ReadAmount(root, out var amount) ?? ReadRequestId(root, out requestId);
        return error is null
            ? (Parsed<AmountRequest>)new AmountRequest(amount, requestId)
            : Parsed<AmountRequest>.Failed(error);
    });

    public static Parsed<TransferRequest> ReadTransferRequest(ReadOnlyMemory<byte> body) => Read(body, root =>
    {
        var error = ReadTransfer(root, MaxRequestIdLength, out var requestId, out var order);
        return error is null
            ? (Parsed<TransferRequest>)new TransferRequest(requestId, order)
            : Parsed<TransferRequest>.Failed(error);
    });

    public static Parsed<StandingOrderRequest> ReadStandingOrder(ReadOnlyMemory<byte> body) => Read(body, root =>
    {
        var seconds = 0;
        int? times = null;
        var error = ReadTransfer(root, MaxOrderIdLength, out var requestId, out var payment)
            ?? CheckPath("'requestId'", requestId)
            ?? ReadCount(root, "periodSeconds", MaxPeriodSeconds, out seconds)
            ?? ReadTimes(root, out times);
        return error is null
            ? (Parsed<StandingOrderRequest>)new StandingOrderRequest(
                requestId, new(payment, TimeSpan.FromSeconds(seconds), times))
            : Parsed<StandingOrderRequest>.Failed(error);
    });

    /// <summary>What is wrong with an account's name, or null.</summary>
    public static string? CheckAccount(string id) => CheckText("The account", MaxAccountLength, id);

    /// <summary>What is wrong with a request id, or null.</summary>
    public static string? CheckRequestId(string id) => CheckText("The request id", MaxRequestIdLength, id);

    /// <summary>What is wrong with a standing order's request id, or null.</summary>
    public static string? CheckOrderId(string id) =>
        CheckText("The request id", MaxOrderIdLength, id) ?? CheckPath("The request id", id);

    /// <summary>Reads the optional query parameter <c>fresh</c>.</summary>
    public static string? ReadFresh(string? text, out bool fresh)
    {
        fresh = false;
        return text is null || bool.TryParse(text, out fresh) ? null : "'fresh' must be 'true' or 'false'.";
    }

    private static Parsed<T> Read<T>(ReadOnlyMemory<byte> body, Func<JsonElement, Parsed<T>> read)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : Parsed<T>.Failed("The body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            return Parsed<T>.Failed($"The body is not valid JSON: {exception.Message}");
        }
    }

    private static string? ReadTransfer(
        JsonElement root, int maxIdLength, out string requestId, out TransferOrder order)
    {
        requestId = "";
        var from = "";
        var to = "";
        var error = ReadAmount(root, out var amount)
            ?? ReadText(root, "requestId", maxIdLength, out requestId)
            ?? ReadText(root, "from", MaxAccountLength, out from)
            ?? ReadText(root, "to", MaxAccountLength, out to)
            ?? (from == to ? "'from' and 'to' must be different accounts." : null);
        order = new(from, to, amount);
        return error;
    }

    /// <summary>Reads the optional number of payments; null stands for no end.</summary>
    private static string? ReadTimes(JsonElement root, out int? times)
    {
        times = null;
        if (!root.TryGetProperty("times", out var property) || property.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var error = ReadCount(root, "times", MaxTimes, out var count);
        times = count;
        return error;
    }

    private static string? ReadCount(JsonElement root, string name, int max, out int count)
    {
        count = 0;
        return root.TryGetProperty(name, out var property)
            && property.ValueKind == JsonValueKind.Number
            && property.TryGetInt32(out count)
            && count >= 1
            && count <= max
                ? null
                : $"'{name}' must be a whole number from 1 to {max}.";
    }

    private static string? ReadAmount(JsonElement root, out decimal amount)
    {
        amount = 0;
        if (!root.TryGetProperty("amount", out var property) || property.ValueKind != JsonValueKind.Number)
        {
            return "'amount' is required and must be a JSON number.";
        }

        var text = property.GetRawText();
        if (text.Length > MaxAmountLength
            || !decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out amount))
        {
            return $"'amount' must be a number of at most {MaxAmountLength} characters.";
        }

        if (amount <= 0 || amount > MaxAmount)
        {
            return $"'amount' must be above 0 and at most {MaxAmount.ToString(CultureInfo.InvariantCulture)}.";
        }

        var rounded = decimal.Round(amount, 2);
        if (rounded != amount)
        {
            return "'amount' must have at most two decimal places.";
        }

        amount = rounded;
        return null;
    }

    private static string? ReadRequestId(JsonElement root, out string requestId) =>
        ReadText(root, "requestId", MaxRequestIdLength, out requestId);

    private static string? ReadText(JsonElement root, string name, int maxLength, out string text)
    {
        text = "";
        if (!root.TryGetProperty(name, out var property) || property.ValueKind != JsonValueKind.String)
        {
            return $"'{name}' is required and must be a string.";
        }

        try
        {
            text = property.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return $"'{name}' is not valid Unicode.";
        }

        return CheckText($"'{name}'", maxLength, text);
    }

    /// <summary>What no path can name could not be cancelled.</summary>
    private static string? CheckPath(string name, string text) =>
        text is "." or ".." || text.Contains('\0', StringComparison.Ordinal)
            ? $"{name} must not be '.' or '..', nor have the character U+0000 in it."
            : null;

    private static string? CheckText(string name, int maxLength, string text) =>
        text.Length >= 1 && text.Length <= maxLength ? null : $"{name} must have 1 to {maxLength} characters.";
}
