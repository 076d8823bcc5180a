// An answer that is being streamed into a message of a conversation. It goes on while another conversation is shown.

import {messages, touch} from './conversation.js';
import {fieldsOf} from './sampling.js';
import {ServerError, streamJson} from './server.js';
import {save} from './store.js';

const SAVE_MS = 1000;

export class Answering {
  /**
   * Begins to fill `node`, or to continue its text where it has one, once the caller has returned. `changed()` is called for
   * each piece, `ended(problem)` once, with what went wrong with the storage, or null.
   */
  constructor(conversation, node, changed, ended) {
    Object.assign(this, {conversation, node, changed, ended, abort: new AbortController(), begin: performance.now(),
      first: 0, last: 0, tokens: 0, lastSave: 0, storage: null, continues: node.content !== ''});
    Object.assign(node, {state: 'streaming', error: null, finish: null, stats: null});
    this.done = Promise.resolve().then(() => this.run());
  }

  stop() {
    this.abort.abort();
  }

  /** The page is left: what has come is stored, as an answer that has been interrupted; what the browser does to the
   * request afterwards does not count. */
  leave() {
    this.node.state = 'interrupted';
    this.store(true);
    this.left = true;
  }

  /** The conversation has been removed: nothing is stored any more. */
  drop() {
    this.dropped = true;
    this.stop();
  }

  body() {
    const {conversation, node} = this;
    const body = {
      ...fieldsOf(conversation.settings),
      messages: messages(conversation, this.continues ? null : node),
      stream: true,
      stream_options: {include_usage: true, continuous_usage_stats: true},
    };
    if (this.continues) Object.assign(body, {continue_final_message: true, add_generation_prompt: false});
    return body;
  }

  async run() {
    const {node} = this;
    const clock = setInterval(() => this.store(false), SAVE_MS);  // tells other tabs that the answer is still written
    try {
      this.store(true);
      for await (const event of streamJson('v1/chat/completions', this.body(), this.abort.signal)) this.take(event);
      node.state = 'done';
    } catch (error) {
      this.fail(error);
    }
    clearInterval(clock);
    if (this.left) return;
    this.store(true);
    this.ended(this.storage);
  }

  fail(error) {
    const {node} = this;
    if (error.name === 'AbortError') {
      node.state = 'stopped';
      return;
    }
    node.state = 'failed';
    node.error = {message: error.message, details: error instanceof ServerError ? error.details : '',
      retryAfter: error.retryAfter ?? 0, status: error.status ?? 0};
  }

  take(event) {
    const {node} = this;
    if (event.usage) this.usage = event.usage;
    if (event.usage?.completion_tokens) this.tokens = event.usage.completion_tokens;
    const choice = event.choices?.[0];
    if (!choice) return;
    const {content, reasoning_content: reasoning, tool_calls: calls} = choice.delta ?? {};
    if (content || reasoning || calls) this.note(content || calls);
    if (content) node.content += content;
    if (reasoning) node.reasoning = (node.reasoning ?? '') + reasoning;
    for (const call of calls ?? []) this.takeCall(call);
    if (choice.finish_reason) node.finish = choice.finish_reason;
    this.store(false);
    this.changed();
  }

  // When something came: the first token, and the first one behind the reasoning.
  note(isAnswer) {
    this.last = performance.now();
    this.first ||= this.last;
    if (isAnswer && this.node.reasoning) this.thought ||= this.last;
  }

  takeCall(call) {
    this.node.calls ??= [];
    const known = (this.node.calls[call.index] ??= {id: '', name: '', arguments: ''});
    if (call.id) known.id = call.id;
    if (call.function?.name) known.name = call.function.name;
    known.arguments += call.function?.arguments ?? '';
  }

  /** What is told below the answer; times in seconds. */
  stats(now) {
    const {first, last, begin, tokens, usage} = this;
    const reasoning = this.node.reasoning ? (this.thought || last) - first : 0;
    return {
      tokens,
      firstToken: first ? (first - begin) / 1000 : 0,
      rate: tokens > 1 && last > first ? (tokens - 1) / (last - first) * 1000 : 0,
      waited: first ? 0 : (now - begin) / 1000,
      reasoning: reasoning / 1000,
      prompt: usage?.prompt_tokens ?? 0,
      cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
      finish: this.node.finish,
    };
  }

  store(now) {
    const time = performance.now();
    if (this.left || this.dropped) return;
    if (!now && time < this.lastSave + SAVE_MS) return;
    this.lastSave = time;
    this.node.stats = this.stats(time);
    touch(this.node);
    this.storage = save(this.conversation);
  }
}
