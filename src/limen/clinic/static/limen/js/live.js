"use strict";
// The live line: hears the server, says when it does not, and keeps what is tapped until the server has it.
//   Limen.listen(url, stateUrl, {state, samples})   one stream, one whole state at each (re)connect and change
//   with {one} too: after an event of one session only that session is fetched, not every chair of a large room
//   Limen.act(url, kind, data)                      one deed under one key; sent again until it is answered
(() => {
  const limen = window.Limen;
  const serverLimitMs = 3500;
  const answerMs = 8000; // a cut line gives no answer at all, not even an error
  const oldMs = 2000; // an answer that took longer tells no time of day
  const reopenMs = 6000; // and no end of the stream: without a word for so long it is opened anew
  const json = { Accept: "application/json" };

  // ---- hearing

  function listen(url, stateUrl, page) {
    let source = null;
    let lastId = null;
    let fetching = false;
    let again = false;
    let timer = 0;
    let out = false; // signed out: the stream is closed until a state is given again
    let failing = false; // the last state asked for was not given
    let askedAt = 0;
    let wholes = 0; // states given so far

    async function get(address) {
      const answer = await fetch(address, { headers: json, cache: "no-store", signal: AbortSignal.timeout(answerMs) });
      if (answer.status === 401 || answer.redirected) leave();
      if (!answer.ok || answer.redirected) throw new Error(`no state: ${answer.status}`);
      return answer.json();
    }

    async function refetch() {
      if (fetching) {
        again = true;
        return;
      }
      fetching = true;
      askedAt = performance.now();
      try {
        const state = await get(stateUrl);
        if (performance.now() - askedAt < oldMs) limen.sync(state.now);
        for (const one of [state, ...(state.chairs || [])]) one.turned_ms = limen.turnedMs();
        lastId = Math.max(lastId ?? 0, state.last_event_id);
        for (const [session, id] of dirty) if (id <= state.last_event_id) dirty.delete(session);
        wholes += 1;
        failing = false;
        if (out) back();
        turned([state, ...(state.chairs || [])]);
        page.state(state);
      } catch {
        // While the stream speaks the state is asked for until it is given; without it no alarm is drawn, so no pulse
        // counts meanwhile and the page goes blind.
        failing = true;
        again = out || (source !== null && source.readyState === EventSource.OPEN);
      } finally {
        fetching = false;
        if (again) {
          again = false;
          soon(1000);
        }
        if (dirty.size && !failing) fetchOnes();
      }
    }

    const deaf = () => failing || (fetching && performance.now() - askedAt > answerMs / 2);

    // The sign-in has ended. A stream that went on would keep the page "Live" without its alarms. Asked again and again:
    // a sign-in in another tab opens the page anew.
    function leave() {
      out = true;
      source.close();
      signedOut(true);
    }

    function back() {
      out = false;
      signedOut(false);
      others = false;
      renew(); // the old token went with the old sign-in
      open();
    }

    function soon(ms) {
      window.clearTimeout(timer);
      timer = window.setTimeout(refetch, ms);
    }

    // One chair anew, one after the other. Whatever goes wrong, the whole is fetched instead.
    const dirty = new Map(); // session -> the event that it is fetched for
    let ones = 0;
    let busy = false;

    async function fetchOnes() {
      ones = 0;
      if (busy) return;
      busy = true;
      for (let [entry] = dirty; entry && !fetching; [entry] = dirty) {
        const [session, id] = entry;
        const before = wholes;
        try {
          const { chairs } = await get(`${stateUrl}?session=${session}`);
          if (fetching || wholes !== before) continue; // the whole may be the newer one: asked again, unless it holds the event
          for (const one of chairs) one.turned_ms = limen.turnedMs();
          if (!chairs.length || !page.one(chairs[0])) soon(0);
        } catch {
          soon(0);
        }
        if (dirty.get(session) === id) dirty.delete(session);
      }
      busy = false;
    }

    function changed(event) {
      lastId = Number(event.lastEventId);
      const session = page.one ? JSON.parse(event.data).session : null;
      if (!session) return soon(30);
      dirty.set(session, lastId);
      ones = ones || window.setTimeout(fetchOnes, 30);
    }

    let heardAt = performance.now();
    const word = () => {
      heardAt = performance.now();
    };

    function open() {
      word();
      const from = lastId === null ? url : `${url}?after=${lastId}`;
      source?.close();
      const mine = new EventSource(from);
      source = mine;
      source.addEventListener("open", () => soon(0));
      for (const kind of ["open", "pulse", "reset", "samples"]) source.addEventListener(kind, word);
      source.addEventListener("pulse", (event) => {
        const said = JSON.parse(event.data);
        pulse(said, page.session, deaf());
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
        if (mine !== source || mine.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
        window.setTimeout(() => !out && mine === source && open(), 2000);
        soon(0); // tells whether the sign-in has ended
      });
    }

    open();
    window.setInterval(() => {
      if (performance.now() - heardAt < reopenMs || source.readyState === EventSource.CLOSED) return;
      open();
    }, 1000);
    look = () => soon(0);
    document.addEventListener("limen:turned", () => soon(0));
    window.setInterval(() => soon(0), 30000); // what no event tells: observations fall due, walls come near
    return { refetch: () => soon(0) };
  }

  // The chain is as good as its weakest link: the server's word, the monitor's sign of life, and the second up to which
  // it has watched this session. On the board the sessions are judged one by one, in their tiles.
  // Where the page cannot fetch its state, no pulse counts: alarms come with the state alone.
  function pulse(word, session, deaf) {
    trouble = word.trouble || (deaf ? "the server speaks, but does not tell this page its alarms" : "");
    if (deaf) return;
    const watched = session ? word.watched_age_s[session] ?? 0 : 0;
    const age = word.monitor_age_s === null ? Infinity : Math.max(word.monitor_age_s, watched);
    wordAt = performance.now();
    limen.heard(word.now, age * 1000);
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

  function signedOut(is) {
    for (const place of document.querySelectorAll("[data-signed-out]")) place.hidden = !is;
  }

  let look = () => undefined; // a listening page asks at once whether it is still signed in

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
          for (const key of [...waiting.keys()]) settle(key, { kept: true, key, why });
          window.setTimeout(send, 2000);
          break;
        }
        write(read().filter((other) => other.key !== deed.key));
        const late = !waiting.has(deed.key); // it was kept, and its form is gone
        settle(deed.key, answer);
        if (answer.error && late) refuse(deed, answer.error);
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

  // After a sign-in in another tab the token of this page is the old one's. The page itself, asked for anew, holds the
  // new one: taken only while the same person is signed in, for a tap never goes under another one's name.
  // Resolves with what hinders it, in words.
  const signOut = "you are signed out, sign in again";
  let renewedAt = -Infinity;
  let hindered = "";
  let others = false; // another person is signed in: asking on would keep that sign-in from idling out

  async function renew() {
    if (others || performance.now() - renewedAt < 10000) return hindered;
    renewedAt = performance.now();
    hindered = "this page is older than your sign-in: load it again, then it is sent";
    try {
      const answer = await fetch(window.location.pathname, { cache: "no-store", signal: AbortSignal.timeout(answerMs) });
      const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = body.querySelector("input[name=csrfmiddlewaretoken]");
      if (answer.redirected) hindered = signOut;
      others = answer.ok && !answer.redirected && body.dataset.person !== person;
      if (!answer.ok || answer.redirected || !token || others) return hindered;
      for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token.value;
      hindered = "";
    } catch {
      // what waits says that it waits
    }
    return hindered;
  }

  async function post(deed, renewed = false) {
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
        why = signOut;
        look();
        return null;
      }
      const plain = !(answer.headers.get("Content-Type") || "").includes("json"); // not the deed's own answer
      if (answer.status === 403 && plain) {
        look();
        const because = await renew();
        if (!because && !renewed) return post(deed, true);
        why = because;
        return null;
      }
      if (answer.status >= 500) {
        why = (await answer.json()).error?.what || "";
        return null;
      }
      const found = plain ? {} : await answer.json();
      return answer.ok && !plain ? found : { ...found, error: found.error || `refused (${answer.status})` };
    } catch {
      return null;
    }
  }

  let why = ""; // what the server said when it did not take a tap

  // What was kept and then refused: said until somebody has read it, also on the next page of this tab.
  const refusedName = `limen.refused.${person}`;
  const refused = () => JSON.parse(window.sessionStorage.getItem(refusedName) || "[]");

  function refuse({ kind, data, at }, error) {
    const values = Object.entries(data).filter(([, value]) => ["string", "number"].includes(typeof value) && String(value).length < 40);
    const what = [kind.replace(".", " ").replaceAll("-", " "), ...values.map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`)].join(", ");
    const because = typeof error === "string" ? error : [error.what, error.allowed && `allowed: ${error.allowed}`, error.hint].filter(Boolean).join(". ");
    const said = `Not taken, write it down again: ${what}, tapped ${limen.clockTime(limen.now() - (Date.now() - at))}: ${because}`;
    window.sessionStorage.setItem(refusedName, JSON.stringify([...refused(), said]));
  }

  function say() {
    const count = read().length;
    const because = count && why ? `: ${why}` : "";
    const waits = count ? [`${count === 1 ? "1 tap" : `${count} taps`} kept here, not sent yet${because}`] : [];
    const lost = refused();
    const said = [...waits, ...lost].join(". ");
    for (const place of document.querySelectorAll("[data-kept]")) {
      place.hidden = !said;
      if (place.dataset.said === said) continue; // read out once, and a button under the finger stays
      place.dataset.said = said;
      place.replaceChildren(said, ...(lost.length ? [" ", readButton()] : []));
    }
  }

  function readButton() {
    const button = document.createElement("button");
    button.className = "press";
    button.type = "button";
    button.textContent = "Read";
    button.addEventListener("click", () => {
      window.sessionStorage.removeItem(refusedName);
      say();
    });
    return button;
  }

  window.setInterval(() => {
    if (read().length) send();
  }, 5000);
  say();
  Object.assign(limen, { listen, act, newKey, renew });
})();
