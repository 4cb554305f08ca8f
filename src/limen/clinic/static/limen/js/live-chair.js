"use strict";
// One live session: numbers with their ages, lanes of seen and forecast, what is given, what is due, what is not met.
(() => {
  const limen = window.Limen;
  const { el, words } = limen;
  const script = document.currentScript;
  const find = (selector) => document.querySelector(selector);
  const vitals = Object.fromEntries([...document.querySelectorAll("[data-vital]")].map((item) => [item.dataset.vital, item]));
  let session = JSON.parse(document.getElementById("live-state").textContent);
  const traces = { HR: trace(), PULSE: trace(), SPO2: trace(), NIBP_SYS: trace(), NIBP_DIA: trace() };
  let lanes = null;

  function trace() {
    return { t: [], v: [] };
  }

  // ---- what came

  function take(state) {
    session = state;
    for (const [signal, line] of Object.entries(traces)) {
      const seen = state.series[signal] || { t_s: [], value: [] };
      line.t = [...seen.t_s];
      line.v = [...seen.value];
    }
    draw();
  }

  // Samples come as they were stored, without judgement: what cannot be a reading is a gap, and the state tells the rest.
  function samples(message) {
    limen.deviceSamples(message);
    for (const [signal, tS, value] of message.values) {
      const line = traces[signal];
      const known = session.signals[signal];
      const reading = limen.reading(known, value);
      if (line && (line.t.length === 0 || tS > line.t[line.t.length - 1])) {
        line.t.push(tS);
        line.v.push(reading);
      }
      if (known) known.no_value = reading === null;
      if (known && reading !== null && (known.t_s === null || tS > known.t_s)) Object.assign(known, { value: reading, t_s: tS });
    }
    drawVitals();
    drawLanes();
  }

  // ---- numbers

  function drawVitals() {
    const { alarms } = session;
    for (const signal of ["HR", "SPO2", "RR"]) {
      const source = signal === "HR" && !session.signals.HR ? "PULSE" : signal;
      limen.setVital(vitals[signal], session, source);
      limen.colour(vitals[signal], alarms, [signal, source]);
    }
    limen.setPressure(vitals.pressure, session);
    limen.colour(vitals.pressure, alarms, ["NIBP_SYS", "NIBP_DIA", "NIBP_MEAN"]);
  }

  function drawGiven() {
    const given = limen.givenMg(session);
    find("[data-given]").textContent = words.mg(given);
    find("[data-dose]").textContent = words.exact(session.dose_mg);
    find("[data-pushed]").setAttribute("width", session.dose_mg ? Math.min(100, (100 * given) / session.dose_mg) : 0);
    const { gone, planned } = limen.progress(session);
    const after = session.phase === "stopped" || session.way.words.startsWith("Recovery"); // then "not before" below is the one time that counts
    const pumped = session.steps.some((step) => step.kind === "infusion");
    const of = after ? " ago" : planned ? ` of ${words.span(planned)}` : "";
    find("[data-phase]").textContent = `${session.way.words === "Recovery" ? (pumped ? "Dose ended" : "Last dose") : words.phase(session)}${session.started_at ? ` ${words.span(Math.max(0, gone))}${of}` : ""}`;
    const next = find("[data-next]");
    next.replaceChildren();
    const due = session.due_soon[0] ?? session.next;
    if (!due) return;
    const left = due.due_t_s - limen.elapsed(session);
    next.append(
      el("span", { class: "quiet" }, `${words.dueWords(session, due)} ${left < 0 ? "late" : "in"}`),
      el("b", {}, left < 0 ? `+${words.span(-left)}` : words.span(left)),
    );
  }

  function drawSteps() {
    const steps = find("[data-steps]");
    steps.replaceChildren();
    let place = 0;
    for (const step of session.steps) {
      const dose = step.kind === "infusion" ? null : session.way.marks[place++];
      const time = dose ? doseTime(step, dose) : pumpTime(step);
      const rate = step.rate_mL_per_h ? rateWords(step.rate_mL_per_h) : step.kind === "infusion" ? "infusion" : dose.label.toLowerCase();
      const current = dose ? dose.given_t_s === null && dose === session.way.marks.find((one) => one.given_t_s === null) : session.phase === "running";
      steps.append(el("li", { "aria-current": current ? "step" : null }, el("span", {}, time), el("span", {}, rate), el("span", {}, `${words.exact(step.dose_mg)} mg`)));
    }
    const syringe = session.syringe;
    find("[data-syringe]").textContent = syringe ? `Syringe ${syringe.concentration_mg_per_mL} mg/mL, ${words.exact(syringe.volume_mL)} mL` : "";
  }

  const minute = (tS) => limen.clock(session, tS).slice(0, 5);

  // A dose at once: when it was given, or from when it may be.
  function doseTime(step, dose) {
    if (dose.given_t_s !== null) return `given ${minute(dose.given_t_s)}`;
    if (dose.due_t_s !== null) return `from ${minute(dose.due_t_s)}`;
    return step.at_min ? `+${step.at_min} min` : "at once";
  }

  function pumpTime(step) {
    if (session.dose_start_t_s === null) return `${step.duration_min} min`;
    const begin = session.dose_start_t_s + step.at_min * 60;
    return `${minute(begin)}–${minute(session.expected_end_t_s ?? session.dose_end_t_s ?? begin + step.duration_min * 60)}`;
  }

  // The rate that runs, not the rate that was planned, once a person has changed it.
  function rateWords(planned) {
    const strength = session.syringe?.concentration_mg_per_mL;
    const now = session.rate_mg_per_h && strength ? session.rate_mg_per_h / strength : planned;
    return Math.abs(now - planned) < 0.05 ? `${words.exact(planned)} mL/h` : `${words.exact(now)} mL/h now, plan ${words.exact(planned)}`;
  }

  function drawReady() {
    const ready = session.readiness;
    const said = find("[data-ready-said]");
    const list = find("[data-unmet]");
    list.replaceChildren();
    if (!ready) {
      said.textContent = "not started";
      return;
    }
    const early = ready.earliest_t_s !== null && ready.earliest_t_s > limen.elapsed(session);
    const earliest = early ? `not before ${limen.clock(session, ready.earliest_t_s).slice(0, 5)}` : "";
    said.textContent = ready.ready ? "every criterion is met" : `${ready.unmet.length} not met${earliest ? `, ${earliest}` : ""}`;
    const wanted = session.phase === "stopped" || session.way.words.startsWith("Recovery");
    const box = find("[data-ready]");
    if (box.dataset.phase !== session.way.words) box.open = wanted; // opens by itself once leaving is the question
    box.dataset.phase = session.way.words;
    // The minimum stay once, as the time it ends and why then.
    const why = (item) => (item.rule === "DIS-5" && early ? `${earliest}: ${ready.earliest_because}` : item.because);
    for (const item of ready.unmet) list.append(el("li", {}, el("b", {}, `${item.rule} `), why(item)));
  }

  // What happened, on the time axis. An observation is a mark without a name: its values are the curves.
  const markNames = { "infusion.started": "pump on", "infusion.paused": "paused", "infusion.resumed": "goes on", "infusion.rate-changed": "rate", "infusion.stopped": "pump off", "rescue.given": "rescue", "adverse-event.recorded": "adverse event", "symptom.reported": "symptom", "emergency.started": "emergency", "patient.called": "call", "owner.changed": "owner" };

  function marks() {
    const taken = new Set(session.log.filter((event) => event.kind === "entry.corrected" && !event.changes).map((event) => event.entry));
    return session.log
      .filter((event) => event.t_s > 1 && !taken.has(event.id) && (markNames[event.kind] || event.kind === "observation.recorded") && event.signal !== "ok")
      .map((event) => ({ at: at(event.t_s), name: markNames[event.kind] || "" }))
      .reverse();
  }

  // ---- lanes

  const at = (tS) => limen.began(session) / 1000 + tS;

  function openLanes() {
    if (!session.started_at || lanes) return;
    const place = (name) => find(`[data-lane="${name}"]`);
    const share = heights();
    const from = at(-120);
    const to = at(Math.max(session.t_s, session.dose_start_t_s ?? session.t_s) + 60 * limen.aheadMin(session));
    const common = { from, to };
    const base = session.baseline || {};
    const high = Math.max(180, (base.sbp_mmHg || 120) + 60);
    lanes = {
      pressure: limen.lane(place("pressure"), { ...common, title: "Pressure mmHg", range: [40, high + 10], ticks: [60, 100, 140, 180].filter((tick) => tick < high), height: share(0.36), cuff: true, names: true, marked: true }),
      HR: limen.lane(place("HR"), { ...common, title: "Heart /min", range: [35, 145], ticks: [50, 80, 110, 140], height: share(0.22) }),
      SPO2: limen.lane(place("SPO2"), { ...common, title: "SpO2 %", range: [84, 101], ticks: [85, 90, 95, 100], height: share(0.18) }),
      drug: limen.lane(place("drug"), { ...common, title: "Effect site ng/mL", range: [0, 300], ticks: [0, 100, 200, 300, 400, 600, 800, 1200, 1600, 2000], height: share(0.24) + 26, times: true, names: true }),
    };
  }

  // The lanes take what the window leaves over, so that the rows of five and Stop stay in sight.
  function heights() {
    const top = find("[data-trend]").getBoundingClientRect().top + window.scrollY;
    const stop = find("[data-buttons] .stop"); // on a narrow screen it stands over the lower edge
    const below = stop && getComputedStyle(stop).position === "fixed" ? stop.offsetHeight + 8 : 0;
    const room = Math.max(170, window.innerHeight - top - find(".obs-set").offsetHeight - below - 36); // the time axis and the lines between
    return (part) => Math.round((room - 34) * part);
  }

  function fit() {
    if (!lanes) return;
    const share = heights();
    lanes.pressure.resize(share(0.36));
    lanes.HR.resize(share(0.22));
    lanes.SPO2.resize(share(0.18));
    lanes.drug.resize(share(0.24) + 26);
  }

  function forecastOf(name, lift) {
    const found = session.outlook.outputs[name];
    if (!found || lift === null || lift === undefined) return null;
    // a value that is withheld stays missing: null + lift would draw the baseline
    const up = (values) => (values ? values.map((value) => (value === null ? null : value + lift)) : null);
    return {
      t: session.outlook.t_s.map(at), typical: up(found.typical),
      patients: found.p05 ? [up(found.p05), up(found.p95)] : null,
      models: found.low ? [up(found.low), up(found.high)] : null,
    };
  }

  function walls(signal) {
    const limits = session.limits[signal];
    if (!limits) return [];
    return ["low", "high"].filter((side) => limits[side] !== null && limits[side] !== undefined).map((side) => ({ side, value: limits[side], name: `${limits.own ? "own limit" : "hold"} ${limits[side]}` }));
  }

  function drawLanes() {
    openLanes();
    if (!lanes) return;
    const now = at(limen.elapsed(session));
    const since = at(0);
    const seen = (signal) => ({ x: traces[signal].t.map(at), y: traces[signal].v, since });
    lanes.HR.update(seen(session.signals.HR ? "HR" : "PULSE"), now);
    lanes.SPO2.update(seen("SPO2"), now);
    const low = new Map(traces.NIBP_DIA.t.map((tS, index) => [tS, traces.NIBP_DIA.v[index]]));
    lanes.pressure.update({ ...seen("NIBP_SYS"), low: traces.NIBP_SYS.t.map((tS) => low.get(tS) ?? null) }, now);
    lanes.drug.update({ x: [now], y: [null], since: now }, now);
  }

  function drawOutlook() {
    openLanes();
    if (!lanes) return;
    const base = session.baseline || {};
    lanes.pressure.forecast(forecastOf("sbp_change_mmHg", base.sbp_mmHg));
    const happened = marks();
    for (const lane of Object.values(lanes)) lane.marks(happened);
    lanes.pressure.walls(walls("NIBP_SYS"));
    lanes.HR.forecast(forecastOf("hr_change_per_min", base.hr_per_min));
    lanes.HR.walls(walls("HR"));
    lanes.SPO2.walls(walls("SPO2"));
    lanes.drug.forecast(forecastOf("ketamine_effect_site_ng_per_mL", 0));
    const basis = { plan: "as signed", start: "if it began now", pump: session.steps.some((step) => step.kind === "infusion") ? "as the pump was run" : "as it was given", twin: "fitted to what was seen" }[session.outlook.basis];
    const count = session.outlook.members.length;
    const note = count ? `forecast ${basis}, ${count} model${count > 1 ? "s" : ""}` : `no forecast. ${session.outlook.flags[0] || ""}`;
    lanes.drug.title(`Ketamine at the effect site ng/mL, ${note}`);
    describe();
  }

  // Every lane as a sentence, for those who hear the page.
  function describe() {
    const say = (name, text) => find(`[data-lane="${name}"]`).setAttribute("aria-label", text);
    const known = (signal) => session.signals[signal]?.value;
    say("pressure", `Pressure in mmHg: last cuff systolic ${known("NIBP_SYS") ?? "not known"}; ${traces.NIBP_SYS.t.length} readings`);
    say("HR", `Heart rate: last ${known("HR") ?? "not known"} per minute`);
    say("SPO2", `Oxygen saturation: last ${known("SPO2") ?? "not known"} percent`);
    const drug = session.outlook.outputs.ketamine_effect_site_ng_per_mL;
    say("drug", drug ? `Forecast of ketamine at the effect site: typical peak ${Math.round(Math.max(...drug.typical))} ng/mL` : "No forecast of concentration");
  }

  // ---- the whole

  const entries = () => session.alarms.map((alarm) => ({ alarm, session }));

  function drawRail() {
    const standing = document.body.classList.contains("is-blind") ? [] : entries();
    limen.rail(find("[data-rail]"), standing, null, window.innerWidth > 520 ? 6 : 2);
    limen.asks(find("[data-asks]"), document.body.classList.contains("is-blind") ? [] : [session], null);
    limen.sound([...limen.sounding(standing), ...(document.body.classList.contains("is-blind") ? ["medium"] : [])]);
  }

  function draw() {
    find("[data-owner]").textContent = session.owner || "nobody yet";
    drawVitals();
    drawGiven();
    drawSteps();
    drawReady();
    limen.drawLog(session);
    drawRail();
    drawOutlook();
    drawLanes();
    limen.deeds(session);
    limen.twin(session);
    limen.early(session);
    limen.devices(session);
  }

  const link = { act: script.dataset.act, session: () => session };
  limen.openForms(link);
  limen.openLog(link);
  limen.openDeeds(link);
  take(session);
  limen.openObserve(link);
  const line = limen.listen(script.dataset.events, script.dataset.state, { session: script.dataset.session, state: take, samples });
  for (const heard of ["limen:done", "limen:sent"]) document.addEventListener(heard, line.refetch);
  window.setInterval(() => {
    drawGiven();
    drawRail();
  }, 500);
  window.setInterval(drawLanes, 2000);
  // Paper is day: what a script drew in the room's colours is drawn again for it, and back.
  for (const [moment, theme] of [["beforeprint", "day"], ["afterprint", document.documentElement.dataset.theme]]) {
    window.addEventListener(moment, () => {
      document.documentElement.dataset.theme = theme;
      for (const place of document.querySelectorAll("[data-lane]")) place.replaceChildren();
      lanes = null;
      drawOutlook();
      drawLanes();
    });
  }
  // The server's clock was set back: the time axis is another one.
  document.addEventListener("limen:turned", () => {
    for (const place of document.querySelectorAll("[data-lane]")) place.replaceChildren();
    lanes = null;
    draw();
  });
  // Whatever comes and goes above the page takes its room from the lanes, not from the rows of five.
  const above = new ResizeObserver(fit);
  for (const part of document.body.children) if (part.tagName !== "MAIN") above.observe(part);
  window.addEventListener("resize", fit);
  new MutationObserver(fit).observe(document.body, { attributes: true, attributeFilter: ["class"] });
})();
