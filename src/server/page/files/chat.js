// The view of a conversation: its messages, what is being written, and the answers that are under way.

import {Answering} from './answering.js';
import {
  STALE_MS, append, children, interruptStale, newConversation, openCalls, path, remove, show,
} from './conversation.js';
import {announce, byId, button, el} from './dom.js';
import {MessageView, statsText} from './message.js';
import {SamplingForm, parseFurther} from './sampling.js';
import * as store from './store.js';
import {session} from './web_storage.js';

const DRAFT = 'cleave.draft';  // of the tab: what is being written
const NEAR_END = 48;           // pixels from the end within which the view follows an answer

export class ChatView {
  /** `changed()` is called where the list of conversations may be another. */
  constructor(changed) {
    this.changed = changed;
    this.answerings = new Map();  // by conversation
    this.views = new Map();       // by message
    this.drafts = new Map();      // what is being written, by conversation
    this.dirty = new Set();       // messages that have grown since they were drawn
    this.follows = true;
    this.scroller = byId('scroller');
    this.list = byId('messages');
    this.input = byId('input');
    this.form = new SamplingForm((settings, system) => this.takeSettings(settings, system));
    this.listen();
  }

  listen() {
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.answering) this.answering.stop();
      else this.send();
    });
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.answering) this.send();
    });
    this.input.addEventListener('input', () => this.fit());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) this.answering?.stop();
    });
    this.scroller.addEventListener('scroll', () => {
      const {scrollTop, scrollHeight, clientHeight} = this.scroller;
      this.follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
      byId('to-end').hidden = this.follows;
    });
    byId('to-end').addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.follows && this.toEnd()).observe(this.list);
    addEventListener('pagehide', () => {
      session.set(DRAFT, JSON.stringify([this.conversation?.id, this.input.value]));
      for (const answering of this.answerings.values()) answering.leave();
    });
    addEventListener('pageshow', ({persisted}) => persisted && location.reload());
    store.onChange((id, isGone) => {
      if (isGone) this.drop(id);
      else if (id === this.conversation?.id) this.takeNews();
      this.changed();
    });
  }

  /** The answer to the conversation that is shown, while it is under way. */
  get answering() {
    return this.answerings.get(this.conversation?.id);
  }

  /** Shows a conversation; a new one where there is none of that name. */
  open(id) {
    if (this.conversation) this.drafts.set(this.conversation.leaf ? this.conversation.id : undefined, this.input.value);
    const defaults = store.defaults();
    this.conversation = this.answerings.get(id)?.conversation ?? store.load(id) ??
      newConversation(defaults.settings, defaults.system);
    this.form.show(this.conversation.settings, this.conversation.system);
    this.input.value = this.drafts.get(id) ?? this.storedDraft(id);
    this.drafts.delete(id);
    this.fit();
    this.follows = true;
    this.render();
    this.toEnd();
    return this.conversation.id;
  }

  // Another tab has written to the conversation that is shown.
  takeNews() {
    const {conversation} = this, {settled} = conversation;
    store.refresh(conversation);
    if (conversation.settled !== settled) this.form.show(conversation.settings, conversation.system);
    this.render();
  }

  // Another tab has removed a conversation.
  drop(id) {
    this.answerings.get(id)?.drop();
    if (id !== this.conversation?.id) return;
    const written = this.input.value;
    this.open();
    this.input.value ||= written;
    this.fit();
  }

  // What was being written when the page was left; that of a conversation without a message belongs to any new one.
  storedDraft(id) {
    const [of, text] = JSON.parse(session.get(DRAFT)) ?? [];
    session.remove(DRAFT);
    return of === id || (!id && !store.load(of)) ? text ?? '' : '';
  }

  takeSettings(settings, system) {
    Object.assign(this.conversation, {settings, system, settled: Date.now()});
    store.saveDefaults(settings, system);
    if (this.conversation.leaf) this.save();
  }

  save() {
    this.note(store.save(this.conversation));
    this.changed();
  }

  note(problem) {
    byId('notice').textContent = problem ?? '';
    byId('notice').hidden = !problem;
  }

  /** Draws all messages anew; those that stay keep their elements. */
  render() {
    clearTimeout(this.staleTimer);
    const isFollowed = interruptStale(this.conversation, this.answering?.node);
    if (isFollowed) this.staleTimer = setTimeout(() => this.render(), STALE_MS);
    const shown = path(this.conversation);
    const below = children(this.conversation);
    const views = new Map();
    for (const node of shown) {
      const known = this.views.get(node.id);
      views.set(node.id, known?.node === node ? known : new MessageView(node, this));
    }
    this.views = views;
    shown.forEach((node, i) => views.get(node.id).update(below.get(node.parent), i === shown.length - 1));
    this.list.replaceChildren(...[...views.values()].map((view) => view.element), ...this.resultForm());
    byId('empty').hidden = shown.length > 0;
    this.drawComposer();
  }

  drawComposer() {
    const busy = Boolean(this.answering);
    const send = byId('send');
    send.textContent = busy ? 'Stop' : 'Send';
    send.classList.toggle('stop', busy);
  }

  // Draws what has come of an answer, once per frame.
  redraw(node) {
    this.dirty.add(node);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const grown of this.dirty) this.draw(grown);
      this.dirty.clear();
    });
  }

  draw(node) {
    const view = this.views.get(node.id);
    if (view?.node !== node) return;
    view.update(children(this.conversation).get(node.parent), true);
    if (this.answering?.node === node) view.progress(this.answering.stats(performance.now()));
  }

  fit() {
    this.input.style.height = 'auto';
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  send() {
    const text = this.input.value;
    if (!text.trim() || !this.mayAsk()) return;
    this.input.value = '';
    this.fit();
    this.answer(append(this.conversation, path(this.conversation).at(-1), {content: text}));
  }

  /** Whether the model can be asked now; says why not. */
  mayAsk() {
    const last = path(this.conversation).at(-1);
    if (last?.state === 'streaming' && last !== this.answering?.node) {
      this.note('Another tab of this page is answering here. Wait for it, or stop it there.');
      return false;
    }
    try {
      parseFurther(this.conversation.settings.further ?? '');
      return true;
    } catch (error) {
      this.note(`The further fields of the request are no JSON object: ${error.message}`);
      return false;
    }
  }

  /** Has the model answer what has been said up to `parent`. */
  answer(parent) {
    this.begin(append(this.conversation, parent, {role: 'assistant', state: 'streaming'}));
  }

  begin(node) {
    const {conversation} = this;
    const clock = setInterval(() => this.redraw(node), 1000);
    const answering = new Answering(conversation, node, () => this.redraw(node), (problem) => {
      clearInterval(clock);
      this.answerings.delete(conversation.id);
      this.note(problem);
      this.changed();
      if (this.conversation === conversation) this.render();
      announce(node.state === 'failed' ? `Failed: ${node.error.message}` : `Answer complete. ${statsText(node.stats, node.state)}`);
    });
    this.answerings.set(conversation.id, answering);
    this.follows = true;
    this.render();
    this.toEnd();
    this.save();
    announce('Answering');
  }

  // What messages can be asked to do; each stops an answer that is under way.

  async quiet() {
    this.answering?.stop();
    await this.answering?.done;
  }

  async regenerate(node) {
    await this.quiet();
    if (!this.mayAsk()) return;
    this.answer(this.conversation.nodes[node.parent]);
  }

  async continueAnswer(node) {
    await this.quiet();
    if (this.mayAsk()) this.begin(node);
  }

  async edit(node, text) {
    await this.quiet();
    const parent = this.conversation.nodes[node.parent];
    const edited = append(this.conversation, parent, {role: node.role, content: text});
    if (node.role === 'user') return this.answer(edited);
    this.render();
    this.save();
  }

  async remove(node) {
    await this.quiet();
    remove(this.conversation, node);
    this.render();
    this.save();
    this.input.focus();
  }

  async show(node) {
    await this.quiet();
    show(this.conversation, node);
    this.render();
    this.save();
  }

  // Fields for the results of calls that wait for one.
  resultForm() {
    const calls = this.answering ? [] : openCalls(this.conversation);
    if (!calls.length) return [];
    const areas = calls.map((call) => el('textarea', {rows: 2, 'aria-label': `Result of ${call.name}`, placeholder: `result of ${call.name}`}));
    const give = () => {
      if (!this.mayAsk()) return;
      let last = path(this.conversation).at(-1);
      calls.forEach((call, i) => { last = append(this.conversation, last, {role: 'tool', call: call.id, content: areas[i].value}); });
      this.answer(last);
    };
    return [el('div.results', {}, areas, button(calls.length > 1 ? 'Give results' : 'Give result', give, {class: 'primary'}))];
  }
}
