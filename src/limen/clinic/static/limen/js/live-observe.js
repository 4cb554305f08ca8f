"use strict";
// Two rows of five. A normal observation is two taps: the first marks, the second saves, with what the monitor shows
// noted beside it. Nothing is chosen before the person taps.
(() => {
  const limen = window.Limen;
  const { el, may } = limen;
  const find = (selector) => document.querySelector(selector);
  const taps = {};
  const aloneMs = 60000; // half an observation must not join the next visit's
  let latest = 0;
  let alone = 0;
  let dropped = false;
  let link = null;

  const rows = () => [...document.querySelectorAll("[data-five]")];

  function tap(row, button) {
    limen.unask();
    latest += 1;
    dropped = false;
    const again = button.getAttribute("aria-pressed") === "true";
    for (const other of row.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button && !again));
    if (again) delete taps[row.dataset.five];
    else taps[row.dataset.five] = Number(button.value);
    window.clearTimeout(alone);
    if (Object.keys(taps).length === 1) alone = window.setTimeout(forget, aloneMs);
    if (Object.keys(taps).length === 2) save();
    else draw();
  }

  function forget() {
    dropped = true;
    clear();
    draw();
  }

  // What the monitor shows now and is not lost: noted with its age. It is the monitor's reading, not the nurse's.
  function beside() {
    const now = limen.elapsed(link.session());
    const found = {};
    for (const [signal, known] of Object.entries(link.session().signals)) {
      if (known.value !== null && known.t_s !== null && !known.no_value && now - known.t_s < known.lost_s) found[signal] = { value: known.value, age_s: Math.max(0, Math.round(now - known.t_s)) };
    }
    return found;
  }

  function shown(values) {
    const round = (signal) => (values[signal] ? limen.words.round(values[signal].value, link.session().signals[signal]?.edges) : null);
    const pressure = values.NIBP_SYS && values.NIBP_DIA ? `${round("NIBP_SYS")}/${round("NIBP_DIA")} (cuff ${limen.words.span(values.NIBP_SYS.age_s)})` : null;
    const parts = [pressure, round("HR") || round("PULSE") ? `heart ${round("HR") || round("PULSE")}` : null, round("SPO2") ? `SpO2 ${round("SPO2")}` : null, round("RR") ? `breaths ${round("RR")}` : null];
    return parts.filter(Boolean).join(", ");
  }

  function draw() {
    const place = find("[data-obs-said]");
    if (!link) return;
    const with_ = shown(beside());
    const first = Object.keys(taps).length === 1 ? "1 of 2 tapped. " : dropped ? "One tap alone was not saved after 1:00. " : "";
    const values = with_ ? `The second tap saves, with ${with_}.` : "The second tap saves. No value from the monitor now: write them by hand.";
    const said = `${first}${values}`;
    if (place.textContent !== said) place.replaceChildren(first ? el("b", {}, first) : "", el("span", { class: "quiet" }, values));
  }

  async function save() {
    const mine = latest;
    const values = await limen.confirm({ ...taps });
    if (values === null) {
      if (mine === latest) clear(); // corrected; a newer tap has rows of its own
      draw();
      return;
    }
    clear();
    const { moaas, dissociation } = values;
    const answer = await limen.send("observation.recorded", { ...values, device_values: beside() }, `sedation ${moaas}, dissociation ${dissociation}`);
    if (dissociation === 4 && !answer.error) limen.distress(); // "distressed": how strong is asked at once, for that is what alarms
  }

  function clear() {
    for (const key of Object.keys(taps)) delete taps[key];
    for (const button of document.querySelectorAll("[data-five] button")) button.setAttribute("aria-pressed", "false");
  }

  // Device values pre-filled beside each field: left empty they stand as they are, a number typed corrects them.
  const byHand = [["sbp_mmHg", "Systolic, mmHg", "NIBP_SYS"], ["dbp_mmHg", "Diastolic, mmHg", "NIBP_DIA"], ["hr_per_min", "Heart, /min", "HR"], ["spo2_pct", "SpO2, %", "SPO2"], ["rr_per_min", "Breaths, /min", "RR"]];

  function correct() {
    const values = beside();
    const fields = byHand.map(([name, label, signal]) => [name, label, "number", null, null, values[signal] ? `the monitor says ${limen.words.round(values[signal].value, link.session().signals[signal]?.edges)}` : null]);
    limen.ask("Measured by hand", fields, "Write down", (found) => ["observation.recorded", { ...limen.drop(Object.fromEntries(Object.entries(found).map(([key, value]) => [key, limen.number(value)]))), device_values: values }]);
  }

  function arrow(row, event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...row.querySelectorAll("button")];
    const next = all[all.indexOf(document.activeElement) + step];
    if (next) next.focus();
    event.preventDefault();
  }

  function openObserve(given) {
    link = given;
    for (const row of rows()) {
      row.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button && !button.disabled) tap(row, button);
      });
      row.addEventListener("keydown", (event) => arrow(row, event));
    }
    find("[data-correct]").addEventListener("click", correct);
    window.setInterval(draw, 1000);
    draw();
    // The working list leads here: the act is ready under the finger and the key.
    const ready = () => {
      if (window.location.hash === "#dose") document.querySelector("[data-buttons] .press--wide-row")?.focus({ preventScroll: true });
      if (["#observe", "#cuff"].includes(window.location.hash)) document.querySelector("[data-five] button")?.focus({ preventScroll: true });
    };
    window.addEventListener("load", () => window.setTimeout(ready, 50)); // after the browser's own jump to the place
    window.addEventListener("hashchange", ready);
  }

  function allowObserve(session) {
    const off = !may.has("session:record") || session.started_at === null || ["discharged", "ended"].includes(session.phase);
    for (const button of document.querySelectorAll("[data-five] button, [data-correct]")) button.disabled = off;
  }

  Object.assign(limen, { openObserve, allowObserve });
})();
