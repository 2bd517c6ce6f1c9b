// Dwell's heartbeat: tells the server how long this page was really looked at, and what of its videos was watched.
//
//   <script src="/dwell.js" data-interval="60000" data-idle="60000" data-token="..." data-debug defer></script>
//   <session-heartbeat interval="60000" debug></session-heartbeat>   (after the script; the same options)
//   <video data-dwell-video="lesson-1" ...>
//
// The page never depends on it. What the server has not confirmed waits in localStorage, where other pages find it;
// segments have names, so that what is sent twice counts once. dwell.d.ts describes what a page can say to it.
// Lines that hold only a comment are not served, and no indentation.
(() => {
  'use strict';
  if (window.dwell?.version) return;

  const script = document.currentScript;
  // The server that served the script, whoever served the page.
  const endpoint = new URL('/api/session-heartbeat', script?.src || location);
  const tab = String(Math.random()).slice(2);
  const own = 'dwell:' + tab;
  const options = { debug: 'false' };
  const traits = ['page', 'attention', 'rate', 'video'];
  // Segments that grow: the page's under document, a medium's under its element.
  const open = new Map();
  const playing = new Set(document.querySelectorAll('video, audio'));
  // Closed ones that the server has not confirmed. What begins with _ is not sent: _token (whose it is), _sent (the
  // server may know its name) and _offset (the one that was believed in while it was in doubt).
  let queue = [];
  let count = 0;
  // Server time minus this clock's. All segments are in server time, which other pages understand as well.
  let offset = 0;
  // 1: the server's time was never heard. 2: time was lost, or the clock was set: only the server knows which, and it
  // is asked before anything else is told.
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
  // How many media played at the last tick.
  let heard = 0;
  // No beat before, by performance.now(): the server asked for silence, or knows nobody.
  let quietUntil = 0;
  let isGone, isChanged, isSaved, timer, sending, again;

  const all = () => [...queue, ...open.values()];
  const pause = () => Math.min(Math.max(options.interval || interval, 1000), 86400000);
  // Storage may be forbidden, and hold anything.
  const attempt = (action) => {
    try {
      return action();
    } catch {}
  };

  function configure(element) {
    for (const name of ['interval', 'idle', 'debug', 'token']) {
      options[name] = element.getAttribute('data-' + name) ?? element.getAttribute(name) ?? options[name];
    }
    options.interval |= 0;
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

  // Brings everything up to now: cuts where something changed or time was lost, ends what is over, begins what is new.
  function update(reason = 'hidden') {
    const date = Date.now();
    const clock = performance.now();
    const passed = clock - lastClock;
    if (passed > 5000 || Math.abs(date - lastDate - passed) > 2000) {
      // Everything was brought up to the last tick; what came after it nobody knows.
      closeAll('asleep');
      doubt = 2;
      lastJump = clock;
      queueMicrotask(send);
    }
    lastDate = date;
    lastClock = clock;

    for (const medium of playing) {
      const isPlaying = medium.playbackRate > 0 && !medium.paused && !medium.seeking;
      if (medium.readyState < 3 || !isPlaying) playing.delete(medium);
    }
    if (playing.size) lastInput = clock;
    if (document.hasFocus()) lastFocus = clock;
    // For how long there has been no attention. A tab that comes or goes is without focus for a moment.
    const idle = clock - lastInput - (options.idle | 0 || 60000);
    const quiet = playing.size ? -1 : Math.max(idle, clock - lastFocus - 100);
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
        else if (segment.video && !playing.has(key)) {
          end = key.ended ? 'ended' : key.paused ? 'paused' : key.seeking ? 'sought' : 'stalled';
        }
        if (end === 'video') end = 'ended';
        // Attention ended when there had been nothing for too long, not now that it is noticed.
        if (end === 'attention') to = Math.round(at - Math.max(quiet, 0));
        to = Math.max(segment.to, to);
        if (segment.mediaTo >= 0) {
          const due = (to - segment.to) * segment.rate + segment.mediaTo;
          let place = key.currentTime * 1000;
          // A seek has already moved it, also one that the player does not tell: the place seen last tells, and the time
          // since.
          if (key.seeking || Math.abs(place - due) > 3000) {
            place = due;
            end ||= 'sought';
          }
          const most = (to - segment.from) * segment.rate + segment.mediaFrom;
          segment.mediaTo = Math.floor(Math.max(segment.mediaTo, Math.min(place, most)));
        }
        segment.to = to;
        if (end) close(key, end);
      }
      if (next && !open.has(key)) {
        // A place in a live stream is none that another person could come to.
        const mediaTo = Math.floor(key.currentTime * 1000);
        const mediaDuration = Math.floor(key.duration * 1000);
        const media = mediaDuration < 1 / 0 && { mediaFrom: mediaTo, mediaTo, mediaDuration };
        const _offset = doubt ? offset : undefined;
        open.set(key, { tab, n: count++, from: to, to, ...next, ...media, _token: token, _offset });
      }
    }
    if (isChanged || (open.size && clock - savedAt >= 5000)) save();
  }

  // Until there are no more than that: neighbours that were never sent become one that is as long as both, alike ones
  // first. What does not hold for both is claimed for neither.
  function merge(most) {
    const before = queue.length;
    for (const alike of [traits, []]) {
      const earlier = {};
      let excess = queue.length - most;
      queue = queue.filter((b) => {
        const kind = [b._token, b.video];
        const a = earlier[kind];
        if (excess > 0 && a && !a._sent && !b._sent && alike.every((name) => a[name] === b[name])) {
          excess--;
          a.to += b.to - b.from;
          a.end = b.end;
          if (a.page !== b.page) delete a.page;
          if (a.attention !== b.attention) a.attention = 'idle';
          a.mediaFrom = a.mediaTo = a.mediaDuration = a.rate = undefined;
          return false;
        }
        return (earlier[kind] = b);
      });
    }
    return before > queue.length;
  }

  function save() {
    isChanged = false;
    savedAt = performance.now();
    try {
      // Another page has taken them over and may have told them: their names hold from now on.
      if (isSaved && !localStorage[own]) for (const s of queue) s._sent = 1;
      const list = all().map((s) => ({ end: 'lost', ...s }));
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
    segment._sent = 1;
  }

  // From now on segments belong to this session; those that belonged to nobody yet do as well.
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

  // A beat: segments of one token, the oldest first, as many as fit.
  function compose(size = batch) {
    const known = doubt > 1 ? [] : all();
    const who = known[0]?._token ?? token;
    const segments = known.filter((s) => s._token === who).slice(0, size);
    const interval = options.interval ? pause() : undefined;
    const beat = { v: 1, sentAt: Date.now() + offset, token: who || undefined, interval, segments };
    const body = JSON.stringify(beat, (name, value) => (name[0] === '_' ? undefined : value));
    if (size > 1 && new Blob([body]).size > 60000) return compose(size >> 1);
    for (const s of segments) s._sent = 1;
    return { who, segments, closed: segments.filter((s) => s.end), body };
  }

  // Text, so that the browser need not ask a server on another origin first.
  const post = (body, path = endpoint) =>
    fetch(path, { method: 'POST', body, keepalive: true, signal: AbortSignal.timeout?.(60000) });

  // The account plays as many videos as it may: the player stops, and the page is told.
  function refuse(player, viewing) {
    const stopped = viewing?.stopped.find((s) => s.video === player.dataset.dwellVideo);
    if (!stopped) return;
    const take = async (instead) => {
      const body = JSON.stringify({ ...stopped, token: token || undefined, instead });
      const answer = await post(body, new URL('viewing/take', endpoint));
      if (answer.ok) return player.play();
      const reply = await answer.json();
      refuse(player, reply.viewing);
    };
    player.pause();
    dispatchEvent(new CustomEvent('dwell:viewing', { detail: { ...viewing, ...stopped, player, take } }));
  }

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
    if (options.debug !== 'false') console.log('[dwell]', status, body);
    // Somebody on the way may answer with a page of their own: only the server's words count.
    const isUnknown = status === 401 || reply?.code === 'no_session';
    let done = closed;
    if (reply?.success && reply.time) {
      failures = 0;
      interval = reply.interval || interval;
      if (lastJump <= began) {
        const measured = Math.round(reply.time + trip / 2 - Date.now());
        for (const s of open.values()) s._offset ??= offset;
        // If the clocks still agree it was a sleep.
        if (doubt === 1 || Math.abs(measured - offset) > 2000 + trip) offset = measured;
        doubt = 0;
        all().forEach(settle);
        attempt(adopt);
      }
      for (const player of playing) refuse(player, reply.viewing);
    } else if (reply?.success === false && (isUnknown || (status === 400 && segments.length))) {
      failures = 0;
      closeAll('attention');
      // What belongs to nobody, or to a login that is gone, never will be stored. Nor what is refused; the rest was.
      done = isUnknown ? queue.filter((s) => s._token === who) : segments;
      if (isUnknown && who === token) quietUntil = clock + pause();
    } else {
      if (status === 413) batch = segments.length >> 1 || 1;
      const patience = answer?.headers.get('retry-after') * 1000 || 0;
      quietUntil = clock + patience;
      return Math.max(patience, Math.min(60000, 1000 * 2 ** failures++) * (0.5 + Math.random()));
    }
    queue = queue.filter((s) => !done.includes(s));
    isChanged = true;
    again ||= all().some((s) => !segments.includes(s));
    if (who === token) belong(isUnknown ? '' : reply.token || token);
    update();
    return pause() - trip;
  }

  async function deliver() {
    while (again) {
      again = false;
      let wait = quietUntil - performance.now();
      if (wait <= 0) wait = all().length ? await exchange() : pause();
      clearTimeout(timer);
      timer = setTimeout(send, Math.ceil(wait));
    }
  }

  // One beat at a time, and the next at once while there is more to tell.
  function send() {
    again = true;
    update();
    return (sending ||= deliver().finally(() => (sending = 0)));
  }

  // The page may never run again and will not hear an answer: everything is kept, and sent again by the next.
  function leave(reason) {
    isGone = isChanged = true;
    update(reason);
    if (!queue.length || doubt > 1 || (failures && performance.now() < quietUntil)) return;
    const { body } = compose();
    if (!navigator.sendBeacon?.(endpoint, body)) post(body).catch(() => {});
  }

  // Somebody came, or did something.
  function act() {
    const isBack = !open.has(document);
    isGone = false;
    update();
    lastInput = performance.now();
    if (isBack) lastFocus = lastInput;
    update();
    if (isBack) send();
  }

  const listen = (kinds, action) => {
    for (const kind of kinds.split(' ')) addEventListener(kind, action, true);
  };
  // Input comes often: it is enough to look at the clock.
  listen('pointerdown pointermove keydown wheel scroll touchstart', () => {
    const clock = performance.now();
    if (clock - lastInput < 1000) lastInput = clock;
    else act();
  });
  const notice = (player) => {
    playing.add(player);
    update();
  };
  listen('playing pause seeking waiting ratechange timeupdate', ({ target }) => notice(target));
  listen('visibilitychange', () => (document.hidden ? isGone || send() : act()));
  listen('pagehide', () => leave('left'));
  listen('freeze', () => leave('frozen'));
  listen('pageshow resume', act);
  listen('online', send);
  listen('popstate', () => update());
  addEventListener('focus', act);
  listen('blur', () => (lastFocus = performance.now()));
  listen('storage', ({ key, newValue }) => key === 'dwell:token' && belong(newValue));
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name].bind(history);
    history[name] = (...words) => {
      original(...words);
      update();
    };
  }
  customElements.define('session-heartbeat', class extends HTMLElement {
    connectedCallback() {
      configure(this);
      send();
    }
  });
  window.dwell = { version: 2, flush: send, identify: (next) => (belong(next), send()), notice };

  token = attempt(() => localStorage['dwell:token']) || '';
  if (script) configure(script);
  setInterval(() => {
    update();
    // Where videos at once are limited, the server must know soon.
    if (heard !== (heard = playing.size)) send();
  }, 1000);
  if (!document.hidden) act();
})();
