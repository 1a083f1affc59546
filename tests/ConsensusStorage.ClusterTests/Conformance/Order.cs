namespace Orleans.Consensus.ClusterTests.Conformance;

/// <summary>A state like those of applications.</summary>
[GenerateSerializer]
public sealed record Order
{
    [Id(0)]
    public string Customer { get; set; } = "nobody";

    [Id(1)]
    public long Cents { get; set; }

    [Id(2)]
    public DateTime Placed { get; set; }

    public static Order Some(int number = 0) => new()
    {
        Customer = $"customer {number}",
        Cents = 1000 + number,
        Placed = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddMinutes(number),
    };
}
