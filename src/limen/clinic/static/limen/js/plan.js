"use strict";
// A forecast and a signature belong to one dose. Once a field differs from what the picture was drawn for, the picture
// says so and cannot be signed.
(() => {
  const ask = document.querySelector("form[data-ask]");
  if (!ask) return;
  const note = document.querySelector("[data-outdated]");
  const picture = document.querySelector("[data-picture]");
  const sign = document.querySelectorAll("[data-sign] button");

  function differs() {
    return [...ask.elements].some((field) => field.hasAttribute("data-drawn") && field.value.trim() !== field.dataset.drawn);
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
