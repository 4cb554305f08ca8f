"use strict";
// High alarms that came and went before anybody saw them: in view without a sound until somebody says "Seen".
//   Limen.passed(sessions)   every session of the page, each with its list of them
(() => {
  const limen = window.Limen;
  const place = document.querySelector("[data-passed]");
  const lines = new Map();
  const answered = new Set();

  function line(session, alarm) {
    const { el, clock, may } = limen;
    const where = place.closest("body").classList.contains("room--board") ? `${/^\d+$/.test(session.chair) ? `Chair ${session.chair}` : session.chair}: ` : "";
    const seen = el("button", { class: "press", type: "button" }, "Seen");
    seen.addEventListener("click", async () => {
      seen.disabled = true;
      const answer = await limen.act(`/live/session/${session.session}/act`, "alarm.acknowledged", { alarm: alarm.id });
      if (answer.error) seen.disabled = false;
      else answered.add(alarm.id);
    });
    const [what, ...rest] = alarm.because.split("; ");
    return el("p", {}, el("b", {}, `${where}passed, seen by nobody. `), `${what}, ${clock(session, alarm.t_s)} to ${clock(session, alarm.ended_t_s)}${rest.length ? `; ${rest.join("; ").split(". ")[0]}` : ""}. `, may.has("alarm:acknowledge") ? seen : "");
  }

  function passed(sessions) {
    if (!place) return;
    const wanted = new Map();
    for (const session of sessions) for (const alarm of session.passed || []) if (!answered.has(alarm.id)) wanted.set(`${session.session} ${alarm.id}`, [session, alarm]);
    for (const [id, node] of lines) {
      if (wanted.has(id)) continue;
      node.remove();
      lines.delete(id);
    }
    for (const [id, [session, alarm]] of wanted) {
      if (lines.has(id)) continue;
      lines.set(id, line(session, alarm));
      place.append(lines.get(id));
    }
  }

  Object.assign(limen, { passed });
})();
