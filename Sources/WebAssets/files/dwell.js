// Dwell's heartbeat: tells the server how long this page was really looked at. dwell.d.ts explains it.
(() => {
if (window.dwell) return;

const script = document.currentScript;
const endpoint = new URL('/api/session-heartbeat', script?.src || location);
const tab = String(Math.random()).slice(2);
const own = 'dwell:' + tab;
const options = { idle: 60000, debug: 'false' };
const traits = ['page', 'attention', 'rate'];
// Segments that grow: the page's under document, a medium's under its element.
const open = new Map();
const playing = new Set(document.querySelectorAll('video, audio'));
// Closed, not confirmed. What begins with _ is not sent.
let queue = [];
let count = 0;
// Server time minus ours. Segments are in server time.
let offset = 0;
// 1: no answer yet. 2: only the server knows if we slept or the clock was set.
let doubt = 1;
let lastJump = 0;
let lastDate = Date.now();
let lastClock = performance.now();
let lastInput = lastClock;
let lastFocus = lastClock;
let token = '';
let interval = 180000;
let batch = 200;
let failures = 0;
let savedAt = 0;
let quietUntil = 0;
let isGone, isChanged, isSaved, timer, sending, again;

const all = () => [...queue, ...open.values()];
const pause = () => Math.max(options.interval | 0 || interval, 1000);
const attempt = (action) => {
  try {
    return action();
  } catch {}
};

function configure(element) {
  for (const name of ['interval', 'idle', 'debug', 'token']) {
    options[name] = element.getAttribute('data-' + name) ?? element.getAttribute(name) ?? options[name];
  }
  belong(options.token || token);
}

function close(key, end) {
  const segment = open.get(key);
  open.delete(key);
  if (segment.to === segment.from) return;
  segment.end = end;
  queue.push(segment);
  isChanged = true;
  merge(1000);
}

const closeAll = (end) => open.forEach((s, key) => close(key, end));

function update(reason = 'hidden') {
  const date = Date.now();
  const clock = performance.now();
  const passed = clock - lastClock;
  if (passed > 5000 || Math.abs(date - lastDate - passed) > 2000) {
    closeAll('asleep');
    doubt = 2;
    lastJump = clock;
    queueMicrotask(send);
  }
  lastDate = date;
  lastClock = clock;

  for (const medium of playing) {
    const isReady = medium.readyState > 2 && medium.playbackRate > 0;
    if (!isReady || medium.paused || medium.seeking) playing.delete(medium);
  }
  if (playing.size) lastInput = clock;
  if (document.hasFocus()) lastFocus = clock;
  // A tab that comes or goes lacks focus for a moment.
  const quiet = playing.size ? -1 : Math.max(clock - lastInput - options.idle, clock - lastFocus - 100);
  const at = date + offset;
  for (const key of new Set([document, ...playing, ...open.keys()])) {
    const video = key.dataset?.dwellVideo;
    const isNoticed = !document.hidden || (!key.muted && key.volume) || document.pictureInPictureElement === key;
    const isWanted = video ? isNoticed && playing.has(key) : key === document && !key.hidden;
    const next = isWanted && !isGone && {
      page: location.pathname.slice(0, 2048),
      attention: video || quiet < 0 ? 'active' : 'idle',
      rate: key.playbackRate,
      video,
    };
    const segment = open.get(key);
    let to = at;
    if (segment) {
      let end = reason;
      if (next) end = traits.find((name) => next[name] !== segment[name]);
      else if (video && !playing.has(key)) {
        end = key.ended ? 'ended' : key.paused ? 'paused' : key.seeking ? 'sought' : 'stalled';
      }
      // Noticed late.
      if (end === 'attention') to = Math.round(at - Math.max(quiet, 0));
      to = Math.max(segment.to, to);
      if (video) {
        // A seek has already moved currentTime.
        const place = key.seeking ? segment.mediaTo + (to - segment.to) * segment.rate : key.currentTime * 1000;
        const most = segment.mediaFrom + (to - segment.from) * segment.rate;
        segment.mediaTo = Math.max(segment.mediaTo, Math.floor(Math.min(place, most)));
      }
      segment.to = to;
      if (end) close(key, end);
    }
    if (next && !open.has(key)) {
      const mediaTo = video && Math.floor(key.currentTime * 1000);
      const _offset = doubt ? offset : undefined;
      open.set(key, { tab, n: count++, from: to, to, ...next, mediaFrom: mediaTo, mediaTo, _token: token, _offset });
    }
  }
  if (isChanged || (open.size && clock - savedAt >= 5000)) save();
}

// Neighbours that were never sent become one, as long as both.
function merge(most) {
  const before = queue.length;
  const earlier = {};
  let excess = before - most;
  queue = queue.filter((b) => {
    const kind = [b._token, b.video];
    const a = earlier[kind];
    if (excess > 0 && a && !a._sent && !b._sent) {
      excess--;
      a.to += b.to - b.from;
      a.end = b.end;
      if (a.page !== b.page) delete a.page;
      if (a.attention !== b.attention) a.attention = 'idle';
      a.mediaFrom = a.mediaTo = a.rate = undefined;
      return false;
    }
    return (earlier[kind] = b);
  });
  return before > queue.length;
}

function save() {
  isChanged = false;
  savedAt = performance.now();
  try {
    // Adopted by another page: their names hold.
    if (isSaved && !localStorage[own]) for (const s of queue) s._sent = 1;
    const list = all().map((s) => ({ end: 'lost', ...s }));
    isSaved = 0;
    delete localStorage[own];
    if (list.length) isSaved = localStorage[own] = JSON.stringify({ at: isGone ? 0 : Date.now(), list });
  } catch (error) {
    if (/quota/i.test(error.name) && queue.length > 50 && merge(queue.length * 0.75)) save();
  }
}

function adopt() {
  for (const key of Object.keys(localStorage)) {
    if (!/^dwell:\d/.test(key) || key === own || queue.length > 99) continue;
    const { at, list } = attempt(() => JSON.parse(localStorage[key])) ?? {};
    if (Math.abs(Date.now() - at) < 15000) continue;
    delete localStorage[key];
    attempt(() => {
      list.forEach(settle);
      queue.unshift(...list);
    });
    save();
  }
}

function settle(segment) {
  const by = offset - (segment._offset ?? offset);
  segment.from += by;
  segment.to += by;
  delete segment._offset;
  segment._sent = 1;
}

function belong(next) {
  next ||= '';
  if (next === token) return;
  update();
  if (token) closeAll('session');
  for (const s of all()) s._token ||= next;
  token = next;
  if (!failures) quietUntil = 0;
  attempt(() => (localStorage['dwell:token'] = next));
  update();
}

function compose(size = batch) {
  const known = doubt > 1 ? [] : all();
  const who = known[0]?._token ?? token;
  const segments = known.filter((s) => s._token === who).slice(0, size);
  const beat = { v: 1, sentAt: Date.now() + offset, token: who || undefined, interval: options.interval && pause(), segments };
  const body = JSON.stringify(beat, (name, value) => (name[0] === '_' ? undefined : value));
  if (size > 1 && new Blob([body]).size > 60000) return compose(size >> 1);
  for (const s of segments) s._sent = 1;
  return { who, segments, closed: segments.filter((s) => s.end), body };
}

const post = (body) => fetch(endpoint, { method: 'POST', body, keepalive: true, signal: AbortSignal.timeout?.(60000) });

async function exchange() {
  const { who, segments, closed, body } = compose();
  const began = performance.now();
  let answer, reply;
  try {
    answer = await post(body);
    reply = await answer.json();
  } catch {}
  update();
  const clock = performance.now();
  const trip = clock - began;
  const status = answer?.status;
  if (options.debug !== 'false') console.log('[dwell]', status, body);
  // Portals answer 200 too: only the server's words count.
  const isUnknown = status === 401 || reply?.code === 'no_session';
  let done = closed;
  if (reply?.success && reply.time) {
    failures = 0;
    interval = reply.interval || interval;
    if (lastJump <= began) {
      const measured = Math.round(reply.time + trip / 2 - Date.now());
      for (const s of open.values()) s._offset ??= offset;
      // Else it was a sleep.
      if (doubt === 1 || Math.abs(measured - offset) > 2000 + trip) offset = measured;
      doubt = 0;
      all().forEach(settle);
      attempt(adopt);
    }
  } else if (reply?.success === false && (isUnknown || (status === 400 && segments.length))) {
    failures = 0;
    closeAll('attention');
    done = segments;
    if (isUnknown) {
      // Nobody's, or of a login that is gone.
      done = queue.filter((s) => s._token === who && (status === 401 || !who));
      quietUntil = clock + pause();
    }
  } else {
    if (status === 413) batch = segments.length >> 1 || 1;
    const patience = answer?.headers.get('retry-after') * 1000 || 0;
    quietUntil = clock + patience;
    return Math.max(patience, Math.min(60000, 1000 * 2 ** failures++) * (0.5 + Math.random()));
  }
  queue = queue.filter((s) => !done.includes(s));
  isChanged = true;
  again ||= all().some((s) => !segments.includes(s));
  if (who === token) belong(status === 401 ? '' : reply.token || token);
  update();
  return pause() - trip;
}

async function deliver() {
  while (again) {
    again = false;
    update();
    let wait = quietUntil - performance.now();
    if (wait < 0) {
      if (!all().length) return;
      wait = await exchange();
    }
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  }
}

function send() {
  again = true;
  return (sending ||= deliver().finally(() => (sending = null)));
}

// No answer will be heard: all is kept, and sent again.
function leave(reason) {
  isGone = isChanged = true;
  update(reason);
  if (!queue.length || doubt > 1 || (failures && performance.now() < quietUntil)) return;
  const { body } = compose();
  if (!navigator.sendBeacon?.(endpoint, body)) post(body).catch(() => {});
}

function act() {
  const isBack = !open.has(document);
  isGone = false;
  update();
  lastInput = lastFocus = performance.now();
  update();
  if (isBack) send();
}

const listen = (kinds, action) => {
  for (const kind of kinds.split(' ')) addEventListener(kind, action, true);
};
listen('pointerdown pointermove keydown wheel scroll touchstart', () => {
  const clock = performance.now();
  if (clock - lastInput < 1000) lastInput = clock;
  else act();
});
listen('playing pause seeking waiting ratechange timeupdate', ({ target }) => {
  playing.add(target);
  update();
});
listen('visibilitychange', () => (document.hidden ? isGone || send() : act()));
listen('pagehide', () => leave('left'));
listen('freeze', () => leave('frozen'));
listen('pageshow resume', act);
listen('online', send);
listen('popstate', () => update());
addEventListener('focus', act);
addEventListener('blur', () => (lastFocus = performance.now()));
addEventListener('storage', ({ key, newValue }) => key === 'dwell:token' && belong(newValue));
for (const name of ['pushState', 'replaceState']) {
  const original = history[name];
  history[name] = function (...words) {
    original.apply(this, words);
    update();
  };
}
customElements.define('session-heartbeat', class extends HTMLElement {
  connectedCallback() {
    configure(this);
    send();
  }
});
window.dwell = { version: 2, flush: send, identify: (next) => (belong(next), send()) };

token = attempt(() => localStorage['dwell:token']) || '';
if (script) configure(script);
setInterval(update, 1000);
if (!document.hidden) act();
})();
