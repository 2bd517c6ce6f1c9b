// Dwell's heartbeat: tells the server how long this page was really looked at. dwell.d.ts explains it.
(() => {
  'use strict';
  if (window.dwell) return;

  const script = document.currentScript;
  const endpoint = new URL('/api/session-heartbeat', script?.src || location);
  const tab = String(Math.random()).slice(2);
  const own = 'dwell:' + tab;
  const options = { idle: 60000 };
  const traits = ['page', 'attention', 'rate'];
  // Segments that grow: the page's under document, a medium's under its element.
  const open = new Map();
  const playing = new Set();
  // Closed, and not confirmed. What begins with _ is never sent.
  let queue = [];
  let count = 0;
  // Server time minus this clock. All segments are in server time.
  let offset = 0;
  // 1: never heard of the server. 2: time was lost, and only it knows whether we slept or the clock was set.
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
  let silentUntil = 0;
  let unknownUntil = 0;
  let isGone, isChanged, isSaved, savedAt, timer, sending, again;

  const all = () => [...queue, ...open.values()];
  const pause = () => options.interval || interval;
  // Storage may be forbidden, full, or hold anything.
  const attempt = (action) => {
    try {
      return action();
    } catch {}
  };

  function configure(element) {
    const read = (name) => element.getAttribute('data-' + name) ?? element.getAttribute(name);
    for (const name of ['interval', 'idle']) {
      const wish = Math.round(read(name));
      if (wish >= 1000) options[name] = Math.min(wish, 86400000);
    }
    options.debug ||= (read('debug') ?? 'false') !== 'false';
    belong(read('token') || token);
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

  const closeAll = (end) => [...open.keys()].forEach((key) => close(key, end));

  const plays = (medium) =>
    !medium.paused && !medium.ended && !medium.seeking && medium.readyState > 2 && medium.playbackRate > 0;

  // Brings everything up to now, and cuts where something changed or time was lost.
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

    for (const medium of playing) if (!plays(medium)) playing.delete(medium);
    if (playing.size) lastInput = clock;
    if (document.hasFocus()) lastFocus = clock;
    // A tab that comes or goes is without focus for a moment.
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
        // Attention ended before it was noticed.
        if (end === 'attention') to = Math.round(at - Math.max(quiet, 0));
        to = Math.max(segment.to, to);
        if (video) {
          // A seek has already moved currentTime: the place seen last and the time since must tell.
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

  // Neighbours that were never sent become one, as long as both, until there are no more than that.
  function merge(most) {
    const before = queue.length;
    const earlier = {};
    let excess = before - most;
    queue = queue.filter((b) => {
      const kind = [b._token, b._offset, b.video];
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
      // Another page took them over and may send them: their names hold.
      if (isSaved && !localStorage[own]) for (const segment of queue) segment._sent = 1;
      const list = all().map((segment) => ({ end: 'lost', ...segment }));
      isSaved = 0;
      delete localStorage[own];
      if (list.length) isSaved = localStorage[own] = JSON.stringify({ at: isGone ? 0 : Date.now(), list });
    } catch (error) {
      if (/quota/i.test(error.name) && queue.length > 50 && merge(queue.length * 0.75)) save();
    }
  }

  // Takes over what pages that ended, or have been silent for a while, could not deliver.
  function adopt() {
    for (const key of Object.keys(localStorage)) {
      if (!/^dwell:\d/.test(key) || key === own || queue.length > 99) continue;
      const { at, list } = attempt(() => JSON.parse(localStorage[key])) ?? {};
      if (Math.abs(Date.now() - at) < 15000) continue;
      delete localStorage[key];
      attempt(() => {
        list.forEach(settle);
        for (const segment of list) segment._sent = 1;
        queue.unshift(...list);
      });
      save();
    }
  }

  // Moves a segment that was made in doubt to where it belongs.
  function settle(segment) {
    const by = offset - (segment._offset ?? offset);
    segment.from += by;
    segment.to += by;
    delete segment._offset;
  }

  // From now on segments belong to this session; those that belonged to nobody as well.
  function belong(next) {
    if (next === token) return;
    update();
    if (token) closeAll('session');
    for (const segment of all()) segment._token ||= next;
    token = next;
    attempt(() => (next ? (localStorage['dwell:token'] = next) : delete localStorage['dwell:token']));
    update();
  }

  // A beat: segments of one token, the oldest first, as many as fit.
  function compose(size = batch) {
    const known = doubt > 1 ? [] : all();
    const who = known[0]?._token ?? token;
    const segments = known.filter((segment) => segment._token === who).slice(0, size);
    const beat = { v: 1, sentAt: Date.now() + offset, token: who || undefined, interval: options.interval, segments };
    const body = JSON.stringify(beat, (name, value) => (name[0] === '_' ? undefined : value));
    if (size > 1 && new Blob([body]).size > 60000) return compose(size >> 1);
    for (const segment of segments) segment._sent = 1;
    return { who, segments, closed: segments.filter((segment) => segment.end), body };
  }

  // Text needs no preflight, wherever the server is.
  const post = (body) => fetch(endpoint, { method: 'POST', body, keepalive: true, signal: AbortSignal.timeout?.(60000) });

  // Sends a beat and does what the answer says. Gives the time until the next.
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
    if (options.debug) console.log('[dwell]', status, body);
    const forget = (isDone) => {
      queue = queue.filter((segment) => !isDone(segment));
      isChanged = true;
    };
    // Somebody on the way may answer with a page of their own: only the server's words count.
    if (reply?.success && reply.time) {
      failures = 0;
      interval = reply.interval || interval;
      forget((segment) => closed.includes(segment));
      if (lastJump < began) {
        const measured = Math.round(reply.time + trip / 2 - Date.now());
        for (const segment of open.values()) segment._offset ??= offset;
        // When the clocks still agree it was a sleep.
        if (doubt === 1 || Math.abs(measured - offset) > 2000 + trip) offset = measured;
        doubt = 0;
        all().forEach(settle);
        attempt(adopt);
      }
    } else if (reply?.success === false && (status === 401 || reply.code === 'no_session')) {
      closeAll('attention');
      if (status === 401 || !who) forget((segment) => segment._token === who);
      unknownUntil = clock + pause();
    } else if (reply?.success === false && status === 400) {
      // The rest was stored, and these never will be.
      closeAll('attention');
      forget((segment) => segments.includes(segment));
    } else if (status === 413 && segments.length > 1) {
      batch = segments.length >> 1;
      again = true;
    } else {
      const patience = answer?.headers.get('retry-after') * 1000 || 0;
      silentUntil = clock + patience;
      return Math.max(patience, Math.min(60000, 1000 * 2 ** failures++) * (0.5 + Math.random()));
    }
    again ||= all().some((segment) => !segments.includes(segment));
    if (who === token) belong(status === 401 ? '' : reply?.token || token);
    update();
    return pause() - trip;
  }

  function schedule(delay) {
    clearTimeout(timer);
    timer = setTimeout(send, delay);
  }

  async function deliver() {
    while (again) {
      again = false;
      update();
      const wait = Math.max(silentUntil, unknownUntil) - performance.now();
      if (wait > 0) schedule(wait);
      else if (all().length) schedule(await exchange());
    }
  }

  // One beat at a time, and the next at once while there is more to tell.
  function send() {
    again = true;
    return (sending ||= deliver().finally(() => (sending = null)));
  }

  // The page may never run again, and hears no answer: all is kept, and sent again.
  function leave(reason) {
    isGone = isChanged = true;
    update(reason);
    if (!queue.length || doubt > 1 || performance.now() < silentUntil) return;
    const { body } = compose();
    if (!navigator.sendBeacon?.(endpoint, body)) post(body).catch(() => {});
  }

  function act() {
    update();
    lastInput = lastFocus = performance.now();
    update();
  }

  function arrive() {
    isGone = false;
    lastInput = lastFocus = performance.now();
    if (!open.has(document)) send();
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
    if (plays(target)) playing.add(target);
    update();
  });
  listen('visibilitychange', () => (document.hidden ? isGone || send() : arrive()));
  listen('pagehide', () => leave('left'));
  listen('freeze', () => leave('frozen'));
  listen('pageshow resume', arrive);
  listen('online', send);
  listen('popstate', () => update());
  addEventListener('focus', act);
  addEventListener('blur', () => (lastFocus = performance.now()));
  addEventListener('storage', ({ key, newValue }) => key === 'dwell:token' && belong(newValue || ''));
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
      schedule(pause());
    }
  });
  const flush = () => {
    unknownUntil = 0;
    return send();
  };
  window.dwell = { version: 2, flush, identify: (next) => (belong(next || ''), flush()) };

  token = attempt(() => localStorage['dwell:token']) || '';
  if (script) configure(script);
  for (const medium of document.querySelectorAll('video, audio')) if (plays(medium)) playing.add(medium);
  setInterval(update, 1000);
  if (!document.hidden) arrive();
})();
