// What an operator wants to know, computed from samples of the server's gauges and counters (GET /status/history, and
// `now` of GET /status): columns of numbers by name, in the order of time.

export const WINDOW = 300;         // seconds that are kept
export const RECENT = 60;          // seconds of "lately"
const HIT_SECONDS = 30;            // over which a rate of hits is taken

export class Samples {
  constructor() {
    this.columns = {uptime_seconds: []};
  }

  /** Takes what the server remembers. */
  begin(columns) {
    this.columns = columns;
  }

  /** Adds a sample. Earlier ones are forgotten where the server has begun anew. */
  add(sample) {
    const times = this.columns.uptime_seconds;
    if (times.length && sample.uptime_seconds <= times.at(-1)) {
      if (sample.uptime_seconds > times.at(-1) - 1) return;
      this.columns = {};
    }
    for (const [name, value] of Object.entries(sample)) (this.columns[name] ??= []).push(value);
    while (this.columns.uptime_seconds[0] < sample.uptime_seconds - WINDOW)
      for (const column of Object.values(this.columns)) column.shift();
  }

  get times() {
    return this.columns.uptime_seconds;
  }

  /** A gauge as it is. */
  gauge(name) {
    return this.columns[name] ?? [];
  }

  // The growth of a counter over each sample's time since the one `seconds` before it; 0 where it fell.
  growth(name, seconds = 0) {
    const column = this.columns[name] ?? [], {times} = this;
    let from = 0;
    return column.map((value, t) => {
      if (t === 0) return null;
      while (from < t - 1 && times[t] - times[from + 1] >= seconds) ++from;
      return Math.max(0, value - column[from]);
    });
  }

  /** A counter's growth per second. */
  rate(name) {
    return this.growth(name).map((value, t) => (value == null ? null : value / (this.times[t] - this.times[t - 1])));
  }

  /** Milliseconds of a step, by counters of seconds with their signs; nothing where there was no step. */
  perStep(signs) {
    const steps = this.growth('steps');
    const parts = Object.entries(signs).map(([name, sign]) => this.growth(name).map((value) => sign * value));
    const sum = (t) => parts.reduce((total, part) => total + part[t], 0);
    return steps.map((count, t) => (count > 0 ? Math.max(0, 1000 * sum(t) / count) : null));
  }

  /** Which share of prompts' tokens was found in the cache, over the seconds before each sample. */
  hits() {
    const found = this.growth('cached_tokens', HIT_SECONDS), asked = this.growth('prompt_tokens', HIT_SECONDS);
    return asked.map((count, t) => (count > 0 ? found[t] / count : null));
  }

  /** The growth of a counter over the last minute, and the seconds of that. */
  recent(name) {
    const column = this.columns[name] ?? [], {times} = this;
    if (!column.length) return {growth: 0, seconds: 0};
    const from = Math.max(0, times.findIndex((time) => time >= times.at(-1) - RECENT));
    return {growth: Math.max(0, column.at(-1) - column[from]), seconds: times.at(-1) - times[from]};
  }
}

/**
 * The value that a share of what a histogram counts does not exceed, estimated within its ranges; Infinity beyond
 * them, null without counts.
 */
export function quantile({bounds, counts}, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let rest = share * total;
  for (let i = 0; i < bounds.length; ++i) {
    const low = i > 0 ? bounds[i - 1] : 0;
    if (rest <= counts[i]) return counts[i] > 0 ? low + (bounds[i] - low) * rest / counts[i] : low;
    rest -= counts[i];
  }
  return Infinity;
}

/** Histograms as they come, so that those of the last minute can be told from all. */
export class RecentHistogram {
  constructor() {
    this.kept = [];  // [seconds, counts]
  }

  add(seconds, {bounds, counts}) {
    if (this.kept.length && seconds < this.kept.at(-1)[0]) this.kept = [];
    this.all = {bounds, counts};
    this.kept.push([seconds, counts]);
    while (this.kept.length > 2 && this.kept[1][0] <= seconds - RECENT) this.kept.shift();
  }

  get recent() {
    const [, before] = this.kept[0];
    return {bounds: this.all.bounds, counts: this.all.counts.map((count, i) => count - before[i])};
  }
}
