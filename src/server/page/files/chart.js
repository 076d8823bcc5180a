// Small graphs of the last minutes, drawn as SVG.

import {el, svg} from './dom.js';

const WIDTH = 600, HEIGHT = 100;  // of the drawing; the page stretches it
const GAP_SECONDS = 5;            // without a sample after which a line breaks

// The largest number that is shown: 1, 2 or 5 times a power of ten.
function niceMaximum(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((bound) => bound >= value);
}

export class Chart {
  /**
   * `series`: [{label, color}], where color is a class of the style sheet. `format(value)` writes a value, `stacked` puts
   * series on top of one another, `maximum` is the scale where it is fixed.
   */
  constructor(title, series, {format, stacked = false, maximum = null}) {
    Object.assign(this, {title, series, format, stacked, maximum, times: [], values: []});
    this.readings = series.map(() => el('b'));
    this.when = el('span.when');
    this.scale = el('span.scale');
    this.cursor = svg('line.cursor', {y1: 0, y2: HEIGHT, visibility: 'hidden'});
    this.areas = series.map(({color}) => svg(`path.area.${color}`));
    this.lines = series.map(({color}) => svg(`path.line.${color}`));
    this.drawing = svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img'},
      this.areas, this.lines, this.cursor);
    this.element = el('section.card', {}, el('h3', {}, title, this.when),
      el('p.readings', {}, series.map(({label, color}, i) => el('span', {}, el(`i.key.${color}`), label, ' ', this.readings[i]))),
      el('div.plot', {}, this.scale, this.drawing));
    this.drawing.addEventListener('pointermove', (event) => this.point(event));
    this.drawing.addEventListener('pointerleave', () => this.read(this.times.length - 1));
  }

  /** Shows samples of the `window` seconds before `now`: `values[i]` holds those of series i, null where there is none. */
  update(times, values, now, window) {
    Object.assign(this, {times, values, end: now, window});
    const sums = times.map((_, t) => values.reduce((sum, of) => (this.stacked ? sum + (of[t] ?? 0) : Math.max(sum, of[t] ?? 0)), 0));
    this.top = this.maximum ?? niceMaximum(Math.max(0, ...sums));
    this.scale.textContent = this.format(this.top);
    const below = times.map(() => 0);
    values.forEach((of, i) => this.draw(i, of, below));
    this.read(times.length - 1);
  }

  x(time) {
    return WIDTH * (1 - (this.end - time) / this.window);
  }

  draw(index, of, below) {
    const y = (value) => HEIGHT - 1 - (HEIGHT - 2) * Math.min(1, value / this.top);
    const stretches = [];
    this.times.forEach((time, t) => {
      if (of[t] == null) return;
      const high = (this.stacked ? below[t] : 0) + of[t];
      const last = stretches.at(-1);
      const point = {t, x: this.x(time).toFixed(1), low: y(this.stacked ? below[t] : 0).toFixed(1), high: y(high).toFixed(1)};
      if (last && last.at(-1).t === t - 1 && time - this.times[t - 1] < GAP_SECONDS) last.push(point);
      else stretches.push([point]);
      if (this.stacked) below[t] = high;
    });
    const path = (points, side) => points.map((point) => `${point.x} ${point[side]}`).join('L');
    this.lines[index].setAttribute('d', stretches.map((points) => `M${path(points, 'high')}`).join(''));
    this.areas[index].setAttribute('d', stretches.map((points) =>
      `M${path(points, 'high')}L${path([...points].reverse(), 'low')}Z`).join(''));
  }

  point(event) {
    const box = this.drawing.getBoundingClientRect();
    const time = this.end - this.window * (1 - (event.clientX - box.left) / box.width);
    let nearest = this.times.findIndex((at) => at >= time);
    if (nearest < 0) nearest = this.times.length - 1;
    this.read(nearest);
    if (nearest < 0) return;
    for (const end of ['x1', 'x2']) this.cursor.setAttribute(end, this.x(this.times[nearest]));
    this.cursor.setAttribute('visibility', 'visible');
    this.when.textContent = ` ${Math.round(this.end - this.times[nearest])} s ago`;
  }

  // Writes the values of one sample above the drawing.
  read(t) {
    const shown = this.values.map((of) => (of[t] == null ? '–' : this.format(of[t])));
    shown.forEach((text, i) => { this.readings[i].textContent = text; });
    this.cursor.setAttribute('visibility', 'hidden');
    this.when.textContent = '';
    this.drawing.setAttribute('aria-label',
      `${this.title}, the last ${Math.round(this.window)} seconds. Now: ${this.series.map(({label}, i) => `${label} ${shown[i]}`).join(', ')}`);
  }
}
