using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>A grain storage over a map of registers.</summary>
internal sealed class StorageFixture
{
    public const int MaxStateBytes = 1000;

    private static readonly IActivatorProvider Activators =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<IActivatorProvider>();

    public RegisterMapEngine Engine { get; } = new();

    public FakeSerializer Serializer { get; } = new();

    /// <summary>What was logged, in order.</summary>
    public List<(LogLevel Level, string Text)> Logged { get; } = [];

    /// <summary>What the storage logs to instead, or null.</summary>
    public ILoggerFactory? Loggers { get; init; }

    /// <summary>What spaces its warnings.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ConsensusGrainStorage Create(
        string provider = "bank",
        string service = "shop",
        IConsensusEngine? engine = null,
        IGrainStorageSerializer? serializer = null) => new(
        new(service, provider, MaxStateBytes, serializer ?? Serializer) { Time = Time },
        engine ?? Engine,
        Activators,
        Loggers?.CreateLogger<ConsensusGrainStorage>() ?? (ILogger<ConsensusGrainStorage>)new Recorder(Logged));

    public static GrainId Grain(string key = "7") => GrainId.Create("account", key);

    private sealed class Recorder(List<(LogLevel Level, string Text)> logged) : ILogger<ConsensusGrainStorage>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (logged)
            {
                logged.Add((logLevel, formatter(state, exception)));
            }
        }
    }
}

/// <summary>A grain's state.</summary>
internal sealed class Account
{
    public string Owner { get; set; } = "nobody";

    public int Balance { get; set; }

    public static GrainState<Account> Of(string owner, int balance = 0) =>
        new(new Account { Owner = owner, Balance = balance });
}

/// <summary>JSON, unless a test wants something else.</summary>
internal sealed class FakeSerializer : IGrainStorageSerializer
{
    public Func<object?, BinaryData>? OnSerialize { get; set; }

    public Func<BinaryData, object?>? OnDeserialize { get; set; }

    public BinaryData Serialize<T>(T? input) =>
        OnSerialize is { } serialize ? serialize(input) : new BinaryData(JsonSerializer.SerializeToUtf8Bytes(input));

    public T? Deserialize<T>(BinaryData input) =>
        OnDeserialize is { } deserialize
            ? (T?)deserialize(input)
            : JsonSerializer.Deserialize<T>(input.ToMemory().Span);
}
