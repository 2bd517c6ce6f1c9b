// A course page on Dwell: an account, the devices it is logged in on, and the
// watch time of one video. Copy it, change videoId, and keep the ids it looks for.

const videoId = 'lesson-1';
const logInterval = 10_000;
const storageKey = 'dwell-course';

const byId = (id) => document.getElementById(id);
const video = byId('lesson-video');

// ---- Talking to the server ----

class Refused extends Error {
  constructor(status, answer) {
    super(answer.msg ?? `The server answered ${status}. Please try again.`);
    this.status = status;
    this.answer = answer;
  }
}

async function call(method, path, { body, keepalive = false } = {}) {
  let response;
  let answer = {};
  try {
    response = await fetch(path, {
      method,
      keepalive,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    // /session/log answers in plain text, and so may a proxy in between.
    const text = await response.text();
    if (response.headers.get('Content-Type')?.includes('json')) answer = JSON.parse(text);
  } catch {
    throw new Refused(0, { msg: 'The server cannot be reached.' });
  }
  if (response.ok) return answer;

  const refusal = new Refused(response.status, answer);
  if (refusal.status === 401) showLogin(refusal.message, 'problem');
  throw refusal;
}

// ---- What is on the page ----

function say(id, text, state = 'info') {
  const message = byId(id);
  message.textContent = text;
  message.dataset.state = state;
  // A live region speaks only if it was on the page before its text changed,
  // and the messages sit in panels that come and go. So one region speaks for all.
  byId('announcer').textContent = text;
}

function showPanel(name) {
  for (const panel of ['checking', 'login', 'register', 'account']) {
    byId(`${panel}-panel`).hidden = panel !== name;
  }
  const loggedIn = name === 'account';
  document.body.dataset.account = loggedIn ? 'in' : 'out';
  video.hidden = !loggedIn;
  byId('lesson-locked').hidden = loggedIn;
}

function showLogin(reason = '', state = 'info') {
  const focusWasHere = byId('account-panel').contains(document.activeElement);
  abandonWatching();
  localStorage.removeItem(storageKey);
  byId('login-refusal').hidden = true;
  showPanel('login');
  say('login-message', reason, state);
  if (focusWasHere) byId('login-title').focus();
}

function deviceItem(device, ...trailing) {
  const item = document.createElement('li');
  item.dataset.deviceId = device.id;

  const name = document.createElement('div');
  name.className = 'device-name';
  name.textContent = device.device_name;

  const when = document.createElement('time');
  when.dateTime = device.last_logged_in;
  when.textContent = new Date(device.last_logged_in)
    .toLocaleString([], { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
  const detail = document.createElement('div');
  detail.className = 'hint';
  detail.append('Logged in ', when);

  const text = document.createElement('div');
  text.append(name, detail);
  item.append(text, ...trailing);
  return item;
}

function showRefusal(refusal) {
  const devices = refusal.answer.devices ?? [];
  say('login-message', `${refusal.message}. This account is already on as many devices as it may have.`, 'problem');
  // Only a server that asks which device shall go gives a ticket.
  const { ticket } = refusal.answer;
  byId('login-devices').replaceChildren(...devices.map((device) =>
    ticket ? deviceItem(device, replaceButton(device, ticket)) : deviceItem(device)));
  byId('login-refusal').hidden = false;
}

function replaceButton(device, ticket) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button quiet small';
  button.textContent = 'Replace';
  button.setAttribute('aria-label', `Log in here instead of ${device.device_name}`);
  button.addEventListener('click', () => enter('/devices/replace', { ticket, deviceId: device.id }));
  return button;
}

function thisDeviceBadge() {
  const badge = document.createElement('span');
  badge.className = 'badge';
  badge.textContent = 'This device';
  return badge;
}

function removeButton(device) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button quiet small remove-device';
  button.dataset.deviceId = device.id;
  button.textContent = 'Remove';
  button.setAttribute('aria-label', `Remove ${device.device_name}`);
  button.addEventListener('click', () => removeDevice(device));
  return button;
}

function showAccount(list) {
  // The list does not say which of its devices this one is; the answer to the login did.
  const known = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
  const own = list.device_list.find((device) => device.id === known.deviceId);

  byId('account-title').textContent = own ? `Hello, ${known.firstName}` : 'You are logged in';
  byId('this-device').hidden = !own;
  byId('this-device-name').textContent = own?.device_name ?? '';
  byId('device-count').textContent = `${list.total_device} logged in`;
  byId('device-list').replaceChildren(...list.device_list.map((device) =>
    deviceItem(device, device === own ? thisDeviceBadge() : removeButton(device))));
  showPanel('account');
}

// ---- Account and devices ----

// Throws only when the server cannot tell; being logged out is an answer.
async function refresh() {
  try {
    showAccount(await call('GET', '/devices/list'));
  } catch (refusal) {
    if (refusal.status === 401) return;
    if (refusal.status !== 400) throw refusal;
    showLogin(document.body.dataset.account === 'in' ? 'You are no longer logged in.' : '');
  }
}

const logIn = (username, password) => enter('/auth/login', { username, password });

async function enter(path, body) {
  byId('login-refusal').hidden = true;
  try {
    const answer = await call('POST', path, { body });
    localStorage.setItem(storageKey, JSON.stringify({
      deviceId: answer.thisDevice.id,
      firstName: answer.user.first_name,
    }));
    await refresh();
  } catch (refusal) {
    showPanel('login');
    say('login-message', refusal.message, 'problem');
    if (refusal.status === 421) showRefusal(refusal);
    return;
  }
  if (document.body.dataset.account !== 'in') {
    if (byId('login-message').textContent) return;
    say('login-message', 'Your browser did not keep the login cookie. Please allow cookies for this site.', 'problem');
    return;
  }
  byId('login-form').reset();
  byId('register-form').reset();
  say('account-message', '');
  byId('account-title').focus();
}

async function register(fields) {
  try {
    await call('POST', '/auth/register', { body: fields });
  } catch (refusal) {
    say('register-message', refusal.message, 'problem');
    // The message names the field it is about.
    const named = [...byId('register-form').elements].find((field) =>
      field.name && new RegExp(`\\b${field.name.replace('_', '[_ ]')}\\b`, 'i').test(refusal.message));
    named?.setAttribute('aria-invalid', 'true');
    named?.setAttribute('aria-errormessage', 'register-message');
    return;
  }
  byId('login-username').value = fields.username;
  await logIn(fields.username, fields.password);
}

async function removeDevice(device) {
  try {
    const answer = await call('DELETE', `/devices/remove/${encodeURIComponent(device.id)}`);
    await refresh();
    say('account-message', answer.msg);
  } catch (refusal) {
    if (refusal.status === 401) return;
    say('account-message', refusal.message, 'problem');
  }
  // The pressed button is gone with its row.
  byId('devices-title').focus();
}

async function logOut() {
  video.pause();
  stopWatching();
  await line;
  try {
    await call('POST', '/auth/logout');
  } catch (refusal) {
    if (refusal.status === 401) return;
    if (refusal.status !== 400) {
      say('account-message', refusal.message, 'problem');
      return;
    }
  }
  showLogin('You are logged out.');
}

function onSubmit(formId, messageId, send) {
  const form = byId(formId);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    // Disabling the button instead would take the keyboard focus away from it.
    if (form.getAttribute('aria-busy') === 'true') return;
    form.setAttribute('aria-busy', 'true');
    say(messageId, '');
    for (const field of form.elements) field.removeAttribute('aria-invalid');
    await send(Object.fromEntries(new FormData(form)));
    form.removeAttribute('aria-busy');
  });
}

