"use strict";
// What happened, newest first, each entry with its history: who, when, what it was, why. And the clocks of what is open.
(() => {
  const limen = window.Limen;
  const { el, may, words } = limen;
  const find = (selector) => document.querySelector(selector);
  const hidden = new Set(["t_s", "kind", "id", "by", "at", "received_t_s", "streams", "device_values", "confirmed", "unconfirmed", "entry", "reason", "changes", "note"]);
  // A rescue by standing order says its dose in the words that were read back; its parts are in the record.
  const inWords = new Set(["order", "order_version", "drug", "dose_mg", "volume_mL", "concentration_mg_per_mL", "route"]);
  const written = new Set(["observation.recorded", "symptom.reported", "rescue.given", "adverse-event.recorded", "dose.given"]);
  const names = { moaas: "sedation", sbp_mmHg: "systolic", dbp_mmHg: "diastolic", hr_per_min: "heart", rr_per_min: "breaths", spo2_pct: "SpO2", to: "to", text: "", what: "", dose: "", read_back_by: "read back by", asked_and_denied: "asked and answered no:", dose_mg: "mg", duration_min: "min", rate_mL_per_h: "mL/h" };
  let link = null;

  const named = (key) => names[key] ?? key.replaceAll("_", " ");
  const shown = (value) => (Array.isArray(value) ? value.join(", ") || "none" : value !== null && typeof value === "object" ? Object.entries(value).map(([key, part]) => `${key} ${shown(part)}`).join(" ") : value === true ? "yes" : value === false ? "no" : String(value));
  const list = (data) => Object.entries(data).filter(([key]) => !hidden.has(key) && !(data.order && inWords.has(key))).map(([key, value]) => `${named(key)} ${shown(value)}`.trim()).join(", ");
  const kind = (event) => event.kind.replace(".", " ").replaceAll("-", " ");

  function drawLog(session) {
    const place = find("[data-log]");
    const corrections = new Map();
    for (const event of [...session.log].reverse()) {
      if (event.kind === "entry.corrected") corrections.set(event.entry, [...(corrections.get(event.entry) || []), event]);
    }
    place.replaceChildren();
    for (const event of session.log) {
      if (event.kind === "entry.corrected") continue; // it stands under the entry it is about
      place.append(entry(session, event, corrections.get(event.id) || []));
    }
    drawOpen(session);
  }

  function entry(session, event, history) {
    const gone = history.length > 0 && !history[history.length - 1].changes;
    const now = Object.assign({}, event, ...history.map((one) => one.changes || {}));
    const what = el("span", {}, el("span", { class: gone ? "corrected" : null }, `${kind(event)}${list(now) ? `: ${list(now)}` : ""}`), marks(now), el("span", { class: "quiet" }, ` ${event.by}`));
    for (const one of history) what.append(el("span", { class: "history" }, `${limen.clock(session, one.t_s)} ${one.by}: ${one.changes ? before(event, one.changes) : "taken back"}. ${one.reason || ""}`));
    if (written.has(event.kind) && !gone && may.has("session:record")) what.append(el("button", { class: "press press--plain", type: "button", onclick: () => amend(session, event, now) }, "Put right"));
    return el("li", {}, el("time", {}, limen.clock(session, event.t_s)), what);
  }

  const before = (event, changes) => Object.entries(changes).filter(([key]) => !hidden.has(key)).map(([key, value]) => `${named(key)} ${event[key] === undefined ? "not written" : shown(event[key])} now ${shown(value)}`).join(", ");

  // Unusual is marked, critical is marked with whether a person confirmed it: three different things.
  function marks(now) {
    if (now.kind !== "observation.recorded") return null;
    const found = limen.graded(now).map(({ key, level }) => {
      const open = (now.unconfirmed || []).includes(key) ? ", not confirmed" : "";
      return el("span", { class: `grade grade--${level}` }, `${limen.titles[key][0]} ${level}${open}`);
    });
    return found.length ? el("span", { class: "grades" }, ...found) : null;
  }

  const fields = {
    "observation.recorded": [["moaas", "Sedation MOAA/S, 0 to 5"], ["dissociation", "Dissociation, 0 to 4"], ["distress", "Distress, 0 to 3"], ["sbp_mmHg", "Systolic, mmHg"], ["dbp_mmHg", "Diastolic, mmHg"], ["hr_per_min", "Heart, /min"], ["spo2_pct", "SpO2, %"], ["rr_per_min", "Breaths, /min"], ["aldrete", "Aldrete, 0 to 10"]],
    "adverse-event.recorded": [["text", "What", "text"], ["severity", "Grade, 1 to 5"], ["action", "Done about it", "text"], ["outcome", "Outcome", "text"]],
    "symptom.reported": [["text", "What the patient feels", "text"]],
    "rescue.given": [["what", "What", "text"], ["dose", "Dose, in words", "text"]],
    "dose.given": [],
  };

  // Only what is changed is sent; the reason is asked for each time.
  function amend(session, event, now) {
    const known = fields[event.kind].filter(([key]) => event.kind !== "observation.recorded" || now[key] !== undefined);
    const asked = [...known.map(([key, label, type]) => [key, label, type || "number", null, now[key]]), ["why", "Why (at least ten letters)", "text"], ["gone", "Take the whole entry back", "tick"]];
    limen.ask(`Put right ${kind(event)} of ${limen.clock(session, event.t_s)}`, asked, "Save, the first version stays", (values) => {
      const changes = {};
      for (const [key, , type] of known) {
        const value = type ? limen.text(values[key]) : limen.number(values[key]);
        if (value !== undefined && value !== "" && value !== now[key]) changes[key] = value;
      }
      return ["entry.corrected", { entry: event.id, reason: limen.text(values.why), ...(values.gone ? {} : { changes }) }];
    });
  }

  // ---- adverse events that are not over: each with its clock and its end

  function drawOpen(session) {
    const place = find("[data-open-events]");
    const open = session.open_events;
    place.hidden = open.length === 0;
    place.replaceChildren(...open.map((event) => {
      const clock = el("b", { class: "n", "data-since": event.since_t_s });
      const over = el("button", { class: "press", type: "button" }, "It is over");
      over.addEventListener("click", async () => {
        over.disabled = true;
        await limen.send("entry.corrected", { entry: event.id, resolve: true }, "The end of the event");
      });
      return el("p", { class: "open-event" }, el("span", {}, el("b", {}, "Adverse event open "), clock, el("br"), `${event.text || ""}${event.severity ? `, grade ${event.severity}` : ""}`), may.has("session:record") ? over : null);
    }));
    tick();
  }

  function tick() {
    for (const clock of document.querySelectorAll("[data-since]")) clock.textContent = words.span(limen.elapsed(link.session()) - Number(clock.dataset.since));
  }

  function openLog(given) {
    link = given;
    window.setInterval(tick, 1000);
  }

  Object.assign(limen, { drawLog, openLog });
})();
