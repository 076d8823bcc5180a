// Markdown as models write it, as DOM nodes. What stands in a text can only become text, and links to http, https and
// mailto; HTML is shown as it is written. Every part takes a time that grows linearly with the text, whatever it says.

import {copyButton, el} from './dom.js';
import {blocksOf} from './markdown_blocks.js';
import {inlineInto} from './markdown_inline.js';

/** A block of code with its language and a button that copies it. */
export function codeBlock(text, language = '') {
  return el('figure.code', {},
    el('figcaption', {}, el('span', {}, language.split(/\s/)[0].slice(0, 40) || 'text'), copyButton(() => text)),
    el('pre', {tabindex: '0'}, el('code', {}, text)));
}

function listNode(block) {
  const list = el(block.ordered ? 'ol' : 'ul', block.ordered && block.start !== 1 ? {start: block.start} : {});
  for (const blocks of block.items) {
    const item = el('li');
    const first = blocks[0];
    const task = first?.kind === 'paragraph' ? /^\[([ xX])\] /.exec(first.text) : null;
    if (task) {
      item.append(el('input', {type: 'checkbox', disabled: true, checked: task[1] !== ' '}), ' ');
      first.text = first.text.slice(4);
    }
    blocks.forEach((inner, index) => {
      if (index === 0 && inner.kind === 'paragraph') inlineInto(item, inner.text);
      else item.append(nodeOf(inner));
    });
    list.append(item);
  }
  return list;
}

function tableNode(block) {
  const row = (cells, tag) => el('tr', {}, block.head.map((_, i) =>
    inlineInto(el(`${tag}.${block.align[i] ?? 'start'}`), cells[i] ?? '')));
  return el('div.wide', {tabindex: '0'}, el('table', {},
    el('thead', {}, row(block.head, 'th')), el('tbody', {}, block.rows.map((cells) => row(cells, 'td')))));
}

function nodeOf(block) {
  switch (block.kind) {
    case 'code': return codeBlock(block.text, block.language);
    case 'heading': return inlineInto(el(`h${Math.min(6, block.level + 2)}`), block.text);
    case 'quote': return el('blockquote', {}, block.blocks.map(nodeOf));
    case 'list': return listNode(block);
    case 'table': return tableNode(block);
    case 'rule': return el('hr');
    default: return inlineInto(el('p'), block.text);
  }
}

/** A text in an element, which can grow: blocks that have not changed keep their nodes, and what is selected in them. */
export class MarkdownView {
  constructor(element) {
    this.element = element;
    this.raws = [];
    this.text = null;
  }

  update(text) {
    if (text === this.text) return;
    this.text = text;
    const blocks = blocksOf(text.replaceAll('\r\n', '\n').split('\n'));
    let same = 0;
    while (same < blocks.length && same < this.raws.length && blocks[same].raw === this.raws[same]) ++same;
    while (this.element.childNodes.length > same) this.element.lastChild.remove();
    for (const block of blocks.slice(same)) this.element.append(nodeOf(block));
    this.raws = blocks.map((block) => block.raw);
  }
}
