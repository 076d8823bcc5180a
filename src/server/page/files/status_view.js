// The operator's view: what the server does at present and did in the last minutes.

import {Chart} from './chart.js';
import {byId, button, el} from './dom.js';
import {bytes, planView, table} from './plan_view.js';
import {RECENT, RecentHistogram, Samples, WINDOW, quantile} from './samples.js';
import {getJson, request} from './server.js';

const POLL_MS = 1000, SLOW_POLL_MS = 5000;
const STATES = {loading: 'loading the model', serving: 'serving', busy: 'full', ending: 'ending', failed: 'failed', stuck: 'stuck'};

const whole = (value) => Math.round(value).toLocaleString('en');
const percent = (value) => `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)}%`;
const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`);
const orDash = (value, format) => (value == null ? '–' : format(value));

function duration(seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return `${Math.floor(seconds)} s`;
  const [unit, size] = units[first], [below, part] = units[first + 1] ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit} ${Math.floor(seconds % size / part)} ${below}`;
}

export class StatusView {
  constructor() {
    this.samples = new Samples();
    this.firstToken = new RecentHistogram();
    this.gaps = new RecentHistogram();
    this.requests = new Chart('Requests', [{label: 'computed', color: 'a'}, {label: 'waiting', color: 'b'}], {format: whole});
    this.tokens = new Chart('Tokens per second', [{label: 'out', color: 'a'}, {label: 'in, computed', color: 'b'},
      {label: 'in, cached', color: 'c'}], {format: whole});
    this.steps = new Chart('Time of a step', [{label: 'compute', color: 'a'}, {label: 'exchange', color: 'b'},
      {label: 'host', color: 'c'}], {format: milliseconds, stacked: true});
    this.cache = new Chart('Key-value cache', [{label: 'in use', color: 'a'}, {label: 'cached', color: 'b'}],
      {format: percent, stacked: true, maximum: 1});
    this.hits = new Chart('Prompt tokens found in the cache', [{label: 'of the last 30 s', color: 'a'}], {format: percent, maximum: 1});
    this.latency = el('section.card', {});
    this.headline = byId('headline');
    this.tables = el('div');
    this.plan = el('section.plan');
    byId('server').append(
      el('div.cards', {}, this.requests.element, this.tokens.element, this.steps.element, this.cache.element,
        this.hits.element, this.latency), this.tables, this.plan);
    document.addEventListener('visibilitychange', () => this.visible && !document.hidden && this.begin());
  }

  show() {
    this.visible = true;
    this.begin();
  }

  hide() {
    this.visible = false;
    clearTimeout(this.timer);
  }

  // Asks for the past where there is none or a hole in it, then again and again for the present.
  async begin() {
    const turn = this.turn = (this.turn ?? 0) + 1;
    clearTimeout(this.timer);
    try {
      this.samples.begin(await getJson('status/history'));
      if (!this.hasPlan) this.drawPlan(await getJson('plan', {quiet: true}));
    } catch { /* the poll says why */ }
    if (turn === this.turn) this.poll(turn);
  }

  async poll(turn) {
    let wait = POLL_MS;
    try {
      const status = await getJson('status', {quiet: true, signal: AbortSignal.timeout(10_000)});
      this.draw(status);
      if (!this.hasPlan && status.model) this.drawPlan(await getJson('plan', {quiet: true}));
    } catch (error) {
      this.drawAway(error);
      wait = SLOW_POLL_MS;
    }
    if (turn === this.turn && this.visible && !document.hidden) this.timer = setTimeout(() => this.poll(turn), wait);
  }

  drawAway(error) {
    const since = this.lastAnswer ? `No answer for ${duration((Date.now() - this.lastAnswer) / 1000)}.` : '';
    const enter = () => request('status').then(() => this.begin(), () => {});
    this.drawLine(['span.dot.away', ''], ['b', error.message, {role: 'alert'}], since && ['span', since],
      error.status === 401 && ['button', 'Enter a key', {type: 'button', onclick: enter}]);
    this.shade(true);
  }

  // Shows parts in the first line, as [element, text, properties]. Where they are of the same kinds as before, only texts
  // change: what is selected or focused stays, and alerts are read out once.
  drawLine(...parts) {
    const shown = parts.filter(Boolean), kinds = shown.map(([what]) => what).join();
    if (kinds !== this.lineKinds) {
      this.lineKinds = kinds;
      return this.headline.replaceChildren(...shown.map(([what, text, properties]) => el(what, properties, text)));
    }
    shown.forEach(([, text], i) => {
      const element = this.headline.childNodes[i];
      if (element.textContent !== text) element.textContent = text;
    });
  }

  shade(away) {
    byId('server').classList.toggle('away', away);
  }

  draw(status) {
    this.lastAnswer = Date.now();
    if (status.now.uptime_seconds < this.uptime) this.hasPlan = false;  // it is another server
    this.uptime = status.now.uptime_seconds;
    this.samples.add(status.now);
    this.firstToken.add(status.now.uptime_seconds, status.first_token_seconds);
    this.gaps.add(status.now.uptime_seconds, status.inter_token_seconds);
    this.drawHeadline(status);
    this.drawCharts(status);
    this.drawLatency();
    this.drawTables(status);
    this.shade(false);
  }

