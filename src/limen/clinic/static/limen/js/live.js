"use strict";
// The live line: hears the server, and says when it does not.
//   Limen.listen(url, stateUrl, {state, samples})   one stream, one whole state at each (re)connect and change
//   with {one} too: after an event of one session only that session is fetched, not every chair of a large room
(() => {
  const limen = window.Limen;
  const { answerMs } = limen;
  const serverLimitMs = 3500;
  const oldMs = 2000; // an answer that took longer tells no time of day
  const reopenMs = 6000; // and no end of the stream: without a word for so long it is opened anew
  const json = { Accept: "application/json" };

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
      limen.signedIn();
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
    for (const name of ["limen:turned", "limen:look"]) document.addEventListener(name, () => soon(0));
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

  Object.assign(limen, { listen });
})();
