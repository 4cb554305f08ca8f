"use strict";
// Saying and asking in place: nothing covers a value. One deed is sent under one key; what can be undone offers it for
// ten seconds; a critical value is shown back before it counts.
//   Limen.send(kind, data, said) -> answer      Limen.ask(title, fields, deed, make)      Limen.confirm(values) -> values
(() => {
  const limen = window.Limen;
  const { el } = limen;
  const find = (selector) => document.querySelector(selector);
  const panel = find("[data-panel]");
  const bar = find("[data-undo-bar]");
  const back = find("[data-confirm]");
  const undoMs = 10000;
  const waitMs = 15000;
  const undone = new Set(["observation.recorded", "symptom.reported", "rescue.given", "adverse-event.recorded", "dose.given"]);
  let link = null;
  let undoTimer = 0;

  async function send(kind, data, said) {
    const answer = await limen.act(link.act, kind, data);
    if (answer.error) say(refusal(answer.error), true);
    else if (answer.kept) keep(answer.key, said);
    else {
      document.dispatchEvent(new Event("limen:done"));
      if (undone.has(kind)) offerUndo(answer.id, said);
    }
    return answer;
  }

  // What waits in this tab, until it is sent: then the same place says so.
  const kept = new Map();

  function keep(key, said) {
    kept.set(key, said);
    say(`${said}: kept here, sent when the clinic answers.`, true);
  }

  document.addEventListener("limen:sent", ({ detail: { deed, answer } }) => {
    const said = kept.get(deed.key);
    kept.delete(deed.key);
    if (said && !answer.error && panel.textContent.startsWith(`${said}: kept here`)) say(`${said}: sent now, with the time of your tap.`, true);
  });

  function refusal(error) {
    if (typeof error === "string") return `Refused: ${error}`;
    return `Refused: ${error.what}${error.allowed ? `. Allowed: ${error.allowed}` : ""}${error.hint ? `. ${error.hint}` : ""}`;
  }

  // ---- undo: the entry is stored; taking it back is an entry too

  function offerUndo(id, said) {
    window.clearTimeout(undoTimer);
    const button = el("button", { class: "press", type: "button" }, "Undo");
    const left = el("span", { class: "n", "aria-hidden": "true" }, "0:10");
    const until = performance.now() + undoMs;
    button.addEventListener("click", async () => {
      window.clearTimeout(undoTimer);
      button.disabled = true;
      const answer = await limen.act(link.act, "entry.corrected", { entry: id, undo: true });
      bar.replaceChildren(el("span", {}, answer.error ? refusal(answer.error) : answer.kept ? "Undo kept here, not sent yet." : `Taken back: ${said}. Both entries stay in the record.`));
      document.dispatchEvent(new Event("limen:done"));
      undoTimer = window.setTimeout(hideUndo, 6000);
    });
    bar.hidden = false;
    bar.replaceChildren(el("b", {}, `Saved: ${said}.`), button, left);
    const tick = () => {
      const rest = until - performance.now();
      if (!bar.contains(button) || button.disabled) return;
      left.textContent = limen.words.span(Math.max(0, rest) / 1000);
      if (rest <= 0) return hideUndo();
      undoTimer = window.setTimeout(tick, 250);
    };
    tick();
  }

  function hideUndo() {
    bar.hidden = true;
    bar.replaceChildren();
  }

  // ---- critical values

  const titles = { sbp_mmHg: ["Systolic", " mmHg"], dbp_mmHg: ["Diastolic", " mmHg"], hr_per_min: ["Heart", " /min"], rr_per_min: ["Breaths", " /min"], spo2_pct: ["SpO2", " %"], moaas: ["Sedation MOAA/S", ""] };

  function beyond(step, value) {
    if (step.inclusive && value === step.limit) return true;
    return step.side === "high" ? value > step.limit : value < step.limit;
  }

  // What each value is by the rules of this session: the gravest step it crosses.
  function graded(values) {
    const found = [];
    for (const [key, value] of Object.entries(values)) {
      const step = typeof value === "number" ? link.session().graded_by.find((one) => one.key === key && beyond(one, value)) : null;
      if (step) found.push({ key, value, step, level: step.level });
    }
    return found;
  }

  // Resolves with the values to save, or null where the person corrects them. Nobody answers: saved, and said to be
  // unconfirmed, for what was seen must not be lost.
  let asked = null; // the question that stands

  // A new tap or question answers the one that stands, as if it had been corrected: only what was meant last is saved.
  function unask() {
    asked?.(null, false);
  }

  function confirm(values) {
    unask();
    const critical = graded(values).filter(({ level }) => level === "critical");
    if (!critical.length) return Promise.resolve(values);
    const keys = critical.map(({ key }) => key);
    return new Promise((resolve) => {
      const left = el("span", { class: "n", "aria-hidden": "true" });
      const until = performance.now() + waitMs;
      const before = document.activeElement;
      const done = (answer, refocus = true) => {
        asked = null;
        window.clearInterval(timer);
        back.removeEventListener("keydown", keys_);
        back.hidden = true;
        back.replaceChildren();
        if (refocus && before?.isConnected) before.focus({ preventScroll: true });
        resolve(answer);
      };
      // A question that must be answered keeps the keyboard: Tab goes round, Escape is "Correct it".
      const keys_ = (event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          done(null);
        }
        if (event.key !== "Tab") return;
        const all = [...back.querySelectorAll("button")];
        const next = all[(all.indexOf(document.activeElement) + (event.shiftKey ? all.length - 1 : 1)) % all.length];
        event.preventDefault();
        next.focus();
      };
      back.addEventListener("keydown", keys_);
      asked = done;
      const timer = window.setInterval(() => {
        const rest = until - performance.now();
        left.textContent = `Saved as not confirmed in ${limen.words.span(Math.max(0, rest) / 1000)}`;
        if (rest <= 0) done({ ...values, unconfirmed: keys });
      }, 250);
      const yes = el("button", { class: "press press--main press--glove", type: "button", onclick: () => done({ ...values, confirmed: keys }) }, "Yes, that is what I saw");
      const lines = critical.map(({ key, value, step }) => el("p", {}, el("strong", {}, `${titles[key][0]} ${value}${titles[key][1]}`), ` ${step.rule}, limit ${step.limit}. ${step.do}.`));
      back.replaceChildren(el("h3", { id: "confirm-title" }, "Is this right?"), ...lines, el("p", { class: "acts" }, yes, el("button", { class: "press press--glove", type: "button", onclick: () => done(null) }, "Correct it"), left));
      back.hidden = false;
      yes.focus({ preventScroll: true });
      back.scrollIntoView({ block: "nearest" });
    });
  }

  // ---- the panel

  const close = () => el("button", { class: "press", type: "button", onclick: shut }, "Close");

  function say(text, keep) {
    panel.hidden = false;
    panel.parentElement.classList.remove("is-asking"); // nothing is asked any more: the other buttons come back
    panel.replaceChildren(el("p", { role: "status" }, el("b", {}, text)), keep ? close() : "");
  }

  // Where the keyboard was before the form, to be given back; the buttons may have been drawn anew meanwhile.
  let opener = null;

  function remember() {
    const at = document.activeElement;
    if (at && at !== document.body && !panel.contains(at)) opener = { node: at, name: at.textContent };
  }

  function giveBack() {
    const inside = panel.contains(document.activeElement) || document.activeElement === document.body;
    const same = opener && (opener.node.isConnected ? opener.node : [...document.querySelectorAll("main button, .who button")].find((button) => button.textContent === opener.name));
    opener = null;
    return inside ? same ?? find("[data-buttons] button") : null;
  }

  function shut() {
    const back_ = giveBack();
    panel.hidden = true;
    panel.parentElement.classList.remove("is-asking");
    panel.replaceChildren();
    panel.parentElement.scrollTo?.({ top: 0 });
    back_?.focus({ preventScroll: true });
  }

  function showPanel(...children) {
    remember();
    panel.hidden = false;
    panel.parentElement.classList.add("is-asking");
    panel.replaceChildren(...children);
    panel.setAttribute("aria-label", panel.querySelector("h2")?.textContent ?? "Form");
    panel.querySelector("input, select, button")?.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  function ask(title, fields, deed, make, lead = []) {
    const form = el("form", { class: "ask" }, el("h2", {}, title), ...lead);
    for (const field of fields) form.append(control(field));
    form.append(el("p", { class: "acts" }, el("button", { class: "press press--main press--glove", type: "submit" }, deed), close()));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const [kind, data] = make(Object.fromEntries(new FormData(form)), form);
      const checked = kind === "observation.recorded" ? await confirm(data) : data.changes ? await changed(data) : data;
      if (checked === null) return;
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      const answer = await send(kind, checked, title);
      if (!answer.error && !answer.kept && panel.contains(form)) shut();
    });
    showPanel(form);
    return form;
  }

  async function changed(data) {
    const changes = await confirm(data.changes);
    return changes === null ? null : { ...data, changes };
  }

  function control([name, label, kind, choices, value, hint]) {
    if (kind === "choice") {
      const options = [el("option", { value: "" }, "choose"), ...choices.map(([key, text]) => el("option", { value: key }, text))];
      return el("p", { class: "field" }, el("label", { for: `ask-${name}` }, label), el("select", { id: `ask-${name}`, name }, ...options));
    }
    // Neither is chosen before somebody does: what was not asked is no "no".
    if (kind === "yes-no") {
      const sides = [["yes", "Yes"], ["no", "No"]].map(([key, word]) => el("label", { class: "choice" }, el("input", { type: "radio", name, value: key }), word));
      return el("fieldset", { class: "field" }, el("legend", {}, label), el("div", { class: "acts" }, ...sides));
    }
    const input = el("input", { id: `ask-${name}`, name, type: kind, step: kind === "number" ? "any" : null, autocomplete: "off", value: value ?? null, "aria-describedby": hint ? `ask-${name}-hint` : null });
    return el("p", { class: "field" }, el("label", { for: `ask-${name}` }, label), input, hint ? el("span", { class: "small quiet", id: `ask-${name}-hint` }, hint) : null);
  }

  const text = (value) => String(value || "").trim();
  const number = (value) => (text(value) === "" ? undefined : Number(value));
  const drop = (data) => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined && value !== ""));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) shut();
  });

  Object.assign(limen, {
    send, say, shut, showPanel, ask, close, confirm, unask, graded, refusal, titles, text, number, drop,
    openForms: (given) => {
      link = given;
    },
  });
})();
