"use strict";
// The time of the clinic's server on this screen, in the site's own zone. A screen whose own clock is wrong, jumps or
// slept must not make an old value look young: of two measures of elapsed time the longer counts.
(() => {
  const root = document.documentElement;
  const mark = { server: NaN, wall: 0, mono: 0 };
  const backMs = 2000; // a server that is behind by more had its clock set back, or its word came late
  let turnedMs = 0;

  // The clock on the screen follows the server's. Where that one was set back, "limen:turned" says by how much, so that
  // what was timed before does not seem to lie in the future.
  function sync(iso) {
    const server = Date.parse(iso);
    if (!Number.isFinite(server)) return;
    const back = mark.server + Math.min(Date.now() - mark.wall, performance.now() - mark.mono) - server;
    const turned = back > backMs;
    if (turned) turnedMs += back;
    mark.server = server;
    mark.wall = Date.now();
    mark.mono = performance.now();
    if (turned) document.dispatchEvent(new CustomEvent("limen:turned", { detail: back }));
  }

  function now() {
    if (!Number.isFinite(mark.server)) return Date.now();
    return mark.server + Math.max(Date.now() - mark.wall, performance.now() - mark.mono);
  }

  const zone = root.dataset.zone || "UTC";
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
  const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const minutes = format({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

  const clockTime = (ms) => (Number.isFinite(ms) ? seconds.format(ms) : "an unknown time");

  // m:ss under an hour, h:mm:ss beyond; late spans carry their own plus sign where they are used
  function span(ms) {
    if (!Number.isFinite(ms)) return "an unknown time";
    const whole = Math.max(0, Math.floor(ms / 1000));
    const pad = (part) => String(part).padStart(2, "0");
    const minute = Math.floor(whole / 60);
    return minute < 60 ? `${minute}:${pad(whole % 60)}` : `${Math.floor(minute / 60)}:${pad(minute % 60)}:${pad(whole % 60)}`;
  }

  sync(root.dataset.now);
  const limen = (window.Limen = window.Limen || {});
  Object.assign(limen, { now, sync, span, clockTime, turnedMs: () => turnedMs });

  // An interval, not one timer after the other: where a script was stopped for a while, a lost timer would end the chain
  // and leave a clock that stands on a page that lives.
  function tick() {
    const at = now();
    for (const clock of document.querySelectorAll("[data-clock]")) {
      const text = clock.dataset.clock === "seconds" ? seconds.format(at) : minutes.format(at);
      if (clock.textContent !== text) clock.textContent = text;
    }
  }
  tick();
  window.setInterval(tick, 250);
})();
