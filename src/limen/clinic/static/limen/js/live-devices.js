"use strict";
// What the numbers of a chair rest on: the devices and their clocks, the pump's own volume, the server's clock. All is
// told in one place of the right side; what is in doubt stands above the numbers, in words. Read only: nothing here
// sets a pump or a device.
//   Limen.devices(session)   after every state      Limen.deviceSamples(message)   after every message of samples
(() => {
  const limen = window.Limen;
  const { el, words } = limen;
  const find = (selector) => document.querySelector(selector);
  const silentS = 30; // the floor under "lost" of every continuous signal; a pump's own period is not known
  const recentS = 900; // how long a turned clock stands above the numbers; below it stays
  const lostBefore = new Map(); // values that a gateway had dropped before this page opened
  let session = null;
  let newestPumpS = -Infinity; // when the pump was heard on the live line

  const mL = (value) => `${value.toFixed(1)} mL`;
  const off = (seconds) => (Math.abs(seconds) < 60 ? `${Math.abs(seconds).toFixed(1)} s` : words.span(Math.abs(seconds)));
  const side = (seconds) => (seconds > 0 ? "ahead of" : "behind");
  const about = (seconds) => (seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`);
  const ago = (tS) => words.span(Math.max(0, limen.elapsed(session) - tS));

  // ---- the server's own clock

  // The newest word of the monitor that it found the clock turned.
  function turned() {
    const notes = session.log.filter((event) => event.kind === "monitor.started" && /clock was set back/.test(event.note || ""));
    return notes.length ? notes[0].t_s : null; // newest first
  }

  const backWords = () => `The server’s clock was set back by ${about(session.clock_offset_s)} in this session`;
  const rightWords = "Ages and time left stay right, nothing is lost. Times on paper or on a device may differ from the clock above.";

  // ---- devices

  // The newest word of a device: a signal of its own on the live line, or what the state says.
  function heardAt(device) {
    const seen = device.signals.map((signal) => session.signals[signal]?.t_s ?? null);
    const pump = device.kind === "pump" ? [newestPumpS] : [];
    const known = [device.heard_t_s, ...seen, ...pump].filter((tS) => Number.isFinite(tS));
    return known.length ? Math.max(...known) : null;
  }

  function clockWords(device) {
    if (device.clock_skew_s === null) return el("span", { class: "unknown" }, "clock not known: it sends no time of its own");
    const asServer = session.clock_offset_s > 0 && Math.abs(device.clock_skew_s - session.clock_offset_s) < device.clock_skew_limit_s;
    const checked = device.clock_checked_at ? `, compared ${limen.clockTime(Date.parse(device.clock_checked_at))}` : "";
    const said = `clock ${off(device.clock_skew_s)} ${side(device.clock_skew_s)} the server’s`;
    if (!device.clock_wrong) return el("span", {}, `${said}${checked}`);
    return el("span", {}, el("b", {}, said), `, over the ${device.clock_skew_limit_s} s allowed${checked}${asServer ? "; as much as the server’s clock was set back" : ""}`);
  }

  function row(device) {
    const heard = el("b", { class: "age", "data-heard": device.device });
    const parts = [el("p", {}, el("b", {}, device.label), device.label === device.device ? "" : ` (${device.device})`, `, ${device.kind} `, heard), el("p", {}, clockWords(device))];
    if (device.doubt === "patient") parts.push(el("p", {}, el("b", {}, "Whose values these are is in doubt. "), "They are kept aside."));
    if (device.held) parts.push(el("p", {}, `${device.held} of its values were never charted, the last ${limen.clockTime(Date.parse(device.held_at))}: ${device.held_why}`));
    if (device.lost) parts.push(el("p", {}, `${device.lost} of its values, of any session, were lost before they reached the clinic.`));
    return el("li", { class: device.doubt ? "in-doubt" : null }, ...parts);
  }

  // ---- the pump: what it says itself, beside what the record and the order say

  function pumpWords() {
    const { now } = session.pump;
    if (now.agrees === null) return now.volume_mL === null ? "its volume was never read" : "nothing to hold it against yet";
    const difference = `${mL(Math.abs(now.difference_mL))} ${now.difference_mL < 0 ? "less" : "more"}`;
    if (now.agrees) return `agrees with the record (${mL(now.expected_mL)}, allowed ±${mL(now.allowed_mL)})`;
    return `${difference} than the record (${mL(now.expected_mL)}) since ${limen.clock(session, now.since_t_s).slice(0, 5)}`;
  }

  // The order counts once nothing runs any more: half an order is no difference while the other half is to come.
  function pumpRows() {
    const after = ["stopped", "recovery", "discharged", "ended"].includes(session.phase);
    return session.pump.rows.filter((one) => one.agrees !== null && (after ? one.what !== "recorded" : one.what === "drawn up"));
  }

  function pumpPart() {
    if (!session.pump) return null;
    const rows = pumpRows().map((one) => el("p", {}, one.agrees ? "" : el("b", {}, "Differs. "), one.said.replace(", DIFFERS", "")));
    const notes = session.pump.pump.notes.map((note) => el("p", {}, note));
    return el("li", {}, el("p", {}, el("b", {}, "Pump "), el("span", { "data-pump-read": "" }), `, ${pumpWords()}`), ...rows, ...notes, el("p", { class: "quiet" }, "Read only: Limen never sets a pump."));
  }

  // ---- what is in doubt, above the numbers

  function doubts() {
    const found = [];
    const seat = find("[data-doubts]").dataset.seat;
    for (const device of session.devices) {
      if (device.doubt === "patient") found.push({ id: `patient ${device.device}`, head: `Whose values does ${device.label} send? `, said: `Its messages name another patient, session or device than it was put on. They are kept aside, not charted. Look which patient it is on.`, href: seat });
      if (device.doubt === "clock") found.push({ id: `clock ${device.device} ${Math.round(device.clock_skew_s)}`, head: `The clock of ${device.label} is ${off(device.clock_skew_s)} ${side(device.clock_skew_s)} the server’s. `, said: "Ages here do not come from it and stay right. Copy no time off that device." });
      const lost = device.lost - lostBefore.get(device.device);
      if (lost) found.push({ id: `lost ${device.device} ${lost}`, head: `${lost} values of ${device.label} were lost `, said: "on their way, while this page was open: the trace has gaps there." });
    }
    if (session.pump?.now.agrees === false) found.push({ id: `pump ${session.pump.now.difference_mL}`, head: `Pump: ${mL(session.pump.now.volume_mL)} given, ${pumpWords()}. `, said: "Read the pump itself, then write down what it shows." });
    const at = turned();
    if (session.clock_offset_s > 0 && (at === null || limen.elapsed(session) - at < recentS)) found.push({ id: `turned ${Math.round(session.clock_offset_s)}`, head: `${backWords()}. `, said: rightWords });
    return found;
  }

  let shown = "";

  function drawDoubts() {
    const place = find("[data-doubts]");
    const found = doubts();
    const wanted = JSON.stringify(found);
    if (wanted === shown) return; // read out once
    shown = wanted;
    place.replaceChildren(...found.map(({ head, said, href }) => el("p", { class: "doubt", role: "status" }, el("b", {}, head), said, href ? " " : null, href ? el("a", { href }, "To the devices of this chair") : null)));
    window.dispatchEvent(new Event("resize")); // the lanes make room
  }

  function devices(state) {
    session = state;
    for (const device of session.devices) if (!lostBefore.has(device.device)) lostBefore.set(device.device, device.lost);
    const part = find("[data-devices]");
    part.hidden = session.started_at === null;
    drawDoubts();
    if (part.hidden) return;
    const rows = [...session.devices.map(row), pumpPart(), session.clock_offset_s > 0 ? el("li", {}, el("p", {}, el("b", {}, `${backWords()}. `), rightWords)) : null].filter(Boolean);
    if (!session.devices.length) rows.unshift(el("li", { class: "in-doubt" }, el("b", {}, "No device is on this patient.")));
    find("[data-devices-list]").replaceChildren(...rows);
    tick();
  }

  function deviceSamples(message) {
    for (const [signal, tS, value] of message.values) {
      if (signal === "PUMP_VOLUME" && value !== null) newestPumpS = Math.max(newestPumpS, tS);
    }
  }

  // ---- what moves by itself: ages

  function tick() {
    if (!session || session.started_at === null) return;
    const now = limen.elapsed(session);
    let silent = 0;
    for (const device of session.devices) {
      const at = heardAt(device);
      const old = at === null || now - at > silentS;
      if (old) silent += 1;
      const place = find(`[data-heard="${CSS.escape(device.device)}"]`);
      if (!place) continue;
      place.textContent = at === null ? "never heard in this session" : old ? `silent ${ago(at)}` : `heard ${Math.floor(Math.max(0, now - at))} s ago`;
      place.closest("li").classList.toggle("is-silent", old);
    }
    const doubted = session.devices.filter((device) => device.doubt).length;
    const differs = session.pump?.now.agrees === false;
    const parts = [session.devices.length === 0 ? "none on this patient" : `${session.devices.length} on this patient`, silent ? `${silent} silent` : "", doubted ? `${doubted} in doubt` : "", differs ? "pump differs" : ""].filter(Boolean);
    find("[data-devices-said]").textContent = parts.join(", ");
    tellVolume(now);
  }

  // The volume with the time it was read, and apart from it whether the pump is still heard.
  function tellVolume(now) {
    const line = find("[data-pump-said]");
    line.hidden = !session.pump;
    if (!session.pump) return;
    const { volume_mL: volume, read_t_s: readAt } = session.pump.pump;
    const heard = Math.max(readAt ?? -Infinity, newestPumpS);
    const old = now - heard > silentS;
    const value = volume === null ? "no volume read yet" : `${mL(volume)} at ${limen.clock(session, readAt)}`;
    line.classList.toggle("is-silent", old);
    line.replaceChildren(el("b", {}, "Pump "), old && volume !== null ? `silent ${ago(heard)}, was ${value}` : `${value}; ${pumpWords()}`);
    find("[data-pump-read]")?.replaceChildren(value);
  }

  window.setInterval(tick, 1000);
  Object.assign(limen, { devices, deviceSamples });
})();
