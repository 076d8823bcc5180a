// Requests to the server that this page came from, with the key that it may ask for.

import {session} from './web_storage.js';

const KEY = 'cleave.key';  // of the tab: the key is gone when it is closed

/** Why a request failed, as the server or the browser has it. */
export class ServerError extends Error {
  constructor(message, {status = 0, type = '', code = '', retryAfter = 0} = {}) {
    super(message);
    Object.assign(this, {status, type, code, retryAfter});
  }

  /** What is known beside the message: "503 unavailable_error overloaded". */
  get details() {
    return [this.status || '', this.type, this.code].filter((part) => part && part !== this.message).join(' ');
  }
}

let askForKey = async () => false;
/** Sets what asks the user for a key; it gives whether there is a new one. */
export function onKeyWanted(ask) {
  askForKey = ask;
}

export const getKey = () => session.get(KEY) ?? '';
export const setKey = (key) => (key ? session.set(KEY, key) : session.remove(KEY));

function errorOf(response, text) {
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch { /* no JSON: a proxy, perhaps */ }
  return new ServerError(error.message ?? (text.slice(0, 500) || response.statusText || `status ${response.status}`), {
    status: response.status, type: error.type ?? '', code: error.code ?? '',
    retryAfter: Number(response.headers.get('retry-after')) || 0,
  });
}

async function send(path, {body, signal} = {}) {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (getKey()) headers.Authorization = `Bearer ${getKey()}`;
  try {
    return await fetch(path, {method: body ? 'POST' : 'GET', headers, signal, body: body && JSON.stringify(body),
      cache: 'no-store', credentials: 'same-origin'});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError('The server does not answer. It may have ended, or the network is down.');
  }
}

/**
 * A response with status 200 of a path below the page's own, without the slash before it. Asks for a key where one is
 * wanted, unless `quiet`. Throws ServerError.
 */
export async function request(path, options = {}) {
  for (;;) {
    const response = await send(path, options);
    if (response.ok) return response;
    const error = errorOf(response, await response.text());
    if (error.status !== 401 || options.quiet || !(await askForKey(error.message))) throw error;
  }
}

export async function getJson(path, options = {}) {
  const response = await request(path, options);
  try {
    return await response.json();
  } catch (error) {
    throw error instanceof SyntaxError ? new ServerError('The server’s answer is no JSON.') : error;
  }
}

// Data of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): lines may end in CR, LF or
// both, and come in any pieces.
class EventParser {
  constructor() {
    this.rest = '';
    this.data = [];
  }

  /** Gives the data of events that are complete now. */
  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    const events = [];
    for (const line of lines) {
      if (line.startsWith('data:')) this.data.push(line.slice(line[5] === ' ' ? 6 : 5));
      if (line !== '' || !this.data.length) continue;
      events.push(this.data.join('\n'));
      this.data = [];
    }
    return events;
  }
}

/**
 * The events of an answer that streams, parsed, up to the one that ends it. Throws ServerError, also where the stream
 * holds an error or breaks off.
 */
export async function* streamJson(path, body, signal) {
  const response = await request(path, {body, signal});
  const parser = new EventParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const {value, done} = await read(reader);
      if (done) throw new ServerError('The stream broke off before the answer was complete.');
      for (const data of parser.push(value)) {
        if (data === '[DONE]') return;
        const event = JSON.parse(data);
        if (event.error) throw new ServerError(event.error.message ?? 'The answer failed.', event.error);
        yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError('The connection broke off before the answer was complete.');
  }
}
