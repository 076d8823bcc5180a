// Conversations and settings in this browser: a list of what there is, and each conversation under its own name. Other tabs
// of the page use the same at the same time, so what is written is put together with what they have written.

import {merge} from './conversation.js';
import {local} from './web_storage.js';

const LIST = 'cleave.conversations', DEFAULTS = 'cleave.defaults', PREFIX = 'cleave.conversation.';
const FULL = 'This browser’s storage is full, so what is new will be lost on a reload. Delete conversations to make room.';
const NONE = 'This browser stores nothing for this page, so conversations will be lost on a reload.';

function read(key, otherwise) {
  try {
    return JSON.parse(local.get(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

// Gives what went wrong, or null.
function write(key, value) {
  if (!local.set(key, JSON.stringify(value))) return FULL;
  return local.lasts ? null : NONE;
}

const entryOf = ({id, title, updated}) => ({id, title, updated});

/** {id, title, updated} of all conversations, the latest first. */
export function list() {
  const ids = new Set(local.keys().filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length)));
  const listed = read(LIST, []);
  const known = (Array.isArray(listed) ? listed : []).filter((entry) => ids.has(entry?.id));
  const entries = new Map(known.map((entry) => [entry.id, entry]));
  // Where two tabs write the list at a time, it lacks what one of them has written.
  for (const id of ids) {
    const missing = entries.has(id) ? null : load(id);
    if (missing) entries.set(id, entryOf(missing));
  }
  return [...entries.values()].sort((a, b) => b.updated - a.updated);
}

/** A conversation, or null. */
export function load(id) {
  const conversation = read(PREFIX + id, null);
  return conversation?.nodes ? conversation : null;
}

/** Takes what other tabs have stored into a conversation. */
export function refresh(conversation) {
  const stored = load(conversation.id);
  if (stored) merge(conversation, stored);
}

/** Stores a conversation, with what other tabs have said in it. Gives what went wrong, or null. */
export function save(conversation) {
  refresh(conversation);
  return write(PREFIX + conversation.id, conversation) ??
    write(LIST, [entryOf(conversation), ...list().filter((entry) => entry.id !== conversation.id)]);
}

export function forget(id) {
  local.remove(PREFIX + id);
  write(LIST, list());
}

/** {settings, system} that new conversations begin with. */
export const defaults = () => ({settings: {}, system: '', ...read(DEFAULTS, {})});
export const saveDefaults = (settings, system) => write(DEFAULTS, {settings, system});

/** Calls `changed(id, isGone)` where another tab has stored a conversation or removed it; `null`: the list has changed. */
export function onChange(changed) {
  addEventListener('storage', ({key, newValue}) => {
    if (key === LIST || key === null) changed(null, false);
    else if (key.startsWith(PREFIX)) changed(key.slice(PREFIX.length), newValue === null);
  });
}
