// A conversation: a tree of messages, since an edited message and a regenerated answer stand beside the earlier ones. One
// path from the root to `leaf` is shown. Plain data, which is stored as it is.
//
// {id, title, created, updated, system, settings, settled, nodes: {id: node}, removed: [id], leaf}; settled: when settings
// were changed last.
// node: {id, parent, role, content, reasoning, calls: [{id, name, arguments}], state, changed, error, stats}; state is
// "streaming", "stopped", "interrupted", "failed" or "done", changed is the time of what was stored last.

/** Milliseconds without news after which an answer that another tab writes is taken for interrupted. */
export const STALE_MS = 5000;

let serial = 0;
const newId = () => `${Date.now().toString(36)}-${(serial++).toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

export function newConversation(settings = {}, system = '') {
  return {id: newId(), title: '', created: Date.now(), updated: Date.now(), system, settings: {...settings},
    settled: 0, nodes: {}, removed: [], leaf: null};
}

/** The messages that are shown, in order. */
export function path(conversation) {
  const nodes = [];
  for (let node = conversation.nodes[conversation.leaf]; node; node = conversation.nodes[node.parent]) nodes.push(node);
  return nodes.reverse();
}

/** Messages by the one before them, in the order in which they were made; those that begin are under null. */
export function children(conversation) {
  const result = new Map();
  for (const node of Object.values(conversation.nodes)) {
    if (!result.has(node.parent)) result.set(node.parent, []);
    result.get(node.parent).push(node);
  }
  return result;
}

/** Adds a message behind another, or at the beginning, and shows it. */
export function append(conversation, parent, fields) {
  const node = {id: newId(), parent: parent?.id ?? null, role: 'user', content: '', state: 'done', changed: Date.now(),
    ...fields};
  conversation.nodes[node.id] = node;
  conversation.leaf = node.id;
  conversation.updated = Date.now();
  if (!conversation.title && node.role === 'user') conversation.title = node.content.trim().replace(/\s+/g, ' ').slice(0, 80);
  return node;
}

/** Shows a message, and what was said last behind it. */
export function show(conversation, node) {
  const below = children(conversation);
  let last = node;
  while (below.has(last.id)) last = below.get(last.id).at(-1);
  conversation.leaf = last.id;
}

/** Removes a message with all that is behind it; another version of it is shown, if there is one. */
export function remove(conversation, node) {
  const below = children(conversation);
  const siblings = below.get(node.parent);
  const rest = [node];
  while (rest.length) {
    const next = rest.pop();
    rest.push(...(below.get(next.id) ?? []));
    delete conversation.nodes[next.id];
    (conversation.removed ??= []).push(next.id);
  }
  const index = siblings.indexOf(node);
  const other = siblings[index - 1] ?? siblings[index + 1];
  if (other) show(conversation, other);
  else conversation.leaf = node.parent;
  conversation.updated = Date.now();
}

/** Notes that a message is to be stored as it is now. */
export function touch(node) {
  node.changed = Math.max(Date.now(), (node.changed ?? 0) + 1);
}

/**
 * Takes from another copy of a conversation what this one lacks: messages that were said there or are newer, unless
 * one of both has removed them, and newer settings. What is shown stays, but where more has been said behind it.
 */
export function merge(conversation, other) {
  const {nodes} = conversation;
  for (const node of Object.values(other.nodes)) {
    const own = nodes[node.id];
    if (!own || (own.changed ?? 0) < (node.changed ?? 0)) nodes[node.id] = node;
  }
  drop(conversation, new Set([...conversation.removed ?? [], ...other.removed ?? []]));
  if ((other.settled ?? 0) > (conversation.settled ?? 0))
    Object.assign(conversation, {settings: other.settings, system: other.system, settled: other.settled});
  conversation.title ||= other.title;
  conversation.updated = Math.max(conversation.updated, other.updated);
  if (isBehind(nodes, other.leaf, conversation.leaf)) conversation.leaf = other.leaf;
}

// Drops messages that have been removed, but those behind which another tab has said something meanwhile.
function drop(conversation, removed) {
  const {nodes} = conversation;
  for (const node of Object.values(nodes).filter(({id}) => !removed.has(id)))
    for (let above = nodes[node.parent]; above && removed.delete(above.id);) above = nodes[above.parent];
  while (removed.has(conversation.leaf)) conversation.leaf = nodes[conversation.leaf]?.parent ?? null;
  for (const id of removed) delete nodes[id];
  conversation.removed = [...removed];
}

// Whether a message is `first` or behind it; all are behind null, where a conversation begins.
function isBehind(nodes, id, first) {
  let node = nodes[id];
  while (node && node.id !== first && first !== null) node = nodes[node.parent];
  return node !== undefined;
}

/**
 * Takes answers for interrupted of which nothing has been heard for long, but `own`, which this tab writes. Gives whether
 * another tab still writes one.
 */
export function interruptStale(conversation, own = null) {
  const others = Object.values(conversation.nodes).filter((node) => node.state === 'streaming' && node !== own);
  for (const node of others) if (Date.now() - (node.changed ?? 0) >= STALE_MS) node.state = 'interrupted';
  return others.some((node) => node.state === 'streaming');
}

function message(node) {
  const result = {role: node.role, content: node.content};
  if (node.role === 'tool') result.tool_call_id = node.call;
  if (node.reasoning) result.reasoning_content = node.reasoning;
  if (node.calls?.length) {
    result.content ||= null;
    result.tool_calls = node.calls.map(({id, name, arguments: given}) =>
      ({id, type: 'function', function: {name, arguments: given}}));
  }
  return result;
}

/** Messages for /v1/chat/completions: those before `end`, or all that are shown. Answers that failed at once are none. */
export function messages(conversation, end = null) {
  const shown = path(conversation);
  const before = end ? shown.slice(0, shown.indexOf(end)) : shown;
  const said = before.filter((node) => node.role !== 'assistant' || node.content || node.calls?.length);
  const system = conversation.system.trim() ? [{role: 'system', content: conversation.system}] : [];
  return [...system, ...said.map(message)];
}

/** The calls of the last message that no result has been given to. */
export function openCalls(conversation) {
  const shown = path(conversation);
  const last = shown.findLastIndex((node) => node.role === 'assistant');
  const answered = new Set(shown.slice(last + 1).map((node) => node.call));
  return (shown[last]?.calls ?? []).filter((call) => !answered.has(call.id));
}
