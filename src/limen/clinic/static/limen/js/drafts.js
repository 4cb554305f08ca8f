"use strict";
// What is typed is kept in this tab until the server has it: over a time-out, a new sign-in, a lost network.
// form[data-draft-key="facts:vitals:patient-17"]: the key names the form and the object it is about, so nothing is ever
// filled in for another patient. Kept for this person only, in this tab only, and for one working day at most.
(() => {
  const person = document.body.dataset.person || "";
  const prefix = "limen.draft.";
  const oldest = 12 * 3600 * 1000;
  const kind = document.body.dataset.page || "";
  const store = window.sessionStorage;

  const name = (form) => `${prefix}${form.dataset.draftOwner || person}.${form.dataset.draftKey}`;
  const keys = () => Object.keys(store).filter((key) => key.startsWith(prefix));

  function read(key) {
    try {
      return JSON.parse(store.getItem(key));
    } catch {
      return null;
    }
  }

  const keepable = (field) => field.name && !["password", "file", "hidden", "submit", "button"].includes(field.type) && !field.hasAttribute("data-no-draft");

  function values(form) {
    const kept = {};
    for (const field of form.elements) {
      if (!keepable(field)) continue;
      const choice = field.type === "checkbox" || field.type === "radio";
      const id = choice ? `${field.name}=${field.value}` : field.name;
      if (choice ? field.checked !== field.defaultChecked : field.value !== initial(field)) kept[id] = choice ? field.checked : field.value;
    }
    return kept;
  }

  function initial(field) {
    if (field.tagName !== "SELECT") return field.defaultValue;
    const chosen = [...field.options].find((option) => option.defaultSelected) || field.options[0];
    return chosen ? chosen.value : "";
  }

  function keep(form) {
    const kept = values(form);
    if (Object.keys(kept).length === 0) store.removeItem(name(form));
    else store.setItem(name(form), JSON.stringify({ at: Date.now(), sent: false, values: kept }));
  }

  function restore(form, draft) {
    let filled = 0;
    for (const field of form.elements) {
      if (!keepable(field)) continue;
      const choice = field.type === "checkbox" || field.type === "radio";
      const id = choice ? `${field.name}=${field.value}` : field.name;
      if (!(id in draft.values)) continue;
      if (choice) field.checked = draft.values[id];
      else field.value = draft.values[id];
      filled += 1;
    }
    return filled;
  }

  function say(form, at) {
    const line = document.createElement("p");
    line.className = "draft";
    line.setAttribute("role", "status");
    const text = document.createElement("span");
    const time = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: document.documentElement.dataset.zone || "UTC" });
    text.textContent = `Kept from ${time}, not saved. Check it before you save.`;
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "press";
    drop.textContent = "Empty this form";
    drop.addEventListener("click", () => {
      store.removeItem(name(form));
      form.reset();
      line.remove();
      form.dispatchEvent(new Event("input", { bubbles: true }));
    });
    line.append(text, drop);
    form.prepend(line);
  }

  // The first of our pages after a send tells how it went. Only one that was reached from the form counts as "saved":
  // a sign-in, a problem, a form that came back, a way back or an address typed after a lost network do not.
  function arrived() {
    const [entry] = performance.getEntriesByType("navigation");
    return kind !== "sign-in" && kind !== "problem" && entry && entry.type === "navigate" && document.referrer !== "";
  }

  function sweep(forms) {
    const back = new Set(forms.filter((form) => form.hasAttribute("data-draft-bound")).map(name));
    for (const key of keys()) {
      const draft = read(key);
      if (!draft || Date.now() - draft.at > oldest) store.removeItem(key);
      else if (draft.sent && arrived() && !back.has(key)) store.removeItem(key);
      else if (draft.sent) store.setItem(key, JSON.stringify({ ...draft, sent: false }));
    }
  }

  const forms = [...document.querySelectorAll("form[data-draft-key]")];
  sweep(forms);
  for (const form of forms) {
    const draft = read(name(form));
    // a form that came back with faults carries what was typed already
    if (draft && !form.hasAttribute("data-draft-bound") && restore(form, draft) > 0) {
      say(form, draft.at);
      form.dispatchEvent(new Event("input", { bubbles: true }));
    }
    form.addEventListener("input", () => keep(form));
    form.addEventListener("change", () => keep(form));
    form.addEventListener("reset", () => window.setTimeout(() => keep(form)));
    form.addEventListener("submit", () => {
      keep(form);
      const kept = read(name(form));
      if (kept) store.setItem(name(form), JSON.stringify({ ...kept, sent: true }));
    });
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form[data-draft-key]");
    if (form && event.detail.successful) store.removeItem(name(form));
  });
})();
