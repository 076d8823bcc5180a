// Conversations and settings in this browser's localStorage: a list of what there is, and each conversation under its own
// name. Other tabs of the page use the same.

const LIST = 'cleave.conversations', DEFAULTS = 'cleave.defaults', PREFIX = 'cleave.conversation.';

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

// Gives what went wrong; storage is bounded, and private windows may have none.
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return null;
  } catch {
    return 'This browser’s storage is full, so what is new will be lost on a reload. Delete conversations to make room.';
  }
}

/** {id, title, updated} of all conversations, the latest first. */
export function list() {
  const entries = read(LIST, []);
  return Array.isArray(entries) ? entries.filter((entry) => entry?.id).sort((a, b) => b.updated - a.updated) : [];
}

/** A conversation, or null. An answer that was under way when it was stored has been interrupted. */
export function load(id) {
  const conversation = read(PREFIX + id, null);
  if (!conversation?.nodes) return null;
  for (const node of Object.values(conversation.nodes)) if (node.state === 'streaming') node.state = 'interrupted';
  return conversation;
}

/** Stores a conversation. Gives what went wrong, or null. */
export function save(conversation) {
  const {id, title, updated} = conversation;
  return write(PREFIX + id, conversation) ?? write(LIST, [{id, title, updated}, ...list().filter((entry) => entry.id !== id)]);
}

export function forget(id) {
  localStorage.removeItem(PREFIX + id);
  write(LIST, list().filter((entry) => entry.id !== id));
}

/** {settings, system} that new conversations begin with. */
export const defaults = () => ({settings: {}, system: '', ...read(DEFAULTS, {})});
export const saveDefaults = (settings, system) => write(DEFAULTS, {settings, system});

/** Calls `changed(id)` where another tab has stored a conversation; `null`: the list has changed. */
export function onChange(changed) {
  addEventListener('storage', ({key}) => {
    if (key === LIST || key === null) changed(null);
    else if (key.startsWith(PREFIX)) changed(key.slice(PREFIX.length));
  });
}
