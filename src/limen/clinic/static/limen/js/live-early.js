"use strict";
// Small changes that count together, beside the alarms: no colour, no sound, nothing that asks to be answered.
//   Limen.early(session)   draws what the clinic worked out: the points, what each value adds, what is missing and why
(() => {
  const limen = window.Limen;
  const { el } = limen;
  const box = document.querySelector("[data-early]");
  if (!box) return;
  const find = (name) => box.querySelector(`[data-early-${name}]`);
  const points = (count) => `${count} ${count === 1 ? "point" : "points"}`;

  function early(session) {
    const found = session.early;
    box.hidden = !found || !session.started_at;
    if (box.hidden) return;
    const calls = found.calls.map((call) => call.do);
    const lacking = found.missing.length ? `, ${found.missing.length} of 4 not known` : "";
    find("said").textContent = found.parts.length ? `${points(found.total_points)}${lacking}${calls.length ? `. ${calls.join(". ")}` : ""}` : "nothing known";
    box.classList.toggle("early--called", calls.length > 0);
    const parts = found.parts.map((part) => el("li", {}, `${part.title} ${part.said}: ${points(part.points)}`));
    const missing = found.missing.map((part) => el("li", { class: "quiet" }, `${part.title}: ${part.why}, not counted`));
    find("parts").replaceChildren(...parts, ...missing);
    const rule = found.calls.map((call) => `${call.title} (clinic rule, ${call.verification}). `).join("");
    find("basis").textContent = `${rule}As of ${limen.clock(session, found.t_s ?? 0)}. Bands of NEWS2 in part (${found.bands_verification}), without consciousness, temperature and oxygen: no NEWS2 total, and no alarm.`;
    const { beside } = found;
    find("beside").hidden = !beside;
    if (beside) find("beside").textContent = `Rise of pressure ${beside.said}${beside.at_peak ? `; most peak at ${beside.peak_min[0]} to ${beside.peak_min[1]} min, now` : ""} (${beside.rule}, ${beside.verification}).`;
  }

  Object.assign(limen, { early });
})();
