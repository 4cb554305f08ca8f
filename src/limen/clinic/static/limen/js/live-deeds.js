"use strict";
// What a person does at the chair: two rows of five, event buttons, and small forms in place. Nothing is chosen before
// the person taps; nothing covers a value.
(() => {
  const limen = window.Limen;
  const { el, may } = limen;
  const find = (selector) => document.querySelector(selector);
  const panel = find("[data-panel]");
  let link = null;
  let shown = "";

  // ---- one deed, said in place

  async function send(kind, data, said) {
    const answer = await limen.act(link.act, kind, data);
    if (answer.error) say(refusal(answer.error), true);
    else if (answer.kept) say(`${said}: kept here, sent when the clinic answers.`, true);
    else document.dispatchEvent(new Event("limen:done"));
    return answer;
  }

  function refusal(error) {
    if (typeof error === "string") return `Refused: ${error}`;
    return `Refused: ${error.what}${error.allowed ? `. Allowed: ${error.allowed}` : ""}${error.hint ? `. ${error.hint}` : ""}`;
  }

  function say(text, keep) {
    panel.hidden = false;
    panel.replaceChildren(el("p", { role: "status" }, el("b", {}, text)), keep ? close() : "");
  }

  const close = () => el("button", { class: "press", type: "button", onclick: shut }, "Close");

  function shut() {
    panel.hidden = true;
    panel.parentElement.classList.remove("is-asking");
    panel.replaceChildren();
  }

  // ---- rows of five

  const taps = {};
  let last = null;

  function five() {
    for (const row of document.querySelectorAll("[data-five]")) {
      row.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button && !button.disabled) tap(row, button);
      });
    }
    find("[data-undo]").addEventListener("click", undo);
  }

  function tap(row, button) {
    const again = button.getAttribute("aria-pressed") === "true";
    for (const other of row.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button && !again));
    if (again) delete taps[row.dataset.five];
    else taps[row.dataset.five] = Number(button.value);
    const count = Object.keys(taps).length;
    if (count === 2) save();
    else observed(count === 1 ? "1 of 2 tapped. The second tap saves." : "One tap in each row. The second saves. Undo for 10 s.");
  }

  function observed(text) {
    find("[data-obs-said]").replaceChildren(el("span", {}, text));
  }

  async function save() {
    const values = { ...taps };
    // What the device shows is noted beside it, with its age; it is the device's reading, not the nurse's.
    const now = limen.elapsed(link.session());
    const beside = {};
    for (const [signal, known] of Object.entries(link.seen())) {
      if (known.value !== null && known.t_s !== null && now - known.t_s < known.lost_s) beside[signal] = { value: known.value, age_s: Math.round(now - known.t_s) };
    }
    clear();
    observed("Saving");
    const answer = await send("observation.recorded", { ...values, device_values: beside }, "Observation");
    if (answer.error) return;
    observed(`${answer.kept ? "Kept" : "Saved"} ${limen.clock(link.session(), now).slice(0, 8)}: sedation ${values.moaas}, dissociation ${values.dissociation}.`);
    last = answer.id;
    const button = find("[data-undo]");
    button.hidden = !last;
    window.setTimeout(() => {
      button.hidden = true;
      last = null;
    }, 10000);
  }

  function clear() {
    for (const key of Object.keys(taps)) delete taps[key];
    for (const button of document.querySelectorAll("[data-five] button")) button.setAttribute("aria-pressed", "false");
  }

  async function undo() {
    if (!last) return;
    const entry = last;
    last = null;
    find("[data-undo]").hidden = true;
    await send("entry.corrected", { entry, reason: "undone within 10 s" }, "Undo");
    observed("Taken back. Both entries stay in the record.");
  }

  // ---- forms in place

  function ask(title, fields, deed, make) {
    const form = el("form", { class: "ask" }, el("h2", {}, title));
    for (const field of fields) form.append(control(field));
    const row = el("p", { class: "acts" }, el("button", { class: "press press--main press--glove", type: "submit" }, deed), close());
    form.append(row);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      const [kind, data] = make(values, form);
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      const answer = await send(kind, data, title);
      if (!answer.error && !answer.kept) shut();
    });
    panel.hidden = false;
    panel.parentElement.classList.add("is-asking");
    panel.replaceChildren(form);
    form.querySelector("input, select, button")?.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  function control([name, label, kind, choices]) {
    if (kind === "choice") {
      const options = [el("option", { value: "" }, "choose"), ...choices.map(([value, text]) => el("option", { value }, text))];
      return el("p", { class: "field" }, el("label", { for: `ask-${name}` }, label), el("select", { id: `ask-${name}`, name }, ...options));
    }
    if (kind === "tick") return el("label", { class: "choice" }, el("input", { type: "checkbox", name, value: "yes" }), label);
    const input = el("input", { id: `ask-${name}`, name, type: kind, step: kind === "number" ? "any" : null, autocomplete: "off" });
    return el("p", { class: "field" }, el("label", { for: `ask-${name}` }, label), input);
  }

  const text = (value) => String(value || "").trim();
  const number = (value) => (text(value) === "" ? undefined : Number(value));
  const drop = (data) => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined && value !== ""));

  const forms = {
    symptom: () =>
      ask("What the patient feels", [["what", "Listed", "choice", ["severe headache", "chest pain", "short of breath", "vision changes", "confusion", "nausea", "vomiting", "dizziness"].map((word) => [word, word])], ["more", "In words", "text"]], "Write down", (values) => ["symptom.reported", { text: [values.what, text(values.more)].filter(Boolean).join(", ") }]),
    distress: () =>
      ask("Distress", [["grade", "How strong", "choice", [["0", "none"], ["1", "mild"], ["2", "moderate"], ["3", "severe"]]]], "Write down", (values) => ["observation.recorded", drop({ distress: number(values.grade) })]),
    values: () =>
      ask("Measured by hand", [["sbp_mmHg", "Systolic, mmHg", "number"], ["dbp_mmHg", "Diastolic, mmHg", "number"], ["hr_per_min", "Heart, /min", "number"], ["spo2_pct", "SpO2, %", "number"], ["rr_per_min", "Breaths, /min", "number"]], "Write down", (values) => ["observation.recorded", drop(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, number(value)])))]),
    rescue: () => ask("Rescue given", [["what", "What", "text"], ["dose", "Dose, in words", "text"], ["reason", "Why", "text"]], "Write down", (values) => ["rescue.given", drop({ what: text(values.what), dose: text(values.dose), reason: text(values.reason) })]),
    adverse: () =>
      ask("Adverse event", [["text", "What", "text"], ["severity", "Grade", "choice", [["1", "1 mild"], ["2", "2 moderate"], ["3", "3 severe"], ["4", "4 life-threatening"], ["5", "5 fatal"]]], ["action", "Done about it", "text"]], "Write down", (values) => ["adverse-event.recorded", drop({ text: text(values.text), severity: number(values.severity), action: text(values.action) })]),
    rate: () =>
      ask("Pump rate", [["rate_mL_per_h", "New rate, mL/h", "number"], ["reason", "Why", "text"]], "Set this rate in the record", (values) => ["infusion.rate-changed", drop({ rate_mL_per_h: number(values.rate_mL_per_h), reason: text(values.reason) })]),
    stop: () =>
      ask("Stop infusion", [["reason", "Why", "text"], ["pump_volume_mL", "Pump says given, mL", "number"], ["difference_reason", "If it differs: why", "text"]], "The pump is stopped", (values) => ["infusion.stopped", drop({ reason: text(values.reason), pump_volume_mL: number(values.pump_volume_mL), difference_reason: text(values.difference_reason) })]),
    leaving: () =>
      ask("Before leaving", [["aldrete", "Aldrete, 0 to 10", "number"], ["moaas", "MOAA/S, 0 to 5", "number"], ["distress", "Distress, 0 to 3", "number"], ["oriented", "Oriented", "tick"], ["walks_unaided", "Walks unaided", "tick"], ["escort", "Escort is here", "tick"], ["instructions_given", "Written instructions given", "tick"], ["emergency_number_given", "Emergency number given", "tick"], ["safety_plan_given", "Safety plan on hand", "tick"], ["next_cssrs_on", "Next C-SSRS on", "date"]], "Write down", (values, form) => {
        const data = drop({ aldrete: number(values.aldrete), moaas: number(values.moaas), distress: number(values.distress), next_cssrs_on: text(values.next_cssrs_on) });
        for (const box of form.querySelectorAll("input[type=checkbox]")) data[box.name] = box.checked;
        return ["observation.recorded", data];
      }),
    discharge: () => {
      const unmet = (link.session().readiness?.unmet || []).map((item) => `${item.rule} ${item.because}`).join("; ");
      ask(unmet ? `Not met: ${unmet}` : "Every criterion is met", [["condition", "Condition", "text"], ["escort_name", "Leaves with", "text"], ["reason", unmet ? "Why all the same" : "Remark", "text"]], "Discharge", (values) => ["discharged", drop({ condition: text(values.condition), escort_name: text(values.escort_name), reason: text(values.reason) })]);
    },
    limits: () =>
      ask("Own limits of this patient", [["SPO2-low", "SpO2 low, %", "number"], ["NIBP_SYS-low", "Systolic low, mmHg", "number"], ["NIBP_SYS-high", "Systolic high, mmHg", "number"], ["HR-low", "Heart low, /min", "number"], ["HR-high", "Heart high, /min", "number"], ["reason", "Why", "text"]], "Set these, and only these", (values) => {
        const limits = {};
        for (const [key, value] of Object.entries(values)) {
          const [signal, side] = key.split("-");
          if (side && number(value) !== undefined) (limits[signal] = limits[signal] || {})[side] = number(value);
        }
        return ["limits.changed", { limits: Object.keys(limits).length ? limits : null, reason: text(values.reason) }];
      }),
  };

  function correction(event) {
    if (!may.has("session:record")) return null;
    return el("button", { class: "press press--plain", type: "button", onclick: () => takeBack(event) }, "Take back");
  }

  function takeBack(event) {
    ask(`Take back ${event.kind.split(".")[0]} ${limen.clock(link.session(), event.t_s)}`, [["reason", "Why it is wrong", "text"]], "Take back, both stay in the record", (values) => ["entry.corrected", { entry: event.id, reason: text(values.reason) }]);
  }

  // ---- buttons, by what may follow now

  function deeds(session) {
    const place = find("[data-buttons]");
    const wanted = `${session.phase}`;
    for (const button of document.querySelectorAll("[data-five] button")) button.disabled = !may.has("session:record") || session.started_at === null || ["discharged", "ended"].includes(session.phase);
    if (shown === wanted) return;
    shown = wanted;
    const button = (label, deed, main) => el("button", { class: `press${main ? " press--main press--wide-row" : ""}`, type: "button", onclick: deed }, label);
    const form = (label, name) => button(label, forms[name]);
    const once = (label, kind, data, main) => button(label, () => send(kind, data, label), main);
    const stop = () => {
      const octagon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      octagon.setAttribute("viewBox", "0 0 20 20");
      octagon.setAttribute("aria-hidden", "true");
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
      shape.setAttribute("d", "M6 1h8l5 5v8l-5 5H6l-5-5V6z");
      shape.setAttribute("fill", "currentColor");
      octagon.append(shape);
      return el("button", { class: "press stop", type: "button", onclick: forms.stop }, octagon, "Stop infusion");
    };
    const dose = `${limen.words.exact(session.dose_mg)} mg over ${session.duration_min} min`;
    const record = may.has("session:record");
    const halt = may.has("session:stop");
    const alive = !["planned", "discharged", "ended"].includes(session.phase);
    const found = [];
    if (session.phase === "planned" && may.has("session:start")) found.push(once("Start the session: watch from now", "session.started", {}, true));
    if (session.phase === "started" && record) found.push(once(`Pump is started: ${dose}`, "infusion.started", {}, true));
    if (session.phase === "running" && halt) found.push(once("Pump is paused", "infusion.paused", {}));
    if (session.phase === "paused" && record) found.push(once("Pump goes on", "infusion.resumed", {}));
    if (["running", "paused"].includes(session.phase) && record) found.push(form("Pump rate", "rate"));
    if (alive && record) found.push(form("Symptom", "symptom"), form("Distress", "distress"), form("By hand", "values"), form("Rescue", "rescue"), form("Adverse event", "adverse"));
    if (alive && may.has("limits:change")) found.push(form("Own limits", "limits"));
    if (["started", "stopped", "recovery"].includes(session.phase) && may.has("discharge:record")) {
      found.push(form("Before leaving", "leaving"), once("Ask: ready?", "discharge.asked", {}), form("Discharge", "discharge"));
    }
    // First, so that no number of alarms pushes it off the screen.
    if (["running", "paused"].includes(session.phase) && halt) found.unshift(stop());
    place.replaceChildren(...found);
  }

  function openDeeds(given) {
    link = given;
    five();
    find("[data-take-over]").addEventListener("click", () => send("owner.changed", {}, "Take over"));
  }

  Object.assign(limen, { deeds, openDeeds, correction });
})();
