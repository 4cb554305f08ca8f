"use strict";
// A forecast and a signature belong to one dose. Once a field differs from what the picture was drawn for, the picture
// says so and cannot be signed.
(() => {
  const ask = document.querySelector("form[data-ask]");
  if (!ask) return;
  const note = document.querySelector("[data-outdated]");
  const picture = document.querySelector("[data-picture]");
  const sign = document.querySelectorAll("[data-sign] button");

  // the page as it came shows what the picture was drawn for
  function changed(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value.trim() !== field.defaultValue.trim();
    const drawn = [...field.options].find((option) => option.defaultSelected) || field.options[0];
    return drawn !== undefined && field.value !== drawn.value;
  }

  function differs() {
    if (ask.hasAttribute("data-draft-bound")) return true;
    return [...ask.elements].some((field) => field.name && field.type !== "hidden" && changed(field));
  }

  function compare() {
    const outdated = differs();
    if (note) note.hidden = !outdated;
    if (picture) picture.classList.toggle("is-outdated", outdated);
    for (const button of sign) {
      if (outdated) button.setAttribute("disabled", "");
      else if (!button.hasAttribute("data-blocked")) button.removeAttribute("disabled");
    }
  }

  ask.addEventListener("input", compare);
  ask.addEventListener("change", compare);
  window.addEventListener("pageshow", compare);
  compare();
})();
