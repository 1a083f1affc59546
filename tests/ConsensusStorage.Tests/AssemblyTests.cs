using System.Reflection;

namespace Orleans.Consensus.Tests;

public sealed class AssemblyTests
{
    [Fact]
    public void The_library_keeps_its_assembly_name()
    {
        var name = Assembly.Load("Orleans.Consensus").GetName();

        Assert.Equal("Orleans.Consensus", name.Name);
        Assert.Equal(new Version(0, 1, 0, 0), name.Version);
    }
}
