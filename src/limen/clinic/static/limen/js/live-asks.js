"use strict";
// Who waits for a person: a patient who calls, and a chair that is offered. Lines in ink above the alarms; a call also
// sounds, with two tones that no alarm uses.
//   Limen.asks(place, sessions, open)
(() => {
  const limen = window.Limen;
  const { el, may, words } = limen;
  const me = document.body.dataset.person;
  const lines = new Map();

  const url = (session) => `/live/session/${session.session}/act`;
  const whose = (session) => `${session.patient.given_name} ${session.patient.family_name.slice(0, 1)}.`;
  const record = () => may.has("session:record");

  function wanted(sessions) {
    const found = [];
    for (const session of sessions) {
      if (session.call) found.push({ id: `${session.session} call`, kind: "call", session });
      if (session.offer && session.offered_to_id === me) found.push({ id: `${session.session} offered ${session.offer.t_s}`, kind: "offered", session });
      else if (session.offer && session.owner_id === me) found.push({ id: `${session.session} mine ${session.offer.t_s}`, kind: "mine", session });
    }
    return found;
  }

  function deed(session, label, kind, data, main) {
    const button = el("button", { class: `press press--glove${main ? " press--main" : ""}`, type: "button" }, label);
    button.addEventListener("click", async () => {
      button.disabled = true;
      const answer = await limen.act(url(session), kind, data);
      if (answer.kept) button.textContent = "Kept here, not sent yet";
      else if (answer.error) {
        button.disabled = false;
        button.textContent = `${label}: ${answer.error.what || answer.error}`;
      } else document.dispatchEvent(new Event("limen:done"));
    });
    return button;
  }

  const where = (session, open) => (open ? el("a", { class: "press", href: open(session) }, "Open") : null);

  function make({ kind, session }, open) {
    const span = el("span", { class: "so" });
    const seat = words.seat(session);
    if (kind === "call") {
      return { span, node: el("div", { class: "asking asking--call", role: "alert" }, el("b", { class: "ask-mark" }, "CALL"), el("span", { class: "what" }, el("b", {}, `${seat}, ${whose(session)} asks you to come`), " ", span), record() ? deed(session, "I am going", "call.answered", {}, true) : null, where(session, open)) };
    }
    if (kind === "offered") {
      return { span, node: el("div", { class: "asking", role: "alert" }, el("b", { class: "ask-mark" }, "HAND-OVER"), el("span", { class: "what" }, el("b", {}, `${session.offer.by} offers you ${seat}, ${whose(session)}`), " ", span), deed(session, `Take ${seat}`, "owner.changed", {}, true), deed(session, "Not now", "owner.declined", {}), where(session, open)) };
    }
    return { span, node: el("div", { class: "asking", role: "status" }, el("b", { class: "ask-mark" }, "HAND-OVER"), el("span", { class: "what" }, el("b", {}, `${seat} is offered to ${session.offer.to}`), " ", span), deed(session, "Take the offer back", "owner.declined", { reason: "offer taken back" })) };
  }

  // What the next person needs to know before saying yes.
  function report(session) {
    const standing = session.alarms.length;
    const due = session.due_soon[0];
    const left = due ? due.due_t_s - limen.elapsed(session) : null;
    const { gone, planned } = limen.progress(session);
    return [
      `${words.phase(session)} ${words.span(Math.max(0, gone))}${planned ? ` of ${words.span(planned)}` : ""}`,
      `${words.mg(limen.givenMg(session))} of ${words.exact(session.dose_mg)} mg given`,
      standing ? `${standing} alarm${standing > 1 ? "s" : ""} standing` : "no alarm",
      left === null ? "nothing due soon" : left < 0 ? `${words.dueWords(session, due)} late ${words.span(-left)}` : `${words.dueWords(session, due)} in ${words.span(left)}`,
    ].join("; ");
  }

  function say({ kind, session }) {
    const now = limen.elapsed(session);
    if (kind === "call") return `${words.span(now - session.call.t_s)}${session.call.times > 1 ? `, pressed ${session.call.times} times` : ""}`;
    if (kind === "offered") return `${report(session)}. Until you take it, ${session.offer.by} is in charge`;
    return `${words.span(now - session.offer.t_s)} ago, not accepted yet. You are in charge`;
  }

  function asks(place, sessions, open) {
    limen.passed(sessions);
    const found = wanted(sessions);
    const ids = new Set(found.map(({ id }) => id));
    for (const [id, line] of lines) {
      if (ids.has(id)) continue;
      line.node.remove();
      lines.delete(id);
    }
    found.forEach((entry, index) => {
      const line = lines.get(entry.id) || make(entry, open);
      lines.set(entry.id, line);
      const text = say(entry);
      if (line.span.textContent !== text) line.span.textContent = text;
      if (place.children[index] !== line.node) place.insertBefore(line.node, place.children[index] || null);
    });
    document.body.classList.toggle("is-asked", found.length > 0);
    if (limen.chime) limen.chime(found.some(({ kind }) => kind === "call"));
  }

  Object.assign(limen, { asks });
})();
