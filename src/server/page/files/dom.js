// Elements, made of plain values: text always becomes text nodes, never markup.

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  // One by one: a call takes no more than some hundred thousand arguments.
  for (const child of children.flat(Infinity)) if (child != null && child !== false) element.append(child);
  return element;
}

/** An element: el('button.quiet', {type: 'button', onclick: f}, 'Copy'). Children are strings, nodes, or lists of them. */
export function el(what, properties = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  return fill(element, properties, children);
}

/** The same for SVG. */
export function svg(what, properties = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  if (classes.length) element.setAttribute('class', classes.join(' '));
  return fill(element, properties, children);
}

/** A button that is no form's. */
export function button(label, onclick, properties = {}) {
  return el('button', {type: 'button', onclick, ...properties}, label);
}

export const byId = (id) => document.getElementById(id);

/** Tells users of screen readers what has happened. */
export function announce(text) {
  byId('announcer').textContent = text;
}

/** Puts a text on the clipboard; gives whether that worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // pages that come over plain HTTP from another machine have no clipboard
    const area = el('textarea.off-screen', {readonly: true, 'aria-hidden': 'true'});
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A button that copies what `text()` gives, and says so for a moment. */
export function copyButton(text, label = 'Copy') {
  const result = button(label, async () => {
    result.textContent = (await copyText(text())) ? 'Copied' : 'No clipboard';
    setTimeout(() => { result.textContent = label; }, 1500);
  });
  return result;
}
