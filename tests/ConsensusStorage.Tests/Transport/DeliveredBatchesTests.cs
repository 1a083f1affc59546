using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

/// <summary>A batch is looked at once, however often it comes (S6).</summary>
public sealed class DeliveredBatchesTests
{
    private readonly DeliveredBatches _delivered = new(capacity: 3);

    [Fact, Trait("Rule", "S6")]
    public void Each_batch_is_taken_once_in_whatever_order_they_come()
    {
        ulong[] numbers = [1, 3, 2, 7, 5, 70, 64, 7 + DeliveredBatches.Window, 8];
        foreach (var number in numbers)
        {
            Assert.True(_delivered.TryTake(new(1, number)), $"{number}");
            Assert.False(_delivered.TryTake(new(1, number)), $"{number}");
        }
    }

    [Fact, Trait("Rule", "S6")]
    public void A_batch_that_many_have_overtaken_is_taken_for_a_copy()
    {
        Assert.True(_delivered.TryTake(new(1, 1 + DeliveredBatches.Window)));
        Assert.False(_delivered.TryTake(new(1, 1)));
        Assert.True(_delivered.TryTake(new(1, 2)));
        Assert.True(_delivered.TryTake(new(1, 1000)));
        Assert.False(_delivered.TryTake(new(1, 1000 - DeliveredBatches.Window)));
        Assert.True(_delivered.TryTake(new(1, 1001 - DeliveredBatches.Window)));
    }

    [Fact]
    public void Links_do_not_share_numbers_and_the_most_silent_is_forgotten_first()
    {
        foreach (var link in new ulong[] { 1, 2, 3, 1, 4 })
        {
            _delivered.TryTake(new(link, link == 1 ? 1UL : 5));
        }

        Assert.Equal(3, _delivered.Count);
        Assert.False(_delivered.TryTake(new(1, 1)));
        Assert.False(_delivered.TryTake(new(4, 5)));
        Assert.True(_delivered.TryTake(new(4, 4)));
    }

    /// <summary>Against a set of all numbers, as far as a batch may be overtaken.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_takes_what_a_set_of_all_numbers_would_take(int seed)
    {
        var random = new Random(seed);
        var taken = new HashSet<ulong>();
        var highest = 100UL;
        for (var i = 0; i < 10_000; i++)
        {
            highest += (ulong)random.Next(3);
            var number = highest - (ulong)random.Next(80);
            var isInReach = taken.Count == 0 || taken.Max() < number + DeliveredBatches.Window;
            Assert.Equal(isInReach && taken.Add(number), _delivered.TryTake(new(9, number)));
            if (taken.Count > 200)
            {
                taken.RemoveWhere(one => one + 200 < highest);
            }
        }
    }
}
