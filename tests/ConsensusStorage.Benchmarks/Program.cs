using System.Reflection;

Console.WriteLine(Assembly.Load("Orleans.Consensus").GetName());