  drawHeadline({state, problem, model, now, ranks, seconds_in_step: inStep}) {
    const facts = [model && `${model.architecture} over ${ranks.length} rank${ranks.length === 1 ? '' : 's'}`,
      model && `context ${whole(model.context)}`, `up ${duration(now.uptime_seconds)}`,
      `${whole(now.connections)} connection${now.connections === 1 ? '' : 's'}`,
      inStep > 1 && `in this step for ${inStep.toFixed(1)} s`];
    this.drawLine([`span.dot.${state}`, ''], ['b', model?.name ?? 'No model yet'], ['span', STATES[state] ?? state],
      ...facts.filter(Boolean).map((fact) => ['span', fact]), problem && state !== 'serving' && ['span.problem', problem]);
  }

  drawCharts({now}) {
    const {samples} = this;
    const window = Math.min(WINDOW, Math.max(RECENT, now.uptime_seconds - samples.times[0]));
    const draw = (chart, values) => chart.update(samples.times, values, now.uptime_seconds, window);
    draw(this.requests, [samples.gauge('running'), samples.gauge('waiting')]);
    draw(this.tokens, ['generated_tokens', 'computed_prompt_tokens', 'cached_tokens'].map((name) => samples.rate(name)));
    draw(this.steps, [samples.perStep({step_seconds: 1, exchange_seconds: -1, host_seconds: -1}),
      samples.perStep({exchange_seconds: 1}), samples.perStep({host_seconds: 1})]);
    const blocks = samples.gauge('kv_blocks');
    draw(this.cache, ['kv_used', 'kv_cached'].map((name) => samples.gauge(name).map((value, t) => (blocks[t] ? value / blocks[t] : null))));
    draw(this.hits, [samples.hits()]);
  }

  drawLatency() {
    const written = (counts, share) => orDash(quantile(counts, share), (value) =>
      (value === Infinity ? `> ${milliseconds(1000 * counts.bounds.at(-1))}` : milliseconds(1000 * value)));
    const rows = (label, histogram) => [[`${label}, last minute`, histogram.recent], [`${label}, all`, histogram.all]]
      .map(([name, counts]) => [name, ...[0.5, 0.95, 0.99].map((share) => written(counts, share))]);
    this.latency.replaceChildren(el('h3', {}, 'Latency, estimated from histograms'),
      table('Latency', ['', '#Median', '#95%', '#99%'], [...rows('First token', this.firstToken), ...rows('Next token', this.gaps)]));
  }

  drawTables(status) {
    const {ranks, requests} = status;
    // Tables that somebody reads in are left alone where nothing is new.
    const drawn = JSON.stringify([ranks, requests, status.finished, status.refused]);
    if (drawn === this.drawnTables) return;
    this.drawnTables = drawn;
    this.tables.replaceChildren(
      el('div.pair', {}, this.totals(status), this.steptable(status)),
      ranks.length ? table('Ranks', ['#Rank', 'Host', '#Process', '#Threads', '#Weights', '#Cache, reserved', '#Activations'],
        ranks.map((rank, i) => [String(i), rank.host, String(rank.pid), String(rank.threads), bytes(rank.weight_bytes),
          bytes(rank.cache_bytes), bytes(rank.activation_bytes)])) : '',
      this.requestTable(requests));
  }

  // One that stays, so that what is below does not jump.
  requestTable(requests) {
    const rows = requests.map((r) => [el('code', {}, r.id), `${r.seconds.toFixed(1)} s`, String(r.answers), whole(r.prompt_tokens),
      whole(r.generated_tokens), r.path]);
    const result = table('Requests under way', ['Request', '#Since', '#Answers', '#Prompt', '#Tokens', 'Path'],
      rows.length ? rows : [['none', '', '', '', '', '']]);
    result.classList.add('bounded');
    return result;
  }

  totals({now, finished, refused}) {
    const counts = (of) => Object.entries(of).filter(([, count]) => count > 0).map(([name, count]) => `${name} ${whole(count)}`).join(', ');
    return table('Since the start', ['What', '#Count', ''], [
      ['Answers ended', whole(Object.values(finished).reduce((sum, count) => sum + count, 0)), counts(finished)],
      ['Requests refused', whole(Object.values(refused).reduce((sum, count) => sum + count, 0)), counts(refused)],
      ['Tokens generated', whole(now.generated_tokens), ''],
      ['Prompt tokens', whole(now.prompt_tokens), now.prompt_tokens ? `${percent(now.cached_tokens / now.prompt_tokens)} found in the cache` : ''],
      ['Answers put back for lack of room', whole(now.preemptions), '']]);
  }

  steptable({now}) {
    const compute = (of) => of('step_seconds') - of('exchange_seconds') - of('host_seconds');
    const recent = (name) => this.samples.recent(name).growth, all = (name) => now[name];
    const share = (part, of) => (of('step_seconds') > 0 ? percent(part(of) / of('step_seconds')) : '–');
    const parts = [['compute', compute], ['exchange between ranks', (of) => of('exchange_seconds')], ['host', (of) => of('host_seconds')]];
    const busy = this.samples.recent('step_seconds');
    return table('Where steps spend their time', ['', '#Last minute', '#Since the start'], [
      ...parts.map(([name, part]) => [name, share(part, recent), share(part, all)]),
      ['mean step', ...[recent, all].map((of) => (of('steps') > 0 ? milliseconds(1000 * of('step_seconds') / of('steps')) : '–'))],
      ['share of all time', busy.seconds > 0 ? percent(Math.min(1, busy.growth / busy.seconds)) : '–',
        percent(Math.min(1, now.step_seconds / now.uptime_seconds))]]);
  }

  drawPlan(plan) {
    this.hasPlan = true;
    this.plan.replaceChildren(el('h2', {}, 'Plan'), ...planView(plan).filter(Boolean));
  }
}
