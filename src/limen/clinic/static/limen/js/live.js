"use strict";
// The live line: hears the server, says when it does not, and keeps what is tapped until the server has it.
//   Limen.listen(url, stateUrl, {state, samples})   one stream, one whole state at each (re)connect and change
//   with {one} too: after an event of one session only that session is fetched, not every chair of a large room
//   Limen.act(url, kind, data)                      one deed under one key; sent again until it is answered
(() => {
  const limen = window.Limen;
  const serverLimitMs = 3500;
  const answerMs = 8000; // a cut line gives no answer at all, not even an error
  const reopenMs = 6000; // and no end of the stream: without a word for so long it is opened anew
  const json = { Accept: "application/json" };

  // ---- hearing

  function listen(url, stateUrl, page) {
    let source = null;
    let lastId = null;
    let fetching = false;
    let again = false;
    let timer = 0;

    async function refetch() {
      if (fetching) {
        again = true;
        return;
      }
      fetching = true;
      try {
        const answer = await fetch(stateUrl, { headers: json, cache: "no-store", signal: AbortSignal.timeout(answerMs) });
        if (answer.status === 401 || answer.redirected) signedOut();
        if (answer.ok && !answer.redirected) {
          const state = await answer.json();
          limen.sync(state.now);
          for (const one of [state, ...(state.chairs || [])]) one.turned_ms = limen.turnedMs();
          lastId = Math.max(lastId ?? 0, state.last_event_id);
          turned([state, ...(state.chairs || [])]);
          page.state(state);
        }
      } catch {
        // no answer is what the blind bar is for; the next word of the server fetches again
        again = source !== null && source.readyState === EventSource.OPEN;
      } finally {
        fetching = false;
        if (again) {
          again = false;
          soon(1000);
        }
      }
    }

    function soon(ms) {
      window.clearTimeout(timer);
      timer = window.setTimeout(refetch, ms);
    }

    // One chair anew. Whatever goes wrong, the whole is fetched instead.
    const dirty = new Set();
    let ones = 0;

    async function fetchOnes() {
      ones = 0;
      const wanted = [...dirty];
      dirty.clear();
      for (const session of wanted) {
        try {
          const answer = await fetch(`${stateUrl}?session=${session}`, { headers: json, cache: "no-store", signal: AbortSignal.timeout(answerMs) });
          const found = answer.ok && !answer.redirected ? await answer.json() : { chairs: [] };
          for (const one of found.chairs) one.turned_ms = limen.turnedMs();
          if (fetching || !found.chairs.length || !page.one(found.chairs[0])) soon(0);
        } catch {
          soon(0);
        }
      }
    }

    function changed(event) {
      lastId = Number(event.lastEventId);
      const session = page.one ? JSON.parse(event.data).session : null;
      if (!session) return soon(30);
      dirty.add(session);
      ones = ones || window.setTimeout(fetchOnes, 30);
    }

    let heardAt = performance.now();
    const word = () => {
      heardAt = performance.now();
    };

    function open() {
      word();
      const from = lastId === null ? url : `${url}?after=${lastId}`;
      source = new EventSource(from);
      source.addEventListener("open", () => soon(0));
      for (const kind of ["open", "pulse", "reset", "samples"]) source.addEventListener(kind, word);
      source.addEventListener("pulse", (event) => {
        const said = JSON.parse(event.data);
        pulse(said, page.session);
        if (page.pulse) page.pulse(said);
      });
      source.addEventListener("reset", () => soon(0));
      source.addEventListener("samples", (event) => {
        lastId = Number(event.lastEventId);
        page.samples(JSON.parse(event.data));
      });
      for (const kind of ["event", "alarm", "monitor"]) {
        source.addEventListener(kind, changed);
      }
      source.addEventListener("error", () => {
        if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
        source.close();
        window.setTimeout(open, 2000);
        soon(0); // tells whether the sign-in has ended
      });
    }

    open();
    window.setInterval(() => {
      if (performance.now() - heardAt < reopenMs || source.readyState === EventSource.CLOSED) return;
      source.close();
      open();
    }, 1000);
    document.addEventListener("limen:turned", () => soon(0));
    window.setInterval(() => soon(0), 30000); // what no event tells: observations fall due, walls come near
    return { refetch: () => soon(0) };
  }

  // The chain is as good as its weakest link: the server's word, the monitor's sign of life, and the second up to which
  // it has watched this session. On the board the sessions are judged one by one, in their tiles.
  function pulse(word, session) {
    const watched = session ? word.watched_age_s[session] ?? 0 : 0;
    const age = word.monitor_age_s === null ? Infinity : Math.max(word.monitor_age_s, watched);
    wordAt = performance.now();
    limen.heard(word.now, age * 1000);
    trouble = word.trouble || "";
  }

  // Which link is cut: the server speaks and its monitor does not, or the server does not speak. While all is well the
  // words of a page that stands still are the ones in place: nobody changes them once the script has stopped.
  let wordAt = -Infinity;
  let trouble = ""; // what the server says it suffers from
  window.setInterval(() => {
    const blind = document.body.classList.contains("is-blind");
    const speaks = performance.now() - wordAt < serverLimitMs;
    const show = (name, when) => {
      for (const place of document.querySelectorAll(`[data-if-${name}]`)) place.hidden = !when;
    };
    show("stopped", !blind);
    show("unwatched", blind && speaks);
    show("silent", blind && !speaks);
    for (const place of document.querySelectorAll("[data-trouble]")) place.textContent = trouble ? `${trouble.charAt(0).toUpperCase()}${trouble.slice(1)}.` : "";
  }, 250);

  // The server's clock was set back in a session that still runs: said beside the clock, for as long as it matters.
  function turned(sessions) {
    const backS = Math.max(0, ...sessions.map((session) => session.clock_offset_s || 0));
    const about = backS >= 90 ? `${Math.round(backS / 60)} min` : `${Math.round(backS)} s`;
    for (const place of document.querySelectorAll("[data-turned]")) {
      place.hidden = backS === 0;
      place.textContent = `Clock was set back ${about}`;
    }
  }

  function signedOut() {
    for (const place of document.querySelectorAll("[data-signed-out]")) place.hidden = false;
  }

  // ---- doing

  const person = document.body.dataset.person || "";
  const name = `limen.deeds.${person}`; // another person's taps are never sent under this one's name
  const read = () => JSON.parse(window.sessionStorage.getItem(name) || "[]");
  const write = (deeds) => window.sessionStorage.setItem(name, JSON.stringify(deeds));
  const waiting = new Map();
  let sending = false;

  const newKey = () => (window.crypto.randomUUID ? window.crypto.randomUUID() : `${Date.now()}-${Math.random()}`);

  // Resolves with the server's answer; {kept: true} when the line is down and the deed waits in this tab.
  function act(url, kind, data, key = newKey()) {
    write([...read(), { url, key, kind, data, at: Date.now() }]);
    return new Promise((resolve) => {
      waiting.set(key, resolve);
      send();
    });
  }

  async function send() {
    if (sending) return;
    sending = true;
    try {
      for (let [deed] = read(); deed; [deed] = read()) {
        const answer = await post(deed);
        say();
        if (answer === null) {
          settle(deed.key, { kept: true, key: deed.key });
          window.setTimeout(send, 2000);
          break;
        }
        write(read().filter((other) => other.key !== deed.key));
        settle(deed.key, answer);
        document.dispatchEvent(new CustomEvent("limen:sent", { detail: { deed, answer } }));
        if (answer.error) document.dispatchEvent(new CustomEvent("limen:refused", { detail: { deed, answer } }));
      }
    } finally {
      sending = false;
      say();
    }
  }

  function settle(key, answer) {
    const resolve = waiting.get(key);
    waiting.delete(key);
    if (resolve) resolve(answer);
  }

  async function post(deed) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    const body = JSON.stringify({ kind: deed.kind, key: deed.key, data: deed.data, late_s: (Date.now() - deed.at) / 1000 });
    try {
      const answer = await fetch(deed.url, {
        method: "POST",
        headers: { ...json, "Content-Type": "application/json", "X-CSRFToken": token ? token.value : "" },
        body,
        signal: AbortSignal.timeout(answerMs),
      });
      why = "";
      if (answer.status === 401 || answer.redirected) {
        signedOut();
        return null;
      }
      if (answer.status >= 500) {
        why = (await answer.json()).error?.what || "";
        return null;
      }
      const found = await answer.json();
      return answer.ok ? found : { ...found, error: found.error || `refused (${answer.status})` };
    } catch {
      return null;
    }
  }

  let why = ""; // what the server said when it did not take a tap

  function say() {
    const count = read().length;
    const because = count && why ? `: ${why}` : "";
    for (const place of document.querySelectorAll("[data-kept]")) {
      place.hidden = count === 0;
      place.textContent = `${count === 1 ? "1 tap" : `${count} taps`} kept here, not sent yet${because}`;
    }
  }

  window.setInterval(() => {
    if (read().length) send();
  }, 5000);
  say();
  Object.assign(limen, { listen, act, newKey });
})();