onSubmit('login-form', 'login-message', ({ username, password }) => logIn(username, password));
onSubmit('register-form', 'register-message', register);
byId('logout-button').addEventListener('click', logOut);

byId('show-register').addEventListener('click', () => {
  showPanel('register');
  say('register-message', '');
  byId('register-username').focus();
});

byId('show-login').addEventListener('click', () => {
  showLogin();
  byId('login-username').focus();
});

// ---- Watch time ----

let timer = null;
let sessionOpen = false;
// One request after the other: a pause right after play must not overtake the init.
let line = Promise.resolve();

function inLine(work) {
  line = line.then(work).catch((refusal) => {
    if (refusal.status === 401) return;
    showWatching('problem', `${refusal.message}${timer ? ' Trying again in 10 seconds.' : ''}`);
  });
}

function showWatching(state, text) {
  const status = byId('watch-status');
  // Saying the same again every ten seconds would be noise in a screen reader.
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = state;
}

async function openSession() {
  sessionOpen = false;
  try {
    await call('POST', `/session/init?videoId=${encodeURIComponent(videoId)}`);
  } catch (refusal) {
    if (refusal.status === 400) await refresh();
    throw refusal;
  }
  sessionOpen = true;
  if (timer) showWatching('counting', 'Your watch time is being saved.');
}

async function logSession() {
  if (!sessionOpen) {
    if (timer) await openSession();
    return;
  }
  try {
    await call('POST', '/session/log', { keepalive: true });
  } catch (refusal) {
    // The session is gone, or another account's: what follows belongs to a new one.
    if (refusal.status !== 400 && refusal.status !== 404) throw refusal;
    sessionOpen = false;
    if (timer) await openSession();
    return;
  }
  byId('last-saved').textContent = `Last saved at ${new Date().toLocaleTimeString()}.`;
  if (timer) showWatching('counting', 'Your watch time is being saved.');
}

function startWatching() {
  if (timer || document.body.dataset.account !== 'in') return;
  timer = setInterval(() => {
    // A video that waits for the network is not being watched.
    if (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) inLine(logSession);
  }, logInterval);
  inLine(openSession);
}

function stopWatching() {
  if (!timer) return;
  clearInterval(timer);
  timer = null;
  showWatching('idle', 'Paused. Nothing is counted now.');
  inLine(logSession);
}

// Logged out: there is no account left to log for.
function abandonWatching() {
  clearInterval(timer);
  timer = null;
  sessionOpen = false;
  video.pause();
  if (document.fullscreenElement) document.exitFullscreen();
  byId('last-saved').textContent = '';
  showWatching('idle', 'Nothing is counted until you press play.');
}

// The page may be gone before an answer comes, and nobody is left to show it to.
function logOnTheWayOut() {
  if (timer && sessionOpen) navigator.sendBeacon('/session/log');
}

video.addEventListener('play', startWatching);
video.addEventListener('pause', stopWatching);
video.addEventListener('ended', () => {
  stopWatching();
  showWatching('idle', 'That was the lesson.');
});

addEventListener('pagehide', logOnTheWayOut);
// A phone may end a page in the background without pagehide.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') logOnTheWayOut();
  else if (document.body.dataset.account === 'in') update();
});

async function update() {
  try {
    await refresh();
    if (document.body.dataset.account === 'in') say('account-message', '');
  } catch (refusal) {
    if (document.body.dataset.account === 'in') {
      say('account-message', refusal.message, 'problem');
    } else {
      showPanel('login');
      say('login-message', refusal.message, 'problem');
    }
  }
}

update();
