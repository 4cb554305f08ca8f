"use strict";
// Four chairs at a glance: phase, what is due, numbers with their ages, alarms in one rail, the next five minutes.
(() => {
  const limen = window.Limen;
  const { el, words } = limen;
  const script = document.currentScript;
  const main = document.getElementById("main");
  const svgNs = "http://www.w3.org/2000/svg";
  const watchLimitS = 5;
  let board = JSON.parse(document.getElementById("live-state").textContent);
  let watched = {};
  const tiles = new Map();

  function svg(tag, attributes, ...children) {
    const node = document.createElementNS(svgNs, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  // ---- ring: the phases of the session in proportion to their minutes

  function arc(from, to) {
    const point = (part) => {
      const angle = 2 * Math.PI * part - Math.PI / 2;
      return `${(50 + 42 * Math.cos(angle)).toFixed(2)} ${(50 + 42 * Math.sin(angle)).toFixed(2)}`;
    };
    return `M${point(from)}A42 42 0 ${to - from > 0.5 ? 1 : 0} 1 ${point(to)}`;
  }

  function ring(place, session) {
    const minutes = [session.duration_min || 40, session.recovery_min || 60];
    const all = minutes[0] + minutes[1];
    const gap = 0.008;
    const spans = [[gap, minutes[0] / all - gap], [minutes[0] / all + gap, 1 - gap]];
    const at = { running: 0, paused: 0, recovery: 1, stopped: 1 }[session.phase] ?? -1;
    const { gone, planned } = limen.progress(session);
    place.replaceChildren();
    spans.forEach(([from, to], index) => {
      place.append(svg("path", { class: "way-left", d: arc(from, to) }));
      if (index < at) place.append(svg("path", { class: "way-done", d: arc(from, to) }));
      if (index === at && planned > 0 && gone > 0) place.append(svg("path", { class: "way-now", d: arc(from, from + (to - from) * Math.min(1, Math.max(0.004, gone / planned))) }));
    });
    const first = svg("text", { class: "r1", x: 50, y: planned ? 49 : 55, "text-anchor": "middle" });
    first.textContent = words.span(Math.max(0, gone));
    place.append(first);
    if (planned) {
      const second = svg("text", { class: "r2", x: 50, y: 65, "text-anchor": "middle" });
      second.textContent = `of ${words.span(planned)}`;
      place.append(second);
    }
    place.setAttribute("aria-label", `${words.phases[session.phase]}, ${words.span(Math.max(0, gone))}${planned ? ` of ${words.span(planned)}` : ""}`);
  }

  // ---- ribbon: systolic pressure seen, its limit, what is forecast

  function ribbon(place, session) {
    const width = 264;
    const height = 54;
    const limit = session.limits.NIBP_SYS?.high;
    const base = session.baseline?.sbp_mmHg ?? null;
    const change = session.outlook.outputs.sbp_change_mmHg;
    const now = limen.elapsed(session);
    const from = Math.min(session.dose_start_t_s ?? 0, now) - 300;
    const to = Math.max(now, session.dose_start_t_s ?? now) + ((session.duration_min || 40) + 30) * 60;
    const values = session.cuffs.value.filter((value) => value !== null);
    const low = Math.min(100, ...values) - 5;
    const high = Math.max(limit ?? 0, 150, ...values) + 8;
    const x = (tS) => (width * (tS - from)) / (to - from);
    const y = (value) => height - (height * (value - low)) / (high - low);
    place.replaceChildren(svg("path", { class: "grid", d: `M0 ${height}H${width}` }));
    if (change && base !== null) {
      const times = session.outlook.t_s;
      const first = times.findIndex((tS) => tS >= now);
      const share = first > 0 ? (now - times[first - 1]) / (times[first] - times[first - 1]) : 1;
      const later = times.map((tS, index) => [tS, index]).filter(([tS]) => tS >= now && tS <= to);
      const begins = (list) => (first > 0 ? list[first - 1] + share * (list[first] - list[first - 1]) : list[0]);
      const line = (list) => [
        ...(first >= 0 ? [`${x(Math.max(now, times[0])).toFixed(1)},${y(base + begins(list)).toFixed(1)}`] : []),
        ...later.map(([tS, index]) => `${x(tS).toFixed(1)},${y(base + list[index]).toFixed(1)}`),
      ];
      const band = (low_, high_, kind) => {
        if (!low_ || !high_ || later.length < 2) return;
        place.append(svg("polygon", { class: `band-${kind}`, points: [...line(high_), ...line(low_).reverse()].join(" ") }));
        for (const edge of [low_, high_]) place.append(svg("polyline", { class: `band-${kind}-edge`, points: line(edge).join(" ") }));
      };
      band(change.p05, change.p95, "patients");
      band(change.low, change.high, "models");
    }
    if (limit !== null && limit !== undefined) {
      place.append(svg("rect", { class: "wall-hatch", x: 0, y: y(limit) - 5, width, height: 5 }), svg("path", { class: "wall", d: `M0 ${y(limit)}H${width}` }));
      const name = svg("text", { class: "t-b t-ink halo", x: width, y: y(limit) - 8, "text-anchor": "end" });
      name.textContent = `${session.limits.NIBP_SYS.own ? "own limit" : "hold"} ${limit}`;
      place.append(name);
    }
    session.cuffs.t_s.forEach((tS, index) => {
      const value = session.cuffs.value[index];
      if (value !== null && tS > from) place.append(svg("circle", { class: "dot", cx: x(tS), cy: y(value), r: 3.6 }));
    });
    place.append(svg("path", { class: "sill", d: `M${x(now)} -6V${height}` }));
    place.setAttribute("aria-label", `Systolic pressure: ${values.length} readings${values.length ? `, last ${values[values.length - 1]} mmHg` : ""}${limit ? `, limit ${limit}` : ""}`);
  }

  // ---- tiles

  const vital = (signal, name, unit, wide) =>
    el("dl", { class: `vital vital--lost${wide ? " vital--wide" : ""}`, "data-signal": signal }, el("dt", {}, el("span", {}, name), el("span", { class: "age" }, "nothing heard yet")), el("dd", {}, el("span", { class: "figure" }), el("span", { class: "u" }, ` ${unit}`)), el("dd", { class: "last", hidden: true }));

  function makeTile(session) {
    const parts = {
      ring: svg("svg", { class: "ring", viewBox: "0 0 100 100", role: "img" }),
      next: el("div", { class: "next" }),
      heart: vital("HR", "Heart", "/min"),
      spo2: vital("SPO2", "SpO2", "%"),
      pressure: vital("NIBP_SYS", "Pressure", "mmHg", true),
      ribbon: svg("svg", { class: "ch ribbon", viewBox: "0 -14 264 69", role: "img" }),
      foot: el("p", { class: "tile-foot" }),
      owner: el("span"),
    };
    const name = `${session.patient.given_name} ${session.patient.family_name.slice(0, 1)}.`;
    const node = el(
      "section", { class: "tile", "aria-label": session.chair },
      el("header", { class: "tile-head" }, el("h2", {}, session.chair.replace(/^Chair\s+/i, "")), el("a", { href: `/session/${session.session}/` }, el("b", {}, name), parts.owner)),
      el("div", { class: "tile-phase" }, parts.ring, parts.next),
      el("div", { class: "tile-vitals" }, parts.heart, parts.spo2, parts.pressure),
      el("div", { class: "tile-rib" }, el("span", { class: "cap" }, "Systolic, seen | forecast"), parts.ribbon),
      parts.foot,
    );
    return { node, parts, id: session.session };
  }

  function makeEmpty(chair) {
    const node = el("section", { class: "tile tile--empty", "aria-label": chair.chair }, el("header", { class: "tile-head" }, el("h2", {}, chair.chair.replace(/^Chair\s+/i, "")), el("div", {}, el("b", {}, "Empty"), el("span", {}, "No session runs here"))));
    return { node, parts: null, id: null };
  }

  function drawTile(tile, session) {
    const { parts } = tile;
    parts.owner.textContent = session.owner ? `Owner ${session.owner}` : "No owner";
    limen.setVital(parts.heart, session, session.signals.HR ? "HR" : "PULSE");
    limen.setVital(parts.spo2, session, "SPO2");
    const { NIBP_SYS: high, NIBP_DIA: low } = session.signals;
    const whole = high && high.value !== null;
    const lower = whole && low && low.value !== null && Math.abs(low.t_s - high.t_s) < 5 ? words.round(low.value) : "–";
    const base = session.baseline;
    const before = base && base.sbp_mmHg ? `base ${words.round(base.sbp_mmHg)}/${base.dbp_mmHg ? words.round(base.dbp_mmHg) : "–"}, ` : "";
    limen.setVital(parts.pressure, session, "NIBP_SYS", whole ? `${words.round(high.value)}/${lower}` : null, before);
    limen.colour(parts.heart, session.alarms, ["HR", "PULSE"]);
    limen.colour(parts.spo2, session.alarms, ["SPO2"]);
    limen.colour(parts.pressure, session.alarms, ["NIBP_SYS", "NIBP_DIA", "NIBP_MEAN"]);
    ribbon(parts.ribbon, session);
    tick(tile, session);
  }

  // What moves by itself: clocks, the next observation, what the pump has given.
  function tick(tile, session) {
    const { parts, node } = tile;
    const blind = document.body.classList.contains("is-blind");
    const unwatched = !blind && (watched[session.session] ?? 0) > watchLimitS;
    node.classList.toggle("tile--lost", unwatched || blind);
    const unseen = blind ? [] : session.alarms.filter((alarm) => alarm.acknowledged_t_s === null);
    const worst = ["high", "medium", "low"].find((priority) => unseen.some((alarm) => alarm.priority === priority));
    for (const priority of ["high", "medium", "low"]) node.classList.toggle(`tile--${priority}`, priority === worst);
    ring(parts.ring, session);
    const due = session.next;
    const left = due ? due.due_t_s - limen.elapsed(session) : null;
    parts.next.classList.toggle("next--late", left !== null && left < 0);
    parts.next.replaceChildren(
      el("span", { class: "ph" }, words.phases[session.phase]),
      ...(due ? [el("span", { class: "k" }, left < 0 ? "Late" : "Next in"), el("strong", {}, left < 0 ? `+${words.span(-left)}` : words.span(left)), el("span", { class: "w" }, words.dueWords(session, due))] : [el("span", { class: "k" }, "Nothing due")]),
    );
    const pump = session.phase === "running" ? "Pump may still run" : words.phases[session.phase];
    const said = `${words.mg(blind ? session.given_mg : limen.givenMg(session))} of ${words.exact(session.dose_mg)} mg`;
    parts.foot.replaceChildren(el("b", {}, said), blind ? ` at ${limen.clock(session, session.t_s)}` : " given", el("br"), blind ? pump : unwatched ? el("b", {}, `Limits not checked for ${words.span(watched[session.session])}`) : `${session.protocol}, session ${session.number}`);
  }

  // ---- the next five minutes

  function strip() {
    const lane = document.querySelector("[data-lane-strip]");
    for (const old of lane.querySelectorAll(".due, .tick")) old.remove();
    const mark = (text, at) => {
      const node = el("span", { class: "tick" }, text);
      node.style.setProperty("--at", at);
      lane.append(node);
    };
    ["now", "1 min", "2 min", "3 min", "4 min"].forEach((text, index) => mark(text, index / 5));
    for (const session of board.chairs.filter((chair) => chair.session && chair.next)) {
      const left = session.next.due_t_s - limen.elapsed(session);
      if (left > 300) continue;
      const node = el("div", { class: `due${left < 0 ? " due--late" : ""}` }, el("b", {}, el("span", { class: "chair-no" }, session.chair.replace(/^Chair\s+/i, "")), left < 0 ? `+${words.span(-left)} late` : words.span(left)), words.dueWords(session, session.next));
      node.style.setProperty("--at", Math.max(0, left) / 300);
      lane.append(node);
    }
    spread([...lane.querySelectorAll(".due--late")]);
  }

  // Several late ones stand beside each other, the latest first.
  function spread(late) {
    late.forEach((node, index) => {
      node.style.left = `${1.2 + index * 10.5}%`;
    });
  }

  // ---- the whole

  const entries = () => board.chairs.filter((chair) => chair.session).flatMap((session) => session.alarms.map((alarm) => ({ alarm, session })));

  function draw() {
    const open = new Set(board.chairs.map((chair) => chair.chair));
    for (const [name, tile] of tiles) {
      if (!open.has(name)) {
        tile.node.remove();
        tiles.delete(name);
      }
    }
    board.chairs.forEach((chair, index) => {
      let tile = tiles.get(chair.chair);
      if (!tile || tile.id !== chair.session) {
        if (tile) tile.node.remove();
        tile = chair.session ? makeTile(chair) : makeEmpty(chair);
        tiles.set(chair.chair, tile);
      }
      if (main.children[index] !== tile.node) main.insertBefore(tile.node, main.children[index] || null);
      if (chair.session) drawTile(tile, chair);
    });
    const late = document.querySelector("[data-late]");
    late.textContent = board.late_pct === null ? "none due" : `${board.late_pct.toFixed(1)} %`;
    rail();
    strip();
  }

  function rail() {
    const blind = document.body.classList.contains("is-blind");
    limen.rail(document.querySelector("[data-rail]"), blind ? [] : entries(), (session) => `/session/${session.session}/`, 4);
    limen.sound(blind ? ["medium"] : limen.sounding(entries()));
  }

  function samples(message) {
    const session = board.chairs.find((chair) => chair.session === message.session);
    if (!session) return;
    for (const [signal, tS, value] of message.values) {
      const known = session.signals[signal];
      if (known) known.no_value = value === null || value <= 0;
      if (known && value !== null && value > 0 && (known.t_s === null || tS > known.t_s)) Object.assign(known, { value, t_s: tS });
      if (signal === "NIBP_SYS" && value !== null && value > 0) {
        session.cuffs.t_s.push(tS);
        session.cuffs.value.push(value);
      }
    }
    const tile = tiles.get(session.chair);
    if (tile && tile.parts) drawTile(tile, session);
  }

  draw();
  limen.listen(script.dataset.events, script.dataset.state, {
    state: (state) => {
      board = state;
      draw();
    },
    samples,
    pulse: (word) => {
      watched = word.watched_age_s;
    },
  });
  window.setInterval(() => {
    for (const chair of board.chairs) {
      const tile = tiles.get(chair.chair);
      if (chair.session && tile && tile.parts) tick(tile, chair);
    }
    rail();
    strip();
  }, 500);
})();
