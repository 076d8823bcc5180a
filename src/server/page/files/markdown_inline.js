// What stands in a line of Markdown: emphasis, code, links. Nodes are made at once, and each step takes a time that does not
// depend on what comes later.

import {el} from './dom.js';

// Marks of emphasis and links that wait for their ends, at most; also bounds how deep elements nest.
const MAX_OPEN = 64;
// Marks of an emphasis beside one another, which nest elements as well; longer runs are text.
const MAX_RUN = 6;

// The address of a link, where it is one that may be followed; otherwise null.
function safeAddress(text) {
  try {
    const address = new URL(text);
    return ['http:', 'https:', 'mailto:'].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

function link(address, children) {
  return el('a', {href: address, title: address, target: '_blank', rel: 'noopener noreferrer nofollow'}, children);
}

const SPECIAL = /[\\`*_~[\]<\n]|!\[|https?:\/\//g;
// Where a link goes: "(ADDRESS)", "(<ADDRESS>)", with a title behind it or none, with single parentheses inside ADDRESS. Blanks
// are taken all or not at all (the lookaheads): otherwise a run of them would be tried in every division.
const DESTINATION = /\(\s*(?!\s)(<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+(?!\s)(?:"[^"\n]*"|'[^'\n]*'))?\s*\)/y;
const ANGLE_LINK = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/y;
const BARE_LINK = /https?:\/\/[^\s<>"'`\]]{1,2000}/y;

function match(expression, text, at) {
  expression.lastIndex = at;
  return expression.exec(text);
}

// The inline parts of one block. Nodes are appended to `parent` as they are read; where the end of an emphasis or a link
// is found, what lies behind its begin moves into an element.
class Inline {
  constructor(text, parent) {
    this.text = text;
    this.parent = parent;
    this.open = [];  // marks that may begin an emphasis or a link, with the text nodes that show them meanwhile
    this.backticks = null;
  }

  run() {
    let at = 0;
    while (at < this.text.length) {
      const found = match(SPECIAL, this.text, at);
      const special = found ? found.index : this.text.length;
      if (special > at) this.add(this.text.slice(at, special));
      at = special < this.text.length ? this.take(special) : special;
    }
  }

  add(what) {
    this.parent.append(what);
  }

  // Takes what begins at a special character; gives where it ends.
  take(at) {
    const c = this.text[at];
    if (c === '\n') return this.takeBreak(at);
    if (c === '\\') return this.takeEscape(at);
    if (c === '`') return this.takeCode(at);
    if (c === '<') return this.takeAngle(at);
    if (c === 'h') return this.takeBareLink(at);
    if (c === ']') return this.takeBracketEnd(at);
    if (c === '[' || c === '!') return this.takeBracket(at, c === '!' ? 2 : 1);
    return this.takeEmphasis(at);
  }

  takeBreak(at) {
    this.parent.append(el('br'));
    return at + 1;
  }

  takeEscape(at) {
    const next = this.text[at + 1] ?? '';
    if (next === '\n') return at + 1;
    const escaped = /[!-/:-@[-`{-~]/.test(next);
    this.add(escaped ? next : '\\');
    return at + (escaped ? 2 : 1);
  }

  // Where runs of backticks are, by their length: so that a run without an end is found out at once.
  backtickRuns() {
    if (this.backticks) return this.backticks;
    this.backticks = new Map();
    for (const run of this.text.matchAll(/`+/g)) {
      const length = run[0].length;
      if (!this.backticks.has(length)) this.backticks.set(length, []);
      this.backticks.get(length).push(run.index);
    }
    for (const places of this.backticks.values()) places.reverse();
    return this.backticks;
  }

  takeCode(at) {
    let length = 1;
    while (this.text[at + length] === '`') ++length;
    const places = this.backtickRuns().get(length) ?? [];
    while (places.length && places.at(-1) <= at) places.pop();
    if (!places.length) {
      this.add('`'.repeat(length));
      return at + length;
    }
    const end = places.pop();
    const code = this.text.slice(at + length, end).replaceAll('\n', ' ');
    this.add(el('code', {}, code.startsWith(' ') && code.endsWith(' ') && /[^ ]/.test(code) ? code.slice(1, -1) : code));
    return end + length;
  }

  takeAngle(at) {
    const found = match(ANGLE_LINK, this.text, at);
    const address = found && safeAddress(found[1]);
    if (!address) {
      this.add('<');
      return at + 1;
    }
    this.add(link(address, found[1]));
    return at + found[0].length;
  }

  takeBareLink(at) {
    const found = match(BARE_LINK, this.text, at);
    const whole = found ? found[0] : '';
    const last = whole.includes('(') ? '.,;:!?*_~' : '.,;:!?*_~)';
    let end = whole.length;
    while (end > 0 && last.includes(whole[end - 1])) --end;
    const shown = whole.slice(0, end);
    const address = safeAddress(shown);
    if (!address) {
      this.add('h');
      return at + 1;
    }
    this.add(link(address, shown));
    return at + shown.length;
  }

  takeBracket(at, length) {
    const node = document.createTextNode(this.text.slice(at, at + length));
    this.add(node);
    if (this.open.length < MAX_OPEN) this.open.push({mark: '[', node, count: 1, image: length === 2});
    return at + length;
  }

  takeBracketEnd(at) {
    const index = this.open.findLastIndex((entry) => entry.mark === '[');
    const found = index >= 0 ? match(DESTINATION, this.text, at + 1) : null;
    const address = found && safeAddress(found[1].replace(/^<|>$/g, ''));
    if (!address) {
      if (index >= 0) this.open.splice(index, 1);
      this.add(']');
      return at + 1;
    }
    const {node, image} = this.open[index];
    const element = this.wrap(index, link(address, image ? 'Image: ' : []));
    for (const inner of element.querySelectorAll('a')) {
      while (inner.firstChild) inner.before(inner.firstChild);
      inner.remove();
    }
    node.remove();
    this.open.length = index;
    return at + 1 + found[0].length;
  }

  // Moves all nodes behind an open mark into `element`, which takes their place.
  wrap(index, element) {
    const {node} = this.open[index];
    while (node.nextSibling) element.append(node.nextSibling);
    this.add(element);
    return element;
  }

  takeEmphasis(at) {
    const mark = this.text[at];
    let count = 1;
    while (this.text[at + count] === mark) ++count;
    if (count > MAX_RUN) {
      this.add(mark.repeat(count));
      return at + count;
    }
    const before = this.text[at - 1] ?? ' ', after = this.text[at + count] ?? ' ';
    const isSpace = (c) => /\s/u.test(c), isMark = (c) => /[\p{P}\p{S}]/u.test(c);
    const left = !isSpace(after) && (!isMark(after) || isSpace(before) || isMark(before));
    const right = !isSpace(before) && (!isMark(before) || isSpace(after) || isMark(after));
    const opens = mark === '_' ? left && (!right || isMark(before)) : left;
    const closes = mark === '_' ? right && (!left || isMark(after)) : right;
    const rest = closes ? this.close(mark, count, opens) : count;
    if (rest > 0) {
      const node = document.createTextNode(mark.repeat(rest));
      this.add(node);
      const useful = mark !== '~' || rest === 2;
      if (opens && useful && this.open.length < MAX_OPEN) this.open.push({mark, node, count: rest, closes, total: count});
    }
    return at + count;
  }

  // Ends as many emphases as `count` marks can; gives how many marks are left.
  close(mark, count, opens) {
    const total = count;
    while (count > 0 && (mark !== '~' || count === 2)) {
      // CommonMark's rule of three keeps `**a*b**` from being torn.
      const fits = (entry) => entry.mark === mark &&
        !((entry.closes || opens) && (entry.total + total) % 3 === 0 && (entry.total % 3 !== 0 || total % 3 !== 0));
      const index = this.open.findLastIndex(fits);
      if (index < 0) break;
      const opener = this.open[index];
      const used = opener.count >= 2 && count >= 2 ? 2 : 1;
      this.wrap(index, el(mark === '~' ? 's' : used === 2 ? 'strong' : 'em'));
      count -= used;
      opener.count -= used;
      opener.node.data = mark.repeat(opener.count);
      this.open.length = index + (opener.count > 0 ? 1 : 0);
      if (opener.count === 0) opener.node.remove();
    }
    return count;
  }
}

/** Adds a text with its emphases, code and links to an element, which is given back. */
export function inlineInto(element, text) {
  new Inline(text, element).run();
  return element;
}
