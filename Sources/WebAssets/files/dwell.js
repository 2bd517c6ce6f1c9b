/**
 * Dwell's heartbeat: tells the server how long this page was really looked at.
 *
 *   <script src="/dwell.js" data-interval="60000" data-debug defer></script>
 *   <session-heartbeat interval="60000" debug></session-heartbeat>   (after the script; same options)
 *
 * interval: milliseconds between two beats; without it the server's word counts. debug: log to the console.
 * The page never depends on it: when the server is away, beats wait and are sent later.
 */
(() => {
  'use strict';
  if (window.dwell?.version) return;

  const endpoint = '/api/session-heartbeat';
  const tickEvery = 1000;
  /** A clock that skips more than this stood still: the machine slept, or the page was frozen. */
  const gap = 5000;
  /** No input for so long, and the person may be elsewhere. */
  const idleAfter = 60000;
  /** Browsers hand over 64 KiB at most when a page ends, and the server takes no more at once. */
  const sizeLimit = 60000;
  /** As many closed segments as wait; when there are more, the oldest are given up. */
  const queueLimit = 1000;

  const tab = crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(36), '');
  const options = { interval: 0, debug: false };
  let interval = 180000;
  /** The segment that grows now, and the closed ones that the server has not confirmed. */
  let open = null;
  let unconfirmed = [];
  /** As many closed segments as one beat carries; fewer when the server finds that too large. */
  let batch = 200;
  let count = 0;
  let lastTick = Date.now();
  let lastInput = lastTick;
  let timer = 0;

  const log = (...words) => options.debug && console.log('[dwell]', ...words);

  function configure(element) {
    const read = (name) => element.getAttribute(name) ?? element.getAttribute('data-' + name);
    const wish = Number(read('interval'));
    if (wish > 0) options.interval = Math.min(Math.max(wish, 1000), 86400000);
    if (read('debug') !== null && read('debug') !== 'false') options.debug = true;
  }

  function isPlaying() {
    return [...document.querySelectorAll('video, audio')].some((media) => !media.paused && !media.ended);
  }

  const page = () => location.pathname.slice(0, 2048);

  function start(at, attention) {
    open = { tab, n: count++, from: at, to: at, attention, page: page() };
  }

  function end(at) {
    if (!open) return;
    open.to = Math.max(open.from, at);
    if (open.to > open.from) unconfirmed.push(open);
    if (unconfirmed.length > queueLimit) log('given up:', unconfirmed.shift());
    open = null;
  }

  /** Brings the open segment up to now, and cuts it where attention changed or time was lost. */
  function tick() {
    const now = Date.now();
    const slept = now - lastTick > gap || now < lastTick;
    const attention = now - lastInput < idleAfter || isPlaying() ? 'active' : 'idle';
    if (isPlaying()) lastInput = now;
    if (document.visibilityState === 'hidden') {
      end(slept ? lastTick : now);
    } else if (!open) {
      start(now, attention);
    } else if (slept) {
      log('time was lost:', now - lastTick, 'ms');
      end(lastTick);
      start(now, attention);
    } else if (open.attention !== attention || open.page !== page()) {
      end(now);
      start(now, attention);
    } else {
      open.to = now;
    }
    lastTick = now;
  }

  /** The oldest unconfirmed segments and the open one, as many as fit. */
  function beat() {
    for (let count = batch; ; count >>= 1) {
      const sent = unconfirmed.slice(0, count);
      const segments = open ? [...sent, open] : sent;
      const body = JSON.stringify({ v: 1, sentAt: Date.now(), segments });
      if (body.length < sizeLimit || !count) return { sent, body };
    }
  }

  function forget(sent) {
    unconfirmed = unconfirmed.filter((segment) => !sent.includes(segment));
  }

  /** What the server will never take must not stand in the way of what it will: begin anew. */
  function giveUp(sent) {
    forget(sent);
    open = null;
    tick();
  }

  async function send() {
    schedule();
    const { sent, body } = beat();
    try {
      const answer = await fetch(endpoint, {
        method: 'POST', body, keepalive: true, credentials: 'same-origin',
        headers: { 'content-type': 'application/json' },
      });
      // Somebody between here and the server may answer 200 with a page of their own: only its own words count.
      const reply = answer.ok ? await answer.json() : {};
      if (answer.status === 413) batch = Math.max(1, batch >> 1);
      if (reply.success) forget(sent);
      if (answer.status === 400) giveUp(sent);
      if (reply.interval > 0 && reply.interval !== interval) {
        interval = reply.interval;
        schedule();
      }
      log(reply.success ? 'stored' : 'not taken: ' + answer.status, body);
    } catch (error) {
      log('server away, will try again:', error.message);
    }
  }

  /** The page may never run again: hand everything to the browser. It is sent again if the page does come back. */
  function sendLast() {
    clearTimeout(timer);
    const { body } = beat();
    const handed = navigator.sendBeacon?.(endpoint, new Blob([body], { type: 'application/json' }));
    log(handed ? 'handed over' : 'not handed over', body);
    if (!handed) {
      fetch(endpoint, { method: 'POST', body, keepalive: true, headers: { 'content-type': 'application/json' } })
        .catch((error) => log('server away:', error.message));
    }
  }

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(() => (tick(), open && send()), options.interval || interval);
  }

  function show() {
    lastInput = Date.now();
    tick();
    send();
  }

  function hide() {
    tick();
    end(lastTick);
    if (unconfirmed.length) sendLast();
  }

  for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'scroll', 'touchstart']) {
    addEventListener(kind, () => (lastInput = Date.now()), { passive: true, capture: true });
  }
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? hide() : show()));
  addEventListener('pagehide', hide);
  addEventListener('online', () => (tick(), send()));
  addEventListener('pageshow', (event) => event.persisted && show());

  customElements.define('session-heartbeat', class extends HTMLElement {
    connectedCallback() {
      configure(this);
      schedule();
    }
  });

  window.dwell = { version: 1 };
  if (document.currentScript) configure(document.currentScript);
  setInterval(tick, tickEvery);
  if (document.visibilityState !== 'hidden') show();
})();
