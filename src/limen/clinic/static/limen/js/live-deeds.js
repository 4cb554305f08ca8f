"use strict";
// What a person does at the chair: buttons by what may follow now, and the small forms behind them.
(() => {
  const limen = window.Limen;
  const { el, may, text, number, drop } = limen;
  const find = (selector) => document.querySelector(selector);
  let link = null;
  let shown = "";
  const onceMs = 2000;
  const pressed = new Map(); // kind -> when it was pressed last

  const session = () => link.session();
  const ask = (...parts) => limen.ask(...parts);

  // ---- what hurts

  const symptoms = ["severe headache", "chest pain", "short of breath", "vision changes", "confusion", "nausea", "vomiting", "dizziness"];

  // What stands raises alarms until somebody says that it is gone. The server takes it from what stands by then.
  function goneButtons() {
    const standing = [...new Set(session().state.symptoms.map((noted) => noted.text))];
    const row = el("div", { class: "acts", role: "group", "aria-label": "Symptoms that stand" });
    for (const text of standing) {
      const button = el("button", { class: "press press--glove", type: "button" }, "Gone: ", el("b", {}, text));
      button.addEventListener("click", async () => {
        for (const other of row.querySelectorAll("button")) other.disabled = true;
        const answer = await limen.send("observation.recorded", { symptoms_gone: [text] }, `Gone: ${text}`);
        if (!answer.error && !answer.kept) limen.shut();
      });
      row.append(button);
    }
    return standing.length ? [row] : [];
  }

  function symptom() {
    ask("What the patient feels", [["what", "Listed", "choice", symptoms.map((word) => [word, word])], ["more", "In words", "text"]], "Write down", (values) => ["symptom.reported", { text: [values.what, text(values.more)].filter(Boolean).join(", ") }], goneButtons());
  }

  // The patient's own words first, then one tap for how strong.
  function distress() {
    const { comfort } = session();
    const line = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : []);
    const card = comfort
      ? el("div", {}, el("dl", { class: "comfort" }, ...line("Helps", comfort.helps), ...line("Say", comfort.words), ...line("Not", comfort.avoid), ...line("Touch", comfort.touch), ...line("Call", comfort.person)), el("p", { class: "small quiet" }, `Asked by ${comfort.by}, ${comfort.on.slice(0, 10)}`))
      : el("p", { class: "held" }, el("b", {}, "Nobody has asked what helps this patient. "), el("a", { href: `/session/${session().session}/patient/` }, "Ask and write it down"));
    const grades = limen.words.distress.map((word, grade) => {
      const button = el("button", { class: "press press--glove", type: "button" }, el("b", {}, String(grade)), ` ${word}`);
      button.addEventListener("click", async () => {
        for (const other of row.querySelectorAll("button")) other.disabled = true;
        const answer = await limen.send("observation.recorded", { distress: grade }, `Distress ${word}`);
        if (!answer.error && !answer.kept) limen.shut();
      });
      return button;
    });
    const row = el("div", { class: "grades-row", role: "group", "aria-label": "How strong the distress is" }, ...grades);
    limen.showPanel(el("h2", {}, "Distress"), card, el("p", { class: "small" }, "How strong? One tap saves."), row, limen.close());
  }

  function adverse() {
    const listed = session().adverse;
    const choices = [["text", "What, in words", "text"], ["code", "Name", "choice", listed.events], ["severity", "Grade", "choice", listed.grades], ["serious", "Serious by", "choice", [["none", "none of these"], ...listed.serious]], ["action", "Done about it", "choice", listed.actions]];
    ask("Adverse event", choices, "Write down, its clock starts", (values) => ["adverse-event.recorded", drop({ text: text(values.text), code: values.code, severity: number(values.severity), serious: values.serious === "none" ? [] : values.serious ? [values.serious] : undefined, action: values.action })]);
  }

  // ---- the pump

  // Half the rate is what the rules ask for in moderate distress: one tap fills it in.
  function rate() {
    const strength = session().syringe?.concentration_mg_per_mL;
    const now = session().rate_mg_per_h && strength ? session().rate_mg_per_h / strength : null;
    const said = el("p", { role: "status", class: "said-rate" });
    const form = ask("Pump rate", [["rate_mL_per_h", "New rate, mL/h", "number"], ["reason", "Why", "text"]], "The pump is set to this", (values) => ["infusion.rate-changed", drop({ rate_mL_per_h: number(values.rate_mL_per_h), reason: text(values.reason) })], now ? [el("p", {}, `Now ${limen.words.exact(now)} mL/h, ${limen.words.exact(session().rate_mg_per_h)} mg/h`)] : []);
    const field = form.querySelector("#ask-rate_mL_per_h");
    const tell = () => {
      const value = number(field.value);
      said.textContent = value && strength ? `${limen.words.exact(value)} mL/h of ${strength} mg/mL is ${limen.words.exact(value * strength)} mg/h${now ? `, ${Math.round((100 * value) / now)} % of now` : ""}` : "";
    };
    field.addEventListener("input", tell);
    if (now) {
      const half = el("button", { class: "press", type: "button" }, `Half: ${limen.words.exact(now / 2)} mL/h`);
      half.addEventListener("click", () => {
        field.value = String(Math.round((now / 2) * 10) / 10);
        tell();
      });
      field.parentElement.after(half);
    }
    field.parentElement.after(said);
  }

  function stop() {
    ask("Stop infusion", [["reason", "Why", "text"], ["pump_volume_mL", "Pump says given, mL", "number"], ["difference_reason", "If it differs: why", "text"]], "The pump is stopped", (values) => ["infusion.stopped", drop({ reason: text(values.reason), pump_volume_mL: number(values.pump_volume_mL), difference_reason: text(values.difference_reason) })]);
  }

  // ---- leaving, limits

  function leaving() {
    const asked = [["oriented", "Oriented"], ["walks_unaided", "Walks unaided"], ["escort", "Escort is here"], ["instructions_given", "Written instructions given"], ["emergency_number_given", "Emergency number given"], ["safety_plan_given", "Safety plan on hand"]];
    ask("Before leaving", [["aldrete", "Aldrete, 0 to 10", "number"], ["moaas", "MOAA/S, 0 to 5", "number"], ["distress", "Distress, 0 to 3", "number"], ...asked.map(([name, label]) => [name, label, "yes-no"]), ["next_cssrs_on", "Next C-SSRS on", "date"]], "Write down", (values) => {
      const said = Object.fromEntries(asked.filter(([name]) => values[name]).map(([name]) => [name, values[name] === "yes"]));
      return ["observation.recorded", drop({ aldrete: number(values.aldrete), moaas: number(values.moaas), distress: number(values.distress), next_cssrs_on: text(values.next_cssrs_on), ...said })];
    });
  }

  function discharge() {
    const unmet = (session().readiness?.unmet || []).map((item) => `${item.rule} ${item.because}`).join("; ");
    ask(unmet ? `Not met: ${unmet}` : "Every criterion is met", [["condition", "Condition", "text"], ["escort_name", "Leaves with", "text"], ["reason", unmet ? "Why all the same" : "Remark", "text"]], "Discharge", (values) => ["discharged", drop({ condition: text(values.condition), escort_name: text(values.escort_name), reason: text(values.reason) })]);
  }

  function limits() {
    ask("Own limits of this patient", [["SPO2-low", "SpO2 low, %", "number"], ["NIBP_SYS-low", "Systolic low, mmHg", "number"], ["NIBP_SYS-high", "Systolic high, mmHg", "number"], ["HR-low", "Heart low, /min", "number"], ["HR-high", "Heart high, /min", "number"], ["reason", "Why", "text"]], "Set these, and only these", (values) => {
      const found = {};
      for (const [key, value] of Object.entries(values)) {
        const [signal, side] = key.split("-");
        if (side && number(value) !== undefined) (found[signal] = found[signal] || {})[side] = number(value);
      }
      return ["limits.changed", { limits: Object.keys(found).length ? found : null, reason: text(values.reason) }];
    });
  }

  // ---- who is in charge

  function handOver() {
    const me = document.body.dataset.person;
    if (session().owner_id !== me) {
      return ask("Take over without an offer", [["reason", "Why the owner cannot hand over", "text"]], "I am in charge now", (values) => ["owner.changed", { reason: text(values.reason) || "-" }], [el("p", {}, `${session().owner} is in charge. Where there is time, let ${session().owner} offer the chair and accept it.`)]);
    }
    const people = session().people.map(({ id, name }) => [id, name]);
    return ask("Hand over", [["to", "To", "choice", people]], "Offer this chair", (values) => ["owner.offered", { to: values.to }], [el("p", {}, "You stay in charge until the other person accepts on the own login.")]);
  }

  // ---- before the dose

  // Whose list a start stacks decides: one's own moves the minute; a colleague's chairs are told, for a hand-over or an
  // emergency makes one list of both.
  function advice() {
    const found = session().start_advice;
    if (!found) return null;
    const clock = (minutes) => limen.clockTime(limen.now() + minutes * 60000).slice(0, 5);
    const whose = found.yours ? "your" : `${found.owner}’s`;
    const sets = (list, named) => `the ${list.slice(0, 2).map(({ minute, chair, owner }) => `${minute}-minute set falls with ${named ? `${owner}’s ` : ""}${chair}`).join(", the ")}${list.length > 2 ? `, and ${list.length - 2} more` : ""}`;
    const { room } = found;
    const lines = [];
    if (found.better_min !== null) {
      const why = found.stacked.length ? `Starting now, on ${whose} list ${sets(found.stacked)}` : `${found.near}, on ${whose} list, began less than 13 min ago`;
      lines.push(el("p", {}, el("b", {}, `A better minute: in ${found.better_min} min, at ${clock(found.better_min)}. `), `${why}.${found.left ? ` Even then ${found.left} fall together.` : ""}`));
    } else if (found.stacked.length) {
      lines.push(el("p", {}, el("b", {}, "No better minute in the next half hour. "), `On ${whose} list ${sets(found.stacked)}. A colleague can take one of the chairs.`));
    }
    if (room.stacked.length) {
      const free = room.better_min === null ? "" : ` In ${room.better_min} min, at ${clock(room.better_min)}, ${room.left ? `only ${room.left} of the whole room fall together` : "nothing in the whole room falls together"}.`;
      const own = lines.length ? "" : `Now is free on ${whose} list. `;
      lines.push(el("p", { class: lines.length ? "small" : null }, own ? el("b", {}, own) : "", `If one person comes to hold both, by hand-over or in an emergency, ${sets(room.stacked, true)}.${free}`));
    }
    return el("div", { class: "advice", role: "note" }, ...lines);
  }

  // One press is one deed: a second tap, or a key held down, would count another device. The button is free again with
  // the state that knows of it.
  async function press(button, kind, data, label) {
    if (performance.now() - (pressed.get(kind) ?? -Infinity) < onceMs) return;
    pressed.set(kind, performance.now());
    button.disabled = true;
    const answer = await limen.send(kind, data, label);
    button.disabled = !answer.error;
  }

  // ---- buttons, by what may follow now

  function octagon() {
    const svgNs = "http://www.w3.org/2000/svg";
    const icon = document.createElementNS(svgNs, "svg");
    icon.setAttribute("viewBox", "0 0 20 20");
    icon.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(svgNs, "path");
    shape.setAttribute("d", "M6 1h8l5 5v8l-5 5H6l-5-5V6z");
    shape.setAttribute("fill", "currentColor");
    icon.append(shape);
    return icon;
  }

  function deeds(now) {
    limen.allowObserve(now);
    const hand = find("[data-hand-over]");
    hand.hidden = !may.has("session:record") || now.started_at === null || ["discharged", "ended"].includes(now.phase);
    hand.textContent = now.owner_id === document.body.dataset.person ? "Hand over" : "Take over";
    const wanted = `${now.phase} ${now.state.dose.doses.length} ${JSON.stringify(now.start_advice)}`;
    if (shown === wanted) return;
    shown = wanted;
    const button = (label, deed, main) => el("button", { class: `press${main ? " press--main press--wide-row" : ""}`, type: "button", onclick: deed }, label);
    const once = (label, kind, data, main) => button(label, (event) => press(event.currentTarget, kind, data, label), main);
    const pumped = now.steps.filter((step) => step.kind === "infusion");
    const dose = `${limen.words.exact(pumped.reduce((sum, step) => sum + step.dose_mg, 0))} mg over ${pumped.reduce((sum, step) => sum + step.duration_min, 0)} min`;
    const record = may.has("session:record");
    const halt = may.has("session:stop");
    const alive = !["planned", "discharged", "ended"].includes(now.phase);
    const found = [];
    if (["planned", "started"].includes(now.phase)) found.push(advice());
    if (now.phase === "planned" && may.has("session:start")) found.push(once("Start the session: watch from now", "session.started", {}, true));
    const next = limen.nextDose(now);
    if (next && ["started", "stopped", "recovery"].includes(now.phase) && record) found.push(once(limen.doseWords(now, next), "dose.given", {}, true));
    const unpumped = pumped.length > 0 && now.state.dose.infusions.length === 0;
    if (unpumped && ["started", "recovery"].includes(now.phase) && record) found.push(once(`Pump is started: ${dose}`, "infusion.started", {}, true));
    if (now.phase === "running" && halt) found.push(once("Pump is paused", "infusion.paused", {}));
    if (now.phase === "paused" && record) found.push(once("Pump goes on", "infusion.resumed", {}));
    if (["running", "paused"].includes(now.phase) && record) found.push(button("Pump rate", rate));
    if (alive && record) found.push(button("Distress", distress), button("Symptom", symptom), button("Rescue", () => limen.rescue(link)), button("Adverse event", adverse));
    if (alive && may.has("limits:change")) found.push(button("Own limits", limits));
    if (["started", "stopped", "recovery"].includes(now.phase) && may.has("discharge:record")) {
      found.push(button("Before leaving", leaving), once("Ask: ready?", "discharge.asked", {}), button("Discharge", discharge));
    }
    // First, so that no number of alarms pushes it off the screen.
    if (["running", "paused"].includes(now.phase) && halt) found.unshift(el("button", { class: "press stop", type: "button", onclick: stop }, octagon(), "Stop infusion"));
    find("[data-buttons]").replaceChildren(...found.filter(Boolean));
  }

  function openDeeds(given) {
    link = given;
    find("[data-hand-over]").addEventListener("click", handOver);
    document.addEventListener("limen:sent", ({ detail: { deed } }) => {
      if (pressed.has(deed.kind)) shown = ""; // its button is drawn anew, free again
    });
  }

  Object.assign(limen, { deeds, openDeeds, distress });
})();
