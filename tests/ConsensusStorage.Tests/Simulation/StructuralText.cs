using System.Collections;
using System.Reflection;
using System.Text;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that an object is made of as a text, field by field, down to numbers; for comparing worlds.</summary>
internal sealed class StructuralText
{
    private readonly Dictionary<Type, FieldInfo[]> _fields = [];
    private readonly Dictionary<object, string> _known = new(ReferenceEqualityComparer.Instance);

    /// <summary>The same object is written out once: immutable worlds share most of what they are made of.</summary>
    public string Of(object? value)
    {
        if (value is null or string or Delegate || value.GetType() is { IsPrimitive: true } or { IsEnum: true })
        {
            return value?.ToString() ?? "-";
        }

        if (value.GetType().IsValueType)
        {
            return Write(value);
        }

        if (!_known.TryGetValue(value, out var text))
        {
            _known[value] = text = Write(value);
        }

        return text;
    }

    /// <summary>The fields that instances of a type have, and what they are called in its source.</summary>
    public static IEnumerable<(FieldInfo Field, string Name)> FieldsOf(Type type) => type
        .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Select(field => (field, field.Name.Split('<', '>') is [_, var name, ..] ? name : field.Name));

    /// <summary>Writes it out, and does not remember it.</summary>
    public string Write(object value)
    {
        var text = new StringBuilder(value.GetType().Name);
        if (value is IEnumerable items)
        {
            foreach (var item in items)
            {
                text.Append(text[^1] == ',' ? "" : "[").Append(Of(item)).Append(',');
            }

            return text.Append(']').ToString();
        }

        foreach (var field in AllFieldsOf(value.GetType()))
        {
            text.Append('(').Append(Of(field.GetValue(value))).Append(')');
        }

        return text.ToString();
    }

    private FieldInfo[] AllFieldsOf(Type type)
    {
        if (!_fields.TryGetValue(type, out var fields))
        {
            var types = new List<Type>();
            for (var at = type; at is not null && at != typeof(object); at = at.BaseType)
            {
                types.Add(at);
            }

            _fields[type] = fields = [.. types.SelectMany(FieldsOf).Select(one => one.Field)];
        }

        return fields;
    }
}
