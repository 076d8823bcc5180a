// The form beside a conversation: its system prompt, and what requests say about sampling. An empty field is left to the
// server, which takes it from the model's own settings.

import {byId, el} from './dom.js';

const FIELDS = [
  {name: 'temperature', label: 'Temperature', step: '0.05', min: 0, max: 2, help: '0 takes the most probable token'},
  {name: 'top_p', label: 'Top-p', step: '0.01', min: 0, max: 1, help: 'tokens that have this probability together'},
  {name: 'top_k', label: 'Top-k', step: '1', min: 0, help: 'so many of the most probable tokens; 0: all'},
  {name: 'min_p', label: 'Min-p', step: '0.01', min: 0, max: 1, help: 'tokens with this share of the best one’s probability'},
  {name: 'max_tokens', label: 'Max tokens', step: '1', min: 1, help: 'of an answer'},
  {name: 'thinking_token_budget', label: 'Reasoning tokens', step: '1', min: 0, help: 'of an answer’s reasoning, at most'},
  {name: 'seed', label: 'Seed', step: '1', help: 'the same seed gives the same answer'},
  {name: 'repetition_penalty', label: 'Repetition penalty', step: '0.05', min: 0, help: 'above 1: repeats less'},
  {name: 'presence_penalty', label: 'Presence penalty', step: '0.1', help: 'of tokens that have occurred'},
  {name: 'frequency_penalty', label: 'Frequency penalty', step: '0.1', help: 'of tokens, each time that they occur'},
];

/** The object that a text of JSON is; throws an Error that says what is wrong. */
export function parseFurther(text) {
  if (!text.trim()) return {};
  const value = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('wanted an object: {…}');
  return value;
}

/** The fields of a request that settings stand for. */
export function fieldsOf(settings) {
  const fields = {};
  for (const {name} of FIELDS) if (settings[name] != null) fields[name] = settings[name];
  const stop = (settings.stop ?? '').split('\n').filter(Boolean);
  if (stop.length) fields.stop = stop;
  if (settings.reasoning) fields.chat_template_kwargs = {enable_thinking: settings.reasoning === 'on'};
  return {...fields, ...parseFurther(settings.further ?? '')};
}

export class SamplingForm {
  /** `changed(settings, system)` is called with each change. */
  constructor(changed) {
    this.changed = changed;
    this.settings = {};
    this.inputs = new Map();
    const add = (name, input) => {
      input.id = `field-${name}`;
      input.addEventListener('input', () => this.take());
      this.inputs.set(name, input);
      return input;
    };
    const numbers = FIELDS.map(({name, label, step, min, max, help}) => el('label.number', {title: help}, el('span', {}, label),
      add(name, el('input', {type: 'number', step, min, max, inputmode: 'decimal', placeholder: 'default', autocomplete: 'off'}))));
    const reasoning = add('reasoning', el('select', {}, el('option', {value: ''}, 'default'),
      el('option', {value: 'on'}, 'on'), el('option', {value: 'off'}, 'off')));
    this.problem = el('p.problem', {hidden: true, role: 'alert'});
    byId('sampling').append(
      el('label.tall', {}, el('span', {}, 'System prompt'), add('system', el('textarea', {rows: 4, placeholder: 'none'}))),
      ...numbers,
      el('label.number', {title: 'where the model’s template can switch it'}, el('span', {}, 'Reasoning'), reasoning),
      el('label.tall', {}, el('span', {}, 'Stop strings, one a line'), add('stop', el('textarea', {rows: 2}))),
      el('label.tall', {}, el('span', {}, 'Further fields of the request, as JSON'),
        add('further', el('textarea.code', {rows: 4, spellcheck: 'false', placeholder: '{"tools": […], "response_format": {…}}'}))),
      this.problem);
    byId('reset-sampling').addEventListener('click', () => {
      this.show({}, this.inputs.get('system').value);
      this.take();
    });
  }

  /** Shows a conversation's settings. */
  show(settings, system) {
    for (const [name, input] of this.inputs) {
      const value = name === 'system' ? system : settings[name] ?? '';
      if (input.value !== String(value)) input.value = value;
    }
    this.check(settings.further ?? '');
  }

  check(further) {
    let problem = '';
    try {
      parseFurther(further);
    } catch (error) {
      problem = `Further fields: ${error.message}`;
    }
    this.problem.textContent = problem;
    this.problem.hidden = !problem;
    return !problem;
  }

  take() {
    const settings = {};
    for (const [name, input] of this.inputs) {
      if (name === 'system' || input.value === '') continue;
      settings[name] = input.type === 'number' ? Number(input.value) : input.value;
    }
    this.check(settings.further ?? '');
    this.changed(settings, this.inputs.get('system').value);
  }
}
