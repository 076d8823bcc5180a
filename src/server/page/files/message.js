// One message of a conversation on the page, which follows its node as that grows.

import {button, copyButton, el} from './dom.js';
import {MarkdownView, codeBlock} from './markdown.js';

const NAMES = {user: 'You', assistant: 'Model', tool: 'Tool result'};
const CONFIRM_MS = 3000;

const seconds = (value) => (value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(0)} s`);
const count = (value, what) => `${value.toLocaleString('en')} ${what}${value === 1 ? '' : 's'}`;

/** A button that asks again before it acts. */
export function confirmButton(label, act, properties = {}) {
  let asked = false;
  const result = button(label, () => {
    if (asked) return act();
    asked = true;
    result.textContent = 'Really delete?';
    result.classList.add('danger');
    setTimeout(() => {
      asked = false;
      result.textContent = label;
      result.classList.remove('danger');
    }, CONFIRM_MS);
  }, properties);
  return result;
}

/** What is told below an answer: "77 tokens · 324.7 tokens/s · first token 0.05 s · prompt 37, 32 cached". */
export function statsText(stats, state) {
  const parts = [];
  if (stats?.tokens) parts.push(count(stats.tokens, 'token'));
  if (stats?.rate) parts.push(`${stats.rate.toFixed(1)} tokens/s`);
  if (stats?.firstToken) parts.push(`first token ${seconds(stats.firstToken)}`);
  if (stats?.prompt) parts.push(`prompt ${stats.prompt.toLocaleString('en')}${stats.cached ? `, ${stats.cached.toLocaleString('en')} cached` : ''}`);
  if (state === 'stopped') parts.push('stopped');
  if (state === 'interrupted') parts.push('interrupted');
  if (stats?.finish === 'length') parts.push('cut: no tokens left');
  return parts.join(' · ');
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function callNode(call) {
  return el('section.call', {'aria-label': `Call of ${call.name}`},
    el('p', {}, 'Calls ', el('b', {}, call.name), el('span.id', {}, call.id)), codeBlock(pretty(call.arguments), 'arguments'));
}

export class MessageView {
  /** `actions`: what is done with a message; see ChatView. */
  constructor(node, actions) {
    this.node = node;
    this.actions = actions;
    this.drawn = {};
    this.body = el('div.body');
    this.footer = el('footer');
    this.versions = el('span.versions');
    this.header = el('header', {}, el('span.who', {}, NAMES[node.role]), this.versions);
    this.element = el(`article.message.${node.role}`, {'aria-label': NAMES[node.role], 'data-id': node.id},
      this.header, this.body, this.footer);
    if (node.role === 'assistant') this.makeParts();
  }

  makeParts() {
    this.summary = el('summary');
    const thoughts = el('div.markdown'), text = el('div.markdown');
    this.thoughts = new MarkdownView(thoughts);
    this.text = new MarkdownView(text);
    this.reasoning = el('details.reasoning', {hidden: true}, this.summary, thoughts);
    this.calls = el('div');
    this.live = el('span.stats');
    this.wait = el('p.wait', {hidden: true}, 'Reading the prompt');
    this.error = el('div.error', {hidden: true, role: 'alert'});
    this.body.append(this.reasoning, text, this.calls, this.wait, this.error);
  }

  // Draws a part again where what it shows has changed.
  once(name, value, draw) {
    if (this.drawn[name] === value) return;
    this.drawn[name] = value;
    draw();
  }

  /** Shows what the node holds now. `siblings`: all versions of it; `isLast`: nothing is said behind it. */
  update(siblings, isLast) {
    const {node} = this;
    if (this.editor) return;
    if (node.role === 'assistant') this.updateAnswer();
    else this.once('text', node.content, () => this.body.replaceChildren(el('div.plain', {}, node.content)));
    this.element.classList.toggle('streaming', node.state === 'streaming');
    const index = siblings.indexOf(node);
    this.once('versions', `${index}/${siblings.length}`, () => this.drawVersions(siblings, index));
    const key = [node.state, isLast, node.finish, Boolean(node.content), JSON.stringify(node.stats)].join();
    this.once('footer', key, () => this.drawFooter(isLast));
  }

  updateAnswer() {
    const {node} = this;
    const reads = node.state === 'streaming' && !node.content && !node.calls?.length;
    this.wait.hidden = !reads || Boolean(node.reasoning);
    this.text.update(node.content);
    this.reasoning.hidden = !node.reasoning;
    if (node.reasoning) this.thoughts.update(node.reasoning);
    const time = node.stats?.reasoning ? ` for ${seconds(node.stats.reasoning)}` : '';
    this.summary.textContent = reads ? 'Reasoning…' : `Reasoned${time}`;
    this.once('calls', JSON.stringify(node.calls ?? []), () => this.calls.replaceChildren(...(node.calls ?? []).map(callNode)));
    this.once('error', JSON.stringify(node.error ?? null), () => this.drawError());
  }

  drawError() {
    const {error} = this.node;
    this.error.hidden = !error;
    if (!error) return;
    const wait = error.retryAfter ? `The server asks to try again in ${error.retryAfter} s.` : '';
    this.error.replaceChildren(el('p', {}, error.message), el('p.details', {}, [error.details, wait].filter(Boolean).join(' · ')),
      button('Try again', () => this.actions.regenerate(this.node)));
  }

  drawVersions(siblings, index) {
    if (siblings.length < 2) return this.versions.replaceChildren();
    const go = (step) => () => this.actions.show(siblings[index + step]);
    this.versions.replaceChildren(
      button('‹', go(-1), {disabled: index === 0, 'aria-label': 'Earlier version'}),
      `${index + 1}/${siblings.length}`,
      button('›', go(1), {disabled: index === siblings.length - 1, 'aria-label': 'Later version'}));
  }

  /** Shows how an answer under way gets on. */
  progress(stats) {
    this.wait.textContent = stats.waited >= 1 ? `Reading the prompt, ${stats.waited.toFixed(0)} s` : 'Reading the prompt';
    this.live.textContent = statsText(stats, 'streaming');
  }

  drawFooter(isLast) {
    const {node, actions} = this;
    if (node.state === 'streaming') return this.footer.replaceChildren(this.live);
    const isAnswer = node.role === 'assistant';
    const unfinished = node.state !== 'done' || node.finish === 'length';
    const buttons = el('span.actions', {},
      isAnswer && isLast && node.content && unfinished && button('Continue', () => actions.continueAnswer(node)),
      isAnswer && button('Regenerate', () => actions.regenerate(node)),
      copyButton(() => node.content),
      node.role !== 'tool' && button('Edit', () => this.edit()),
      confirmButton('Delete', () => actions.remove(node)));
    if (isAnswer) return this.footer.replaceChildren(buttons, el('span.stats', {}, statsText(node.stats, node.state)));
    this.buttons?.remove();
    this.buttons = buttons;
    this.header.append(buttons);
  }

  edit() {
    const {node} = this;
    const area = el('textarea', {'aria-label': 'Edit the message', rows: Math.min(20, node.content.split('\n').length + 1)});
    area.value = node.content;
    const close = () => {
      this.editor.remove();
      this.editor = null;
      this.body.hidden = this.footer.hidden = false;
    };
    const take = () => {
      if (node.role === 'user' && !this.actions.mayAsk()) return;
      close();
      if (area.value.trim() && area.value !== node.content) this.actions.edit(node, area.value);
    };
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') close();
      else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) take();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.editor = el('div.editor', {}, area, el('div.row', {},
      button(node.role === 'user' ? 'Send' : 'Keep', take, {class: 'primary'}), button('Cancel', close)));
    this.body.hidden = this.footer.hidden = true;
    this.element.insertBefore(this.editor, this.footer);
    area.focus();
  }
}
