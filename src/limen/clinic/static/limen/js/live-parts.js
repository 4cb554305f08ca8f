"use strict";
// Parts that board and chair share: alarm lines, vitals, numbers and times in words. Text goes in as text, never as HTML.
(() => {
  const limen = window.Limen;
  const may = new Set(JSON.parse(document.getElementById("live-may")?.textContent || "[]"));
  const bangs = { high: "!!!", medium: "!!", low: "!" };

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  // Seconds of a session <-> the clinic's clock.
  const startOf = (session) => Date.parse(session.started_at);
  const isoAt = (session, tS) => (tS === null || tS === undefined || !session.started_at ? "" : new Date(startOf(session) + tS * 1000).toISOString());
  const elapsed = (session) => (session.started_at ? (limen.now() - startOf(session)) / 1000 : 0);
  const clock = (session, tS) => limen.clockTime(startOf(session) + tS * 1000);
  const span = (seconds) => limen.span(seconds * 1000);
  const mg = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));

  // What the pump has given by now, if nobody has touched it since the page heard last.
  function givenMg(session) {
    if (!session.rate_mg_per_h || session.phase !== "running") return session.given_mg;
    const until = Math.min(elapsed(session), session.expected_end_t_s ?? Infinity);
    const more = (session.rate_mg_per_h * Math.max(0, until - session.t_s)) / 3600;
    return session.dose_mg ? Math.min(session.given_mg + more, Math.max(session.dose_mg, session.given_mg)) : session.given_mg + more;
  }

  const phases = {
    planned: "Not started", started: "Before the dose", running: "Infusion", paused: "Paused",
    stopped: "Stopped", recovery: "Recovery", discharged: "Discharged", ended: "Ended",
  };

  // Where the present phase stands: seconds gone, seconds planned.
  function progress(session) {
    const now = elapsed(session);
    if (session.phase === "running" || session.phase === "paused") {
      return { gone: now - session.dose_start_t_s, planned: (session.duration_min || 0) * 60 };
    }
    if (session.phase === "recovery" || session.phase === "stopped") {
      return { gone: now - session.dose_end_t_s, planned: (session.recovery_min || 0) * 60 };
    }
    return { gone: now, planned: 0 };
  }

  function dueWords(session, due) {
    if (due.label === "baseline") return "Baseline observation";
    if (due.label === "during") return `${Math.round((due.due_t_s - session.dose_start_t_s) / 60)}-minute observation`;
    if (due.label === "after") return `${Math.round((due.due_t_s - session.dose_end_t_s) / 60)} min after the dose`;
    return `${due.label} observation`;
  }

  // ---- vitals

  function setVital(item, session, signal, value, words) {
    const known = session.signals[signal];
    item.dataset.staleS = known ? known.stale_s : 10;
    item.dataset.lostS = known ? known.lost_s : 30;
    item.dataset.prefix = known && known.cuff ? "cuff " : "";
    const seen = known && known.value !== null ? known : null;
    limen.show(item, seen ? words ?? value ?? round(seen.value) : null, seen ? isoAt(session, seen.t_s) : "");
  }

  const round = (value) => String(Math.round(value));

  // The worst standing alarm on a signal colours its number.
  function colour(item, alarms, signals) {
    const mine = alarms.filter((alarm) => signals.includes(alarm.signal) && alarm.kind === "physiological");
    const worst = ["high", "medium", "low"].find((priority) => mine.some((alarm) => alarm.priority === priority));
    for (const priority of ["high", "medium", "low"]) item.classList.toggle(`vital--alarm-${priority}`, priority === worst);
    const seen = mine.length > 0 && mine.every((alarm) => alarm.acknowledged_t_s !== null);
    item.classList.toggle("vital--seen", seen);
  }

  // ---- alarms

  const lines = new Map();

  function rail(place, entries, open) {
    const order = { high: 0, medium: 1, low: 2 };
    entries.sort((a, b) => order[a.alarm.priority] - order[b.alarm.priority] || a.alarm.t_s - b.alarm.t_s);
    const wanted = new Set(entries.map(({ session, alarm }) => session.session + alarm.id));
    for (const [id, line] of lines) {
      if (wanted.has(id)) continue;
      line.node.remove();
      lines.delete(id);
    }
    entries.forEach((entry, index) => {
      const id = entry.session.session + entry.alarm.id;
      if (!lines.has(id)) lines.set(id, line(entry, open));
      const known = lines.get(id);
      known.entry = entry;
      known.update();
      if (place.children[index] !== known.node) place.insertBefore(known.node, place.children[index] || null);
    });
  }

  function line(entry, open) {
    const { alarm } = entry;
    const what = el("span", { class: "what" });
    const bang = el("span", { class: "bang", "aria-hidden": "true" }, bangs[alarm.priority]);
    const seen = el("button", { class: "press press--main", type: "button" }, "Seen, I am going");
    const go = open ? el("a", { class: "press", href: open(entry.session) }, "Open") : null;
    const node = el(
      "div",
      { class: `alarm alarm--${alarm.priority}`, role: alarm.priority === "low" ? "status" : "alert" },
      el("span", { class: "pri" }, bang, alarm.priority.toUpperCase(), el("span", {}, entry.session.chair)),
      what, may.has("alarm:acknowledge") ? seen : null, go,
    );
    const known = { node, entry, update: () => update(known, what, bang, seen) };
    const [head, ...rest] = alarm.because.split("; ");
    const forS = el("span", { "aria-hidden": "true" });
    const by = el("span");
    what.append(el("b", {}, head), rest.length ? `; ${rest.join("; ")} ` : " ", forS, by);
    known.forS = forS;
    known.by = by;
    seen.addEventListener("click", async () => {
      seen.disabled = true;
      seen.textContent = "Seen, being sent";
      const answer = await limen.act(`/live/session/${known.entry.session.session}/act`, "alarm.acknowledged", { alarm: alarm.id });
      if (answer.kept) seen.textContent = "Seen, kept here, not sent yet";
      if (answer.error) {
        seen.disabled = false;
        seen.textContent = "Seen, I am going";
      }
    });
    return known;
  }

  function update(known, what, bang, seen) {
    const { alarm, session } = known.entry;
    const now = elapsed(session);
    known.forS.textContent = `for ${span(Math.max(0, now - alarm.t_s))}. `;
    const acknowledged = alarm.acknowledged_t_s !== null;
    known.node.classList.toggle("alarm--seen", acknowledged);
    bang.classList.toggle("flash-high", !acknowledged && alarm.priority === "high");
    bang.classList.toggle("flash-medium", !acknowledged && alarm.priority === "medium");
    seen.hidden = acknowledged;
    if (!acknowledged) known.by.textContent = "";
    else {
      const back = alarm.silent_until_t_s !== null && alarm.silent_until_t_s > now ? `, sound back in ${span(alarm.silent_until_t_s - now)}` : "";
      known.by.textContent = `Seen by ${alarm.acknowledged_by} ${span(now - alarm.acknowledged_t_s)} ago${back}.`;
    }
  }

  // Priorities that may be heard now.
  function sounding(entries) {
    return entries
      .filter(({ alarm, session }) => alarm.silent_until_t_s === null || alarm.silent_until_t_s <= elapsed(session))
      .map(({ alarm }) => alarm.priority);
  }

  Object.assign(limen, {
    el, may, isoAt, elapsed, clock, words: { span, mg, phases, dueWords, round }, givenMg, progress, setVital, colour, rail, sounding,
  });
})();
