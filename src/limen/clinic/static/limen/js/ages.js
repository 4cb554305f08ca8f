"use strict";
// Every value says how old it is. The page decides by its own timer what is stale and lost, so a dead stream cannot
// look alive.
//   [data-age][data-at="ISO"]                 prints the age of a fact
//   .vital[data-at][data-stale-s][data-lost-s] with .figure, .age, dd.last: live, stale, lost
//   body[data-listening][data-silent-s]       a page that hears the server: Limen.heard(iso) on every word from it
(() => {
  const limen = window.Limen;
  const started = performance.now();
  let heardAt = null;
  let heardWall = 0; // the same on the screen's own clock, which goes on while a laptop sleeps
  let heardClock = "";
  let unwatched = false; // the server says that its monitor never gave a sign
  const aheadMs = 2000; // a sign from further in the future was given before the server's clock was set back
  let beat = "a";

  // Call on every message and heartbeat of the stream, and on nothing else. `agoMs`: how long before this word its
  // weakest link (the alarm monitor, the session's last watched second) gave its own sign of life; Infinity: never.
  function heard(iso, agoMs = 0) {
    unwatched = !Number.isFinite(agoMs);
    if (iso) limen.sync(iso);
    if (!unwatched && agoMs > -aheadMs) {
      heardAt = Math.max(heardAt ?? -Infinity, performance.now() - Math.max(0, agoMs));
      heardWall = Date.now() - (performance.now() - heardAt);
      if (iso) heardClock = limen.clockTime(Date.parse(iso) - agoMs);
    }
    tell();
    listen();
  }

  // The script's own sign to the stylesheet: with every word heard, and on a blind page every second by itself.
  let beatAt = 0;
  function tell() {
    beat = beat === "a" ? "b" : "a";
    beatAt = performance.now();
    document.body.dataset.beat = beat;
  }

  function listen() {
    const body = document.body;
    const limit = Number(body.dataset.silentS || 10) * 1000;
    const silent = heardAt === null ? performance.now() - started : Math.max(performance.now() - heardAt, Date.now() - heardWall);
    const blind = unwatched || silent > limit;
    body.classList.toggle("is-listening", !blind);
    body.classList.toggle("is-blind", blind);
    if (blind && performance.now() - beatAt > 1000) tell();
    for (const pulse of document.querySelectorAll(".pulse")) {
      const word = pulse.querySelector("b");
      const said = pulse.querySelector("[data-pulse]");
      if (word) word.textContent = heardAt === null ? "not heard yet" : blind ? "Silent" : "Live";
      if (said) said.textContent = heardAt === null ? "" : silent < 10000 ? `${(silent / 1000).toFixed(1)} s` : limen.span(silent);
      pulse.classList.toggle("pulse--silent", blind);
    }
    // Also while all is well: the words stand ready for the stylesheet, should this script stop.
    for (const place of document.querySelectorAll("[data-silent-span]")) place.textContent = blind ? limen.span(silent) : "an unknown time";
    for (const place of document.querySelectorAll("[data-silent-last]")) {
      place.textContent = heardAt === null ? (blind ? "Not one sign since this page opened." : "") : heardClock ? `Last sign ${heardClock}.` : "";
    }
  }

  function words(ms, prefix, old) {
    const seconds = Math.floor(ms / 1000);
    const text = seconds < 60 ? `${seconds} s` : limen.span(ms);
    return `${prefix}${text}${old ? " old" : ""}`;
  }

  function vital(item, now) {
    const age = item.querySelector(".age");
    const figure = item.querySelector(".figure");
    const last = item.querySelector("dd.last");
    const at = Date.parse(item.dataset.at || "");
    const known = Number.isFinite(at) && figure && (figure.dataset.figure ?? figure.textContent).trim() !== "";
    const old = now - at;
    // a reading from the future is a wrong clock, not a fresh value
    const ahead = known && old < -5000;
    const lost = !known || old > Number(item.dataset.lostS) * 1000;
    const stale = !lost && (ahead || old > Number(item.dataset.staleS) * 1000);
    item.classList.toggle("vital--lost", lost);
    item.classList.toggle("vital--stale", stale);
    item.classList.toggle("vital--live", !lost && !stale);
    if (age) {
      if (!known) age.textContent = item.dataset.unknown || "nothing heard yet";
      else if (lost) age.textContent = `${item.dataset.lostWord || "silent"} ${limen.span(old)}`;
      else if (ahead) age.textContent = "device clock ahead";
      else age.textContent = words(Math.max(0, old), item.dataset.prefix || "", stale);
    }
    if (figure) {
      if (lost && figure.dataset.figure === undefined) {
        figure.dataset.figure = figure.textContent;
        figure.textContent = "– –";
        figure.setAttribute("aria-label", "not known");
      } else if (!lost && figure.dataset.figure !== undefined) {
        figure.textContent = figure.dataset.figure;
        delete figure.dataset.figure;
        figure.removeAttribute("aria-label");
      }
    }
    if (last) {
      last.hidden = !(lost && known);
      if (lost && known) last.textContent = `was ${figure.dataset.figure} at ${limen.clockTime(at)}`;
    }
  }

  // Give a vital a new value; the next tick, or this call, draws its state.
  function show(item, value, iso) {
    const figure = item.querySelector(".figure");
    delete figure.dataset.figure;
    figure.removeAttribute("aria-label");
    figure.textContent = value === null || value === undefined ? "" : String(value);
    item.dataset.at = iso || "";
    vital(item, limen.now());
  }

  function tick() {
    const now = limen.now();
    if (document.body.hasAttribute("data-listening")) listen();
    for (const item of document.querySelectorAll(".vital[data-lost-s]")) vital(item, now);
    for (const item of document.querySelectorAll("[data-age][data-at]")) {
      const at = Date.parse(item.dataset.at);
      if (Number.isFinite(at)) item.textContent = words(Math.max(0, now - at), item.dataset.prefix || "", true);
    }
  }

  // The server's clock was set back: what was heard before keeps its age.
  document.addEventListener("limen:turned", ({ detail: back }) => {
    for (const item of document.querySelectorAll(".vital[data-at]")) {
      const at = Date.parse(item.dataset.at);
      if (Number.isFinite(at)) item.dataset.at = new Date(at - back).toISOString();
    }
  });

  Object.assign(limen, { heard, show });
  if (document.body.hasAttribute("data-listening")) document.body.classList.add("is-listening");
  tick();
  window.setInterval(tick, 250);
  document.addEventListener("visibilitychange", tick);
})();
