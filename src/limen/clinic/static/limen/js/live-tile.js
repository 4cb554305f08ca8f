"use strict";
// One chair on the board: phase ring, what is due, numbers and scores with their ages, the small forecast, who owns it.
//   Limen.tile(chair) -> {node, id, draw(session), tick(session, watched)}      Limen.isUnwatched(ageS)
(() => {
  const limen = window.Limen;
  const { el, words } = limen;
  const svgNs = "http://www.w3.org/2000/svg";
  const watchLimitS = 5;
  const bangs = { high: "!!! HIGH", medium: "!! MEDIUM", low: "! LOW" };

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

  const leastShare = 1 / 8;

  // The phases as the clinic tells them from the plan. A dose at once is a mark across the ring: filled once given.
  function ring(place, session) {
    const { phases, marks } = session.way;
    const timed = phases.filter((one) => one.planned_min > 0);
    const all = timed.reduce((sum, one) => sum + one.planned_min, 0);
    // in proportion, but a rest of five minutes before two hours must still be seen
    const shares = phases.map((one) => (one.planned_min > 0 ? Math.max(leastShare, one.planned_min / all) : 0));
    const whole = shares.reduce((sum, share) => sum + share, 0) || 1;
    const gap = timed.length > 1 || marks.length ? 0.008 : 0.0005;
    const { gone, planned } = limen.progress(session);
    place.replaceChildren();
    const begins = [];
    let at = 0;
    for (const [index, one] of phases.entries()) {
      begins.push(at);
      const share = shares[index] / whole;
      const [from, to] = [at + gap, at + share - gap];
      at += share;
      if (to <= from) continue;
      place.append(svg("path", { class: "way-left", d: arc(from, to) }));
      if (one.status === "done") place.append(svg("path", { class: "way-done", d: arc(from, to) }));
      if (one.status === "now" && gone > 0) place.append(svg("path", { class: "way-now", d: arc(from, from + (to - from) * Math.min(1, Math.max(0.004, gone / planned))) }));
    }
    if (!all) place.append(svg("circle", { class: "way-left", cx: 50, cy: 50, r: 42 }));
    for (const mark of marks) {
      const angle = 2 * Math.PI * (begins[mark.before] ?? 0) - Math.PI / 2;
      const point = (radius) => `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`;
      place.append(svg("path", { class: mark.given_t_s === null ? "way-mark" : "way-mark way-mark--given", d: `M${point(34)}L${point(50)}` }));
    }
    const first = svg("text", { class: "r1", x: 50, y: planned ? 49 : 55, "text-anchor": "middle" });
    first.textContent = words.span(Math.max(0, gone));
    place.append(first);
    if (planned) {
      const second = svg("text", { class: "r2", x: 50, y: 65, "text-anchor": "middle" });
      second.textContent = `of ${words.span(planned)}`;
      place.append(second);
    }
    place.setAttribute("aria-label", `${words.phase(session)}, ${words.span(Math.max(0, gone))}${planned ? ` of ${words.span(planned)}` : ""}`);
  }

  // ---- ribbon: systolic pressure seen, its limit, what is forecast

  function ribbon(place, session) {
    // as wide as its place, so that nothing is stretched
    const box = place.getBoundingClientRect();
    const height = 54;
    const width = box.height > 0 ? Math.max(120, (69 * box.width) / box.height) : 264;
    place.setAttribute("viewBox", `0 -14 ${width.toFixed(1)} 69`);
    const limit = session.limits.NIBP_SYS?.high;
    const base = session.baseline?.sbp_mmHg ?? null;
    const change = session.outlook.outputs.sbp_change_mmHg;
    const now = limen.elapsed(session);
    const from = Math.min(session.dose_start_t_s ?? 0, now) - 300;
    const to = Math.max(now, session.dose_start_t_s ?? now) + limen.aheadMin(session) * 60;
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
      // a value that is withheld has no place on the picture
      const known = (list) => first <= 0 || (list[first - 1] !== null && list[first] !== null);
      const line = (list) => [
        ...(first >= 0 && known(list) && list[Math.max(first, 0)] !== null ? [`${x(Math.max(now, times[0])).toFixed(1)},${y(base + begins(list)).toFixed(1)}`] : []),
        ...later.filter(([, index]) => list[index] !== null).map(([tS, index]) => `${x(tS).toFixed(1)},${y(base + list[index]).toFixed(1)}`),
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

  const short = { Sedation: "Sed.", Dissociation: "Dis.", Pressure: "BP", Breaths: "RR", Heart: "HR" };
  const vital = (signal, name, unit, kind) =>
    el("dl", { class: `vital vital--lost vital--${kind}`, "data-signal": signal, "data-unknown": kind === "score" ? "not seen" : "no value" }, el("dt", {}, el("span", { class: "long" }, name), el("span", { class: "short", "aria-hidden": "true" }, short[name] || name), el("span", { class: "age" }, "no value")), el("dd", {}, el("span", { class: "figure" }), el("span", { class: "u" }, ` ${unit}`)), el("dd", { class: "last", hidden: true }));

  const number = (chair) => chair.chair.replace(/^Chair\s+/i, "");

  function empty(chair) {
    const node = el("section", { class: "tile tile--empty", "aria-label": `${words.seat(chair)}, empty` }, el("header", { class: "tile-head" }, el("h2", {}, number(chair)), el("div", {}, el("b", {}, "Empty"), el("span", {}, "No session runs here"))));
    return { node, id: null, draw: () => undefined, tick: () => undefined };
  }

  function tile(chair) {
    if (!chair.session) return empty(chair);
    const parts = {
      ring: svg("svg", { class: "ring", viewBox: "0 0 100 100", role: "img" }),
      next: el("div", { class: "next" }),
      heart: vital("HR", "Heart", "/min", "main"),
      spo2: vital("SPO2", "SpO2", "%", "main"),
      pressure: vital("NIBP_SYS", "Pressure", "mmHg", "wide"),
      breaths: vital("RR", "Breaths", "/min", "side"),
      sedation: vital("MOAAS", "Sedation", "of 5", "score"),
      dissociation: vital("DISSOCIATION", "Dissociation", "of 4", "score"),
      ribbon: svg("svg", { class: "ch ribbon", viewBox: "0 -14 264 69", role: "img" }),
      foot: el("p", { class: "tile-foot" }),
      owner: el("span", { class: "owner" }),
      flag: el("span", { class: "tile-flag", hidden: true }),
    };
    const name = `${chair.patient.given_name} ${chair.patient.family_name.slice(0, 1)}.`;
    const node = el(
      "section", { class: "tile", "aria-label": `${words.seat(chair)}, ${name}` },
      el("header", { class: "tile-head" }, el("h2", {}, number(chair)), el("a", { href: `/session/${chair.session}/` }, el("b", {}, name), parts.owner), parts.flag),
      el("div", { class: "tile-phase" }, parts.ring, parts.next),
      el("div", { class: "tile-vitals" }, parts.heart, parts.spo2, parts.pressure, parts.breaths, parts.sedation, parts.dissociation),
      el("div", { class: "tile-rib" }, el("span", { class: "cap" }, "Systolic, seen | forecast"), parts.ribbon),
      parts.foot,
    );
    return { node, id: chair.session, draw: (session) => draw(parts, session), tick: (session, watched) => tick(node, parts, session, watched) };
  }

  function draw(parts, session) {
    parts.owner.replaceChildren(el("span", { class: "k" }, "Owner "), session.offer ? `${session.owner}, offered to ${session.offer.to}` : session.owner);
    limen.setVital(parts.heart, session, session.signals.HR ? "HR" : "PULSE");
    limen.setVital(parts.spo2, session, "SPO2");
    limen.setVital(parts.breaths, session, "RR");
    limen.setScore(parts.sedation, session, "moaas");
    limen.setScore(parts.dissociation, session, "dissociation");
    const base = session.baseline;
    const roomy = ["full", "half"].includes(document.getElementById("main").dataset.density);
    const before = roomy && base && base.sbp_mmHg ? `base ${words.round(base.sbp_mmHg)}/${base.dbp_mmHg ? words.round(base.dbp_mmHg) : "–"}, ` : "";
    limen.setPressure(parts.pressure, session, before);
    limen.colour(parts.heart, session.alarms, ["HR", "PULSE"]);
    limen.colour(parts.spo2, session.alarms, ["SPO2"]);
    limen.colour(parts.breaths, session.alarms, ["RR"]);
    limen.colour(parts.sedation, session.alarms, ["MOAAS"]);
    limen.colour(parts.pressure, session.alarms, ["NIBP_SYS", "NIBP_DIA", "NIBP_MEAN"]);
    ribbon(parts.ribbon, session);
  }

  // Whether the monitor has not judged this session for too long, while it may watch the others.
  const isUnwatched = (ageS) => (ageS ?? 0) > watchLimitS;

  // What moves by itself: clocks, the next observation, what the pump has given.
  function tick(node, parts, session, watched) {
    const blind = document.body.classList.contains("is-blind");
    const unwatched = !blind && isUnwatched(watched);
    node.classList.toggle("tile--lost", unwatched || blind);
    node.classList.toggle("tile--doubt", unwatched || (session.device_doubt in doubted && !blind));
    const standing = blind ? [] : session.alarms;
    const unseen = standing.filter((alarm) => alarm.acknowledged_t_s === null);
    const worst = ["high", "medium", "low"].find((priority) => unseen.some((alarm) => alarm.priority === priority));
    for (const priority of ["high", "medium", "low"]) node.classList.toggle(`tile--${priority}`, priority === worst);
    node.classList.toggle("tile--called", Boolean(session.call) && !blind);
    flag(parts.flag, session, worst, standing, blind);
    ring(parts.ring, session);
    const due = session.due_soon[0] ?? session.next;
    const left = due ? due.due_t_s - limen.elapsed(session) : null;
    parts.next.classList.toggle("next--late", left !== null && left < 0);
    parts.next.replaceChildren(
      el("span", { class: "ph" }, words.phase(session)),
      ...(due ? [el("span", { class: "k" }, left < 0 ? "Late" : "Next in"), el("strong", {}, left < 0 ? `+${words.span(-left)}` : words.span(left)), el("span", { class: "w" }, words.dueWords(session, due))] : [el("span", { class: "k" }, "Nothing due")]),
    );
    const pump = session.phase === "running" ? "Pump may still run" : words.phase(session);
    const said = `${words.mg(blind ? session.given_mg : limen.givenMg(session))} of ${words.exact(session.dose_mg)} mg`;
    const given = el("span", { class: "foot-1" }, el("b", {}, said), blind ? ` at ${limen.clock(session, session.t_s)}` : " given");
    parts.foot.replaceChildren(given, el("span", { class: "foot-2" }, blind ? pump : unwatched ? el("b", {}, `Limits not checked for ${words.span(watched)}`) : foot(session)));
  }

  // What a tired eye must not take for fine comes before what is merely worth knowing.
  const doubted = { patient: "Device in doubt: whose values?", clock: "Device clock is wrong" };

  function foot(session) {
    if (doubted[session.device_doubt]) return el("b", {}, doubted[session.device_doubt]);
    const distress = session.scores.distress;
    if (distress.value) return `Distress ${words.distress[distress.value]}, ${words.span(limen.elapsed(session) - distress.t_s)} ago`;
    if (session.said?.signal === "ok") return `“I am OK” ${words.span(limen.elapsed(session) - session.said.t_s)} ago`;
    return `${session.protocol}, session ${session.number}`;
  }

  // The state of the chair in one word, shape and colour together.
  function flag(place, session, worst, standing, blind) {
    const text = worst ? `${bangs[worst]}${session.call ? ", CALLS" : ""}` : session.call && !blind ? "CALLS" : standing.length ? `${standing.length} seen` : "";
    const kind = worst ? ` tile-flag--${worst}` : session.call && !blind ? " tile-flag--call" : "";
    if (place.textContent !== text) place.textContent = text;
    place.className = `tile-flag${kind}`;
    place.hidden = text === "";
  }

  Object.assign(limen, { tile, isUnwatched });
})();
