"use strict";
// The patient's twin beside the chair: when ready to leave, where pressure goes, and whether the readings taught anything.
// Everything here is a forecast and says so; the minimum stay is a wall that it cannot pass.
(() => {
  const limen = window.Limen;
  const svgNs = "http://www.w3.org/2000/svg";
  const box = document.querySelector("[data-twin]");
  if (!box) return;
  const find = (name) => box.querySelector(`[data-twin-${name}]`);

  function node(tag, attributes, text) {
    const made = document.createElementNS(svgNs, tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const clock = (session, tS) => limen.clock(session, tS).slice(0, 5);

  function twin(session) {
    const found = session.twin;
    box.hidden = !found || ["discharged", "ended"].includes(session.phase);
    if (box.hidden) return;
    const count = found.members;
    find("basis").textContent = count ? `${count} models, ${found.readings} readings, made ${limen.clock(session, found.t_s)}` : "";
    find("said").textContent = found.said;
    leaving(session, found.ready);
    pressure(session, found);
  }

  function leaving(session, ready) {
    const part = find("leaving");
    part.hidden = !ready;
    if (!ready) return;
    const { p05, p50, p90, p95 } = ready.used_t_s;
    const from = p05 === null ? "not by the end of the forecast" : clock(session, p05);
    const to = p95 === null ? "later than the forecast reaches" : clock(session, p95);
    find("ready").textContent = p05 === null ? "Not yet in sight" : from === to ? from : `${from}–${to}`;
    const half = p50 === null ? "" : `Half of patients like this one are ready by ${clock(session, p50)}${p90 === null ? "" : `, nine of ten by ${clock(session, p90)}`}. `;
    const wall = ready.earliest_t_s === null ? "" : `Not before ${clock(session, ready.earliest_t_s)}: ${ready.rule}.`;
    find("why").textContent = half + wall;
    chart(session, ready, p05 === null ? "Ready to leave: not by the end of the forecast" : `Ready to leave between ${from} and ${to}. ${wall}`);
  }

  function chart(session, ready, label) {
    const place = find("chart");
    place.replaceChildren();
    place.setAttribute("aria-label", label);
    const { p05, p50, p95 } = ready.used_t_s;
    const known = [p05, p50, p95, ready.earliest_t_s].filter((value) => value !== null);
    if (p05 === null || known.length < 2) return;
    const now = limen.elapsed(session);
    const from = Math.min(now, ...known) - 300;
    const to = Math.max(...known) + (p95 === null ? 3600 : 600);
    const x = (tS) => 8 + (312 * (tS - from)) / (to - from);
    const end = p95 === null ? to : p95;
    place.append(node("path", { class: "axis", d: "M8 28H320" }));
    place.append(node("rect", { class: "band-patients", x: x(p05), y: 12, width: Math.max(2, x(end) - x(p05)), height: 16 }));
    if (p50 !== null) place.append(node("path", { class: "median", d: `M${x(p50)} 10V30` }));
    if (ready.earliest_t_s !== null) {
      place.append(node("rect", { class: "wall-hatch", x: 8, y: 4, width: Math.max(0, x(ready.earliest_t_s) - 8), height: 6 }), node("path", { class: "wall", d: `M${x(ready.earliest_t_s)} 2V30` }));
    }
    const first = Math.ceil((limen.began(session) / 1000 + from) / 1800) * 1800 - limen.began(session) / 1000;
    for (let tS = first; tS < to; tS += 1800) place.append(node("text", { class: "t-s", x: x(tS), y: 41, "text-anchor": "middle" }, clock(session, tS)));
  }

  function pressure(session, found) {
    const place = find("pressure");
    const row = found.returns.find((item) => item.signal === "NIBP_SYS");
    place.hidden = !found.peak;
    if (!found.peak) return;
    const { p05, p50, p95, t_s: when } = found.peak;
    const parts = [`Systolic expected to peak at ${Math.round(p50)} mmHg (${Math.round(p05)}–${Math.round(p95)}) near ${clock(session, when[1])}.`];
    if (row) {
      const over = Math.round(row.over_pct);
      if (over === 0) parts.push(`From now on under ${row.limit} in all but fewer than 1 of 100.`);
      else {
        const [early, , late] = row.t_s;
        parts.push(`${over} in 100 are over ${row.limit} now or later${early === null ? "" : `; those are back under it by ${clock(session, early)}–${late === null ? "later than the forecast reaches" : clock(session, late)}`}.`);
      }
    }
    place.textContent = parts.join(" ");
  }

  Object.assign(limen, { twin });
})();
