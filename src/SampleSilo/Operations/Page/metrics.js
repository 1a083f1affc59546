// What Prometheus would compute, over the text that it would read: counters and histograms of the process since its
// start, two looks at them, and what happened in between.

const line = /^(\w+)(?:\{(.*)\})? (\S+)/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text format: a map from each series to its name, labels and value. */
export function parse(text) {
  const series = new Map();
  for (const row of text.split('\n')) {
    const [, name, labels = '', value] = line.exec(row) ?? [];
    if (name) {
      series.set(`${name}{${labels}}`, {
        name,
        labels: Object.fromEntries([...labels.matchAll(label)].map(([, key, text]) => [key, text])),
        value: Number(value),
      });
    }
  }
  return series;
}

/** By how much each series of a name has grown; one that is new, or began anew with its silo, from zero. */
function* growth(before, now, name) {
  for (const [key, { name: own, labels, value }] of now) {
    if (own === name) {
      const former = before.get(key)?.value ?? 0;
      yield { labels, value: value >= former ? value - former : value };
    }
  }
}

/** The sum of what the series of a name have grown by, of those whose labels please. */
export function grown(before, now, name, pleases = () => true) {
  let sum = 0;
  for (const { labels, value } of growth(before, now, name)) {
    sum += pleases(labels) ? value : 0;
  }
  return sum;
}

/** Quantiles of what a histogram has taken in since, linear within a bucket as Prometheus has it; null without any. */
export function quantiles(before, now, name, ranks, pleases = () => true) {
  const buckets = new Map();
  for (const { labels, value } of growth(before, now, `${name}_bucket`)) {
    if (pleases(labels)) {
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    }
  }
  const sorted = [...buckets].sort(([left], [right]) => left - right);
  const total = sorted.at(-1)?.[1] ?? 0;
  return ranks.map(rank => total === 0 ? null : within(sorted, rank * total));
}

function within(buckets, rank) {
  let [lower, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank && count > below) {
      return bound === Infinity ? lower : lower + (bound - lower) * (rank - below) / (count - below);
    }
    [lower, below] = [bound, count];
  }
  return lower;
}
