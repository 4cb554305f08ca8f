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
  // When it began by the server's clock as that stands now: a clock that was set back moves the start too, so that ages
  // and time left stay right. What it was turned by since the state came is what the page itself has noticed.
  const began = (session) => Date.parse(session.started_at) - 1000 * (session.clock_offset_s || 0) - (limen.turnedMs() - (session.turned_ms || 0));
  const isoAt = (session, tS) => (tS === null || tS === undefined || !session.started_at ? "" : new Date(began(session) + tS * 1000).toISOString());
  const elapsed = (session) => (session.started_at ? (limen.now() - began(session)) / 1000 : 0);
  const clock = (session, tS) => limen.clockTime(began(session) + tS * 1000);
  const span = (seconds) => limen.span(seconds * 1000);
  const mg = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
  // A number that somebody signed or sets on a pump: one decimal, more where one would make it another number.
  const exact = (value) => (value === null || value === undefined ? "–" : Math.abs(value * 10 - Math.round(value * 10)) < 1e-6 ? value.toFixed(1) : String(Number(value.toFixed(3))));

  // What the pump has given by now, if nobody has touched it since the page heard last.
  function givenMg(session) {
    if (!session.rate_mg_per_h || session.phase !== "running") return session.given_mg;
    const until = Math.min(elapsed(session), session.expected_end_t_s ?? Infinity);
    const more = (session.rate_mg_per_h * Math.max(0, until - session.t_s)) / 3600;
    return session.dose_mg ? Math.min(session.given_mg + more, Math.max(session.dose_mg, session.given_mg)) : session.given_mg + more;
  }

  const seat = (session) => (/^\d+$/.test(session.chair) ? `Chair ${session.chair}` : session.chair);

  const distress = ["none", "mild", "moderate", "severe"];

  // How far ahead a picture looks: what is still to be given, and the first hour after it.
  const aheadMin = (session) => session.way.phases.reduce((sum, one) => sum + (one.kind === "recovery" ? Math.min(60, one.planned_min ?? 60) : one.planned_min ?? 0), 0);

  // Where the session stands, in words: a device that waits for the next is no recovery yet.
  const phase = (session) => session.way.words;

  // Where the present phase stands, as the clinic tells it from the plan: seconds gone, seconds planned.
  function progress(session) {
    const { from_t_s: from, planned_s: planned } = session.way;
    return { gone: elapsed(session) - (from ?? 0), planned: planned ?? 0 };
  }

  function dueWords(session, due) {
    if (due.label === "recheck") return "Cuff repeat";
    if (due.label === "dose") return due.what[0];
    if (due.label === "baseline") return "Baseline observation";
    if (due.label === "during") return `${Math.round((due.due_t_s - session.dose_start_t_s) / 60)}-minute observation`;
    if (due.label === "after") return `Observation ${Math.round((due.due_t_s - (session.dose_end_t_s ?? session.expected_end_t_s)) / 60)} min after the dose`;
    return `${due.label.replace(/ min$/, "-minute")} observation`;
  }

  // ---- vitals

  // What a sample says: null where it cannot be a reading of a living person (0, none, 127 or 511 of an oximeter), by
  // the range that the server judges it by.
  function reading(known, value) {
    const { low, high } = known ?? { low: 0, high: Infinity };
    return value !== null && value !== undefined && value > low && value <= high ? value : null;
  }

  function setVital(item, session, signal, words, prefix = "") {
    const known = session.signals[signal];
    item.dataset.staleS = known ? known.stale_s : 10;
    item.dataset.lostS = known ? known.lost_s : 30;
    const lead = recovering(session, signal) ? `recovering, ${prefix}` : prefix;
    item.dataset.prefix = known && known.cuff ? `${lead}cuff ` : lead;
    item.dataset.lostWord = known && known.no_value ? "no valid value" : "silent";
    const seen = known && known.value !== null ? known : null;
    limen.show(item, seen ? words ?? round(seen.value, seen.edges) : null, seen ? isoAt(session, seen.t_s) : "");
  }

  // Whole, unless that would put the value on the other side of a limit, or on it: limen.care.figures, in the browser.
  const side = (value, edge) => Math.sign(value - edge);
  function round(value, edges = []) {
    for (let places = 0; places <= 3; places += 1) {
      const text = value.toFixed(places);
      if (edges.every((edge) => side(Number(text), edge) === side(value, edge))) return text;
    }
    return String(value);
  }

  // The cuff: both numbers of one reading, never one of each.
  function setPressure(item, session, prefix = "") {
    const { NIBP_SYS: high, NIBP_DIA: low } = session.signals;
    const whole = high && high.value !== null;
    const lower = whole && low && low.value !== null && Math.abs(low.t_s - high.t_s) < 5 ? round(low.value, low.edges) : "–";
    setVital(item, session, "NIBP_SYS", whole ? `${round(high.value, high.edges)}/${lower}` : null, prefix);
  }

  // What a person scored, with the time since; old after one visit missed, lost after two.
  function setScore(item, session, name) {
    const known = session.scores[name];
    item.dataset.staleS = known.stale_s;
    item.dataset.lostS = known.lost_s;
    item.dataset.prefix = "";
    item.dataset.unknown = "not seen";
    item.dataset.lostWord = "not seen for";
    limen.show(item, known.value, known.value === null ? "" : isoAt(session, known.t_s));
  }

  // Whether the value behind a standing alarm is within its limit again: the alarm ends once it has held for a while.
  // Only a limit with a side can be judged here: a value outside its forecast may be on either.
  function isBack(session, alarm) {
    const known = session.signals[alarm.signal];
    if (alarm.kind !== "physiological" || alarm.limit === null || !known || known.value === null || known.t_s <= alarm.measured_t_s) return false;
    if (alarm.condition.endsWith(" low")) return known.value > alarm.limit;
    return alarm.condition.endsWith(" high") && known.value < alarm.limit;
  }

  // A number that looks normal in an alarm's colour says why.
  function recovering(session, signal) {
    const also = signal === "NIBP_SYS" ? [signal, "NIBP_DIA", "NIBP_MEAN"] : [signal];
    const mine = session.alarms.filter((alarm) => also.includes(alarm.signal) && alarm.kind === "physiological");
    return mine.length > 0 && mine.every((alarm) => isBack(session, alarm));
  }

  // The worst standing alarm on a signal colours its number.
  function colour(item, alarms, signals) {
    const blind = document.body.classList.contains("is-blind");
    const mine = (blind ? [] : alarms).filter((alarm) => signals.includes(alarm.signal) && alarm.kind === "physiological");
    const worst = ["high", "medium", "low"].find((priority) => mine.some((alarm) => alarm.priority === priority));
    for (const priority of ["high", "medium", "low"]) item.classList.toggle(`vital--alarm-${priority}`, priority === worst);
    const seen = mine.length > 0 && mine.every((alarm) => alarm.acknowledged_t_s !== null);
    item.classList.toggle("vital--seen", seen);
  }

  // ---- alarms: one line for each condition; what one silent device makes old stands in one line, named one by one

  const lines = new Map();
  const order = { high: 0, medium: 1, low: 2 };
  const silent = { "TEC-STALE": "old", "TEC-LOST": "silent" };
  // A sensor that sends and has no value is not silent; the condition's name tells which.
  const quiet = (alarm) => (silent[alarm.rule] && alarm.condition.endsWith("no valid value") ? "no valid value" : silent[alarm.rule]);

  function grouped(entries) {
    const found = new Map();
    for (const { session, alarm } of entries) {
      const word = quiet(alarm);
      const id = session.session + (word ? `${alarm.rule}${word}${alarm.acknowledged_t_s !== null}` : alarm.id);
      if (!found.has(id)) found.set(id, { id, session, alarms: [], word });
      found.get(id).alarms.push(alarm);
    }
    return [...found.values()].sort((a, b) => rank(a) - rank(b) || a.alarms[0].t_s - b.alarms[0].t_s);
  }

  // What nobody has seen stands before what somebody has.
  const rank = ({ alarms: [alarm] }) => order[alarm.priority] + (alarm.acknowledged_t_s !== null ? 3 : 0);

  function rail(place, entries, open, most = 8) {
    const groups = grouped(entries);
    const shown = groups.slice(0, groups.length > most ? most - 1 : most);
    const folded = more(place, groups.slice(shown.length));
    const wanted = new Set(groups.map((group) => group.id));
    for (const [id, known] of lines) {
      if (wanted.has(id)) continue;
      known.node.remove();
      lines.delete(id);
    }
    const crowded = shown.length > 2;
    groups.forEach((group, nth) => {
      const [home, index] = nth < shown.length ? [place, nth] : [folded, nth - shown.length];
      const same = lines.get(group.id);
      if (same && same.count !== group.alarms.length) {
        same.node.remove();
        lines.delete(group.id);
      }
      if (!lines.has(group.id)) lines.set(group.id, line(group, open));
      const known = lines.get(group.id);
      known.group = group;
      update(known, crowded && nth < shown.length ? shared(shown, nth) : "");
      if (home.children[index] !== known.node) home.insertBefore(known.node, home.children[index] || null);
    });
    document.body.classList.toggle("is-crowded", crowded);
    document.body.classList.toggle("is-alarmed", groups.length > 1);
    document.body.classList.toggle("has-alarm", groups.length > 0);
  }

  // In a crowded rail who is called stands once, in the first line it is about, with how many it is about.
  function shared(shown, nth) {
    const unseen = shown.filter(({ alarms: [alarm] }) => alarm.acknowledged_t_s === null);
    const text = called(shown[nth].alarms[0]);
    const same = unseen.filter(({ session, alarms: [alarm] }) => session === shown[nth].session && called(alarm) === text);
    if (!text || same.length < 2 || shown[nth].alarms[0].acknowledged_t_s !== null) return "";
    return same[0] === shown[nth] ? text.replace(/\.$/, ` (for ${same.length} alarms).`) : " ";
  }

  // What has no room stands folded below, each line with its own answer.
  function more(place, rest) {
    let box = place.querySelector(".more");
    if (!rest.length) {
      box?.remove();
      return null;
    }
    if (!box) {
      box = el("details", { class: "more" }, el("summary", {}), el("div", { class: "rail" }));
      place.append(box);
    }
    const said = rest.map(({ session, alarms: [alarm] }) => `${seat(session)} ${alarm.priority}: ${alarm.because.split(/[,;] /)[0]}${alarm.acknowledged_t_s === null ? "" : " (seen)"}`);
    const named = 4;
    const others = ["high", "medium", "low"].map((priority) => [rest.slice(named).filter(({ alarms: [alarm] }) => alarm.priority === priority).length, priority]).filter(([count]) => count);
    const text = `${rest.length} more. ${said.slice(0, named).join(". ")}${others.length ? `. And ${others.map(([count, priority]) => `${count} ${priority}`).join(", ")}` : ""}`;
    const summary = box.querySelector("summary");
    if (summary.textContent !== text) summary.textContent = text;
    return box.querySelector(".rail");
  }

  function line(group, open) {
    const [alarm] = group.alarms;
    const bang = el("span", { class: "bang", "aria-hidden": "true" }, bangs[alarm.priority]);
    const seen = el("button", { class: "press press--main", type: "button" }, "Seen, I am going");
    const [forS, by] = [el("span", { "aria-hidden": "true" }), el("span")];
    const [head, ...rest] = group.word ? [`${names(group)} ${group.word}`] : alarm.because.split("; ");
    const what = el("span", { class: "what" }, el("b", {}, head), " ", forS, rest.length ? `. ${capital(rest.join("; "))}. ` : ". ", by);
    const node = el(
      "div",
      { class: `alarm alarm--${alarm.priority}`, role: alarm.priority === "low" ? "status" : "alert" },
      el("span", { class: "pri" }, bang, alarm.priority.toUpperCase(), el("span", {}, seat(group.session))),
      what,
      may.has("alarm:acknowledge") ? seen : null,
      open ? el("a", { class: "press", href: open(group.session) }, "Open") : null,
    );
    const known = { node, group, bang, seen, forS, by, count: group.alarms.length };
    seen.addEventListener("click", () => answer(known));
    return known;
  }

  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
  const names = ({ session, alarms }) => alarms.map((alarm) => session.signals[alarm.signal]?.title || alarm.signal).join(", ");

  // One answer for each condition of the line, so that the record says which were seen.
  async function answer(known) {
    const { seen, group } = known;
    seen.disabled = true;
    seen.textContent = "Seen, being sent";
    const url = `/live/session/${group.session.session}/act`;
    const answers = await Promise.all(group.alarms.map((alarm) => limen.act(url, "alarm.acknowledged", { alarm: alarm.id })));
    if (answers.some((one) => one.kept)) seen.textContent = "Seen, kept here, not sent yet";
    if (answers.some((one) => one.error)) {
      seen.disabled = false;
      seen.textContent = "Seen, I am going";
    }
  }

  function update({ node, group, bang, seen, forS, by }, instead) {
    const { session, alarms } = group;
    const [alarm] = alarms;
    const now = elapsed(session);
    const heard = Math.max(...alarms.map((one) => session.signals[one.signal]?.t_s ?? 0));
    const back = alarms.every((one) => isBack(session, one));
    forS.textContent = group.word ? `for ${span(now - heard)}` : `for ${span(Math.max(0, now - alarm.t_s))}${back ? `, now ${round(session.signals[alarm.signal].value, session.signals[alarm.signal].edges)}, within the limit: ends when that holds` : ""}`;
    const acknowledged = alarm.acknowledged_t_s !== null;
    node.classList.toggle("alarm--seen", acknowledged);
    bang.classList.toggle("flash-high", !acknowledged && alarm.priority === "high");
    bang.classList.toggle("flash-medium", !acknowledged && alarm.priority === "medium");
    seen.hidden = acknowledged;
    if (!acknowledged) by.textContent = instead || called(alarm);
    else {
      const sound = alarm.silent_until_t_s !== null && alarm.silent_until_t_s > now ? `, sound back in ${span(alarm.silent_until_t_s - now)}` : "";
      by.textContent = `Seen by ${alarm.acknowledged_by} ${span(now - alarm.acknowledged_t_s)} ago${sound}.`;
    }
  }

  // The next dose at once of the signed plan, in its order: an injection, a device, a tablet.
  function nextDose(session) {
    const steps = session.steps.filter((step) => step.kind !== "infusion");
    const place = session.state.dose.doses.length;
    return place < steps.length ? { ...steps[place], place, of: steps.length } : null;
  }

  function doseWords(session, next) {
    const what = { device: next.of > 1 ? `, device ${next.place + 1} of ${next.of}` : ", one device", oral: ", taken", bolus: next.volume_mL ? `, ${exact(next.volume_mL)} mL` : "" }[next.kind] ?? "";
    const due = session.way.marks[next.place]?.due_t_s ?? null; // the same time as in the list of steps and on the board
    return `Given: ${exact(next.dose_mg)} mg${what}${due === null ? "" : `, from ${clock(session, due).slice(0, 5)}`}`;
  }

  // Who was called beside the owner, and what became of it.
  function called(alarm) {
    const people = new Map();
    for (const call of alarm.calls || []) people.set(call.who, { ...people.get(call.who), [call.kind]: call.t_s, step: call.step });
    const said = [];
    for (const [who, call] of people) {
      if (call.nobody !== undefined) said.push("Nobody called has a screen that shows it: call out.");
      else if (call.accepted !== undefined) said.push(`${who} is going.`);
      else if (call.step > 0) said.push(`${who} called, ${call.delivered !== undefined ? "shown" : "not shown yet"}.`);
    }
    return said.join(" ");
  }

  // Priorities that may be heard now.
  function sounding(entries) {
    limen.hold(entries);
    return entries
      .filter(({ alarm, session }) => alarm.silent_until_t_s === null || alarm.silent_until_t_s <= elapsed(session))
      .map(({ alarm }) => alarm.priority);
  }

  Object.assign(limen, {
    el, may, began, isoAt, elapsed, clock, words: { span, mg, exact, phase, dueWords, round, seat, distress }, givenMg, progress, aheadMin, reading, setVital, setPressure, setScore, colour, rail, sounding, nextDose, doseWords,
  });
})();
