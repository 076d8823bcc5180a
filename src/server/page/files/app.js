// The page: which view is shown, the list of conversations, and the dialog that asks for a key.

import {ChatView} from './chat.js';
import {byId, el} from './dom.js';
import {confirmButton} from './message.js';
import {getJson, onKeyWanted, setKey} from './server.js';
import {StatusView} from './status_view.js';
import * as store from './store.js';

const RETRY_MS = 2000;

let asking = null;  // what the dialog for a key will give, while it is open
function askForKey(message) {
  asking ??= new Promise((resolve) => {
    const dialog = byId('key-dialog'), input = byId('key');
    byId('key-message').textContent = message;
    input.value = '';
    dialog.returnValue = '';
    dialog.addEventListener('close', () => {
      asking = null;
      const given = dialog.returnValue === 'use' && input.value !== '';
      if (given) setKey(input.value);
      resolve(given);
    }, {once: true});
    dialog.showModal();
  });
  return asking;
}

let drawn = '';  // what the list of conversations shows
function drawList(chat, current) {
  const entries = store.list();
  const shows = JSON.stringify([current, entries.map(({id, title}) => [id, title, chat.answerings.has(id)])]);
  if (shows === drawn) return;  // another tab may write each second, and somebody may be reading here
  drawn = shows;
  byId('conversations').replaceChildren(...entries.map(({id, title}) => el(id === current ? 'li.current' : 'li', {},
    el('a', {href: `#/c/${id}`, title: title || 'Untitled', 'aria-current': id === current ? 'page' : null}, title || 'Untitled',
      chat.answerings.has(id) && el('span.dot.serving', {role: 'img', 'aria-label': 'answering'})),
    confirmButton('Delete', () => {
      chat.answerings.get(id)?.stop();
      Promise.resolve(chat.answerings.get(id)?.done).then(() => {
        store.forget(id);
        if (id === chat.conversation.id) location.hash = '#/';
        else drawList(chat, chat.conversation.id);
      });
    }, {class: 'quiet', 'aria-label': `Delete ${title}`}))));
}

async function nameModel() {
  try {
    const {data} = await getJson('v1/models');
    byId('model').textContent = data[0].id;
    byId('model').title = `context of ${data[0].max_model_len.toLocaleString('en')} tokens`;
    document.title = `${data[0].id} – Cleave`;
  } catch (error) {
    byId('model').textContent = error.message;
    if (error.status !== 401) setTimeout(nameModel, RETRY_MS);
  }
}

// Where the window is narrow, what stands beside a conversation lies in drawers above it, one of them open at a time.
function setUpDrawers() {
  const drawers = [['open-side', 'side-open', 'side'], ['open-sampling', 'sampling-open', 'sampling']];
  const isOpen = ([, name]) => document.body.classList.contains(name);
  const set = ([opener, name, drawer], open) => {
    document.body.classList.toggle(name, open);
    byId(opener).setAttribute('aria-expanded', String(open));
    if (open) byId(drawer).querySelector('a, button, input, textarea').focus();
  };
  const close = () => drawers.filter(isOpen).forEach((drawer) => {
    set(drawer, false);
    byId(drawer[0]).focus();
  });
  for (const drawer of drawers)
    byId(drawer[0]).addEventListener('click', () => {
      const open = !isOpen(drawer);
      close();
      set(drawer, open);
    });
  byId('shade').addEventListener('click', close);
  byId('side').addEventListener('click', (event) => event.target.closest('a') && close());
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !drawers.some(isOpen)) return;
    event.preventDefault();  // the answer goes on
    close();
  }, {capture: true});
}

const conversationInAddress = () => /^#\/c\/(.+)$/.exec(location.hash)?.[1];

function main() {
  onKeyWanted(askForKey);
  const chat = new ChatView(() => {
    // A conversation gets its address with its first message, and loses it where another tab has removed it.
    const address = chat.conversation.leaf ? `#/c/${chat.conversation.id}` : '#/';
    if (!location.hash.startsWith('#/server')) history.replaceState(null, '', address);
    drawList(chat, chat.conversation.id);
  });
  const status = new StatusView();
  const route = () => {
    const isServer = location.hash === '#/server';
    document.body.classList.toggle('server', isServer);
    byId('to-chat').setAttribute('aria-current', isServer ? 'false' : 'page');
    byId('to-server').setAttribute('aria-current', isServer ? 'page' : 'false');
    if (isServer) return status.show();
    status.hide();
    const id = conversationInAddress();
    const isShown = id ? id === chat.conversation.id : !chat.conversation.leaf;
    if (!isShown) chat.open(id);
    byId('to-chat').href = chat.conversation.leaf ? `#/c/${chat.conversation.id}` : '#/';
    drawList(chat, chat.conversation.id);
    byId('input').focus();
  };
  setUpDrawers();
  addEventListener('hashchange', route);
  chat.open(conversationInAddress());
  route();
  nameModel();
}

main();
