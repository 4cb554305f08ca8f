"use strict";
// Sums the rows of a trial of limits as they come in.
(() => {
  const sum = document.querySelector("[data-trial-sum]");
  if (!sum) return;
  document.body.addEventListener("htmx:afterSettle", () => {
    const rows = [...document.querySelectorAll("[data-trial]")];
    const total = (name) => rows.reduce((all, row) => all + Number(row.dataset[name]), 0);
    sum.textContent = `${rows.length} of ${sum.dataset.sessions} sessions tried: ${total("gained")} alarms gained, ${total("lost")} lost, ${total("missed")} events missed`;
  });
})();
