// The plan of the model as tables: how modules are split, what is exchanged, and what the planner expects of it.

import {el} from './dom.js';

/** "92.2 KB", as the program writes bytes. */
export function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; ++unit) value /= 1000;
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** A table in a frame that scrolls; columns whose names begin with # hold numbers. */
export function table(caption, columns, rows) {
  const kind = columns.map((name) => (name.startsWith('#') ? '.number' : ''));
  const cells = (tag, row) => el('tr', {}, row.map((cell, i) => el(tag + kind[i], tag === 'th' ? {scope: 'col'} : {}, cell)));
  return el('div.wide', {tabindex: '0', role: 'region', 'aria-label': caption}, el('table', {}, el('caption', {}, caption),
    el('thead', {}, cells('th', columns.map((name) => name.replace(/^#/, '')))), el('tbody', {}, rows.map((row) => cells('td', row)))));
}

function range(values) {
  const least = Math.min(...values), most = Math.max(...values);
  return least === most ? bytes(most) : `${bytes(least)} – ${bytes(most)}`;
}

// The bytes of a module on each rank, as bars beside one another.
function bars(values, most) {
  const label = values.map((value, rank) => `rank ${rank}: ${bytes(value)}`).join(', ');
  return el('span.bars', {title: label, role: 'img', 'aria-label': label},
    values.map((value) => el('meter', {min: 0, max: most || 1, value, 'aria-hidden': 'true'})));
}

const SHOWN_BARS = 16;  // ranks beyond are told by numbers alone

function moduleRows(plan) {
  const most = Math.max(...plan.modules.flatMap(({bytes_per_rank: each, count}) => each.map((value) => value * count)));
  return plan.modules.map(({module, count, placement, split_by: axis, bytes_per_rank: each, why}) => [
    el('code', {}, module), String(count), el(`span.placement.${placement}`, {}, placement), axis || '–', range(each),
    range(each.map((value) => value * count)),
    each.length <= SHOWN_BARS ? bars(each.map((value) => value * count), most) : '', why]);
}

function predictionRows(plan) {
  return plan.predictions.map((p) => [String(p.ranks), (1 / p.decode_seconds).toFixed(1),
    `${(100 * p.decode_exchange_seconds / p.decode_seconds).toFixed(1)}%`, p.limited_by]);
}

/** What GET /plan gives, for people. */
export function planView(plan) {
  const ranks = `${plan.ranks} rank${plan.ranks === 1 ? '' : 's'}`;
  return [
    el('p.summary', {}, `${plan.architecture} over ${ranks}, plan `, el('code', {}, plan.hash),
      `. ${(plan.parameters / 1e6).toLocaleString('en', {maximumFractionDigits: 1})} million parameters; weights ${bytes(plan.stored_bytes)}, ` +
      `on each rank ${range(plan.weight_bytes_per_rank)}. Cache of a token ${range(plan.cache_bytes_per_token_and_rank)} on each rank. ` +
      `${plan.collectives_per_step} exchanges in a step, ${bytes(plan.collective_bytes_per_token)} for a token.`),
    table('Modules', ['Module', '#Count', 'Placement', 'Split by', '#Each, per rank', '#All, per rank', 'By rank', 'Why'], moduleRows(plan)),
    plan.exchanges.length > 0 && table('Exchanges', ['Exchange', '#Count', '#Each, per token', 'Of'], plan.exchanges.map((e) =>
      [e.kind, String(e.count), bytes(e.bytes_per_token), el('code', {}, e.of)])),
    table('Predicted for one answer alone', ['#Ranks', '#Tokens/s', '#Of which exchanges', 'Limited by'], predictionRows(plan)),
  ];
}
