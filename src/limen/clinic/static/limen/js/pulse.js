"use strict";
// Pages without a live stream still ask, every few seconds, whether the server answers and the monitor watches.
(() => {
  const body = document.body;
  const address = body.dataset.pulseUrl;
  if (!address) return;
  const every = 4000;
  const limit = Number(body.dataset.silentS || 10);

  async function ask() {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(every) });
      const said = answer.ok ? await answer.json() : {};
      if (said.status === "ok" && typeof said.monitor_age_s === "number" && said.monitor_age_s > -2 && said.monitor_age_s < limit) window.Limen.heard();
    } catch {
      // no answer is the answer: the timer in the page shows NOT MONITORED
    }
  }

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  window.setInterval(ask, every);
  ask();
})();
