"use strict";
// A page of the room that could not load one of its scripts or styles says NOT MONITORED, or looks wrong, and stays so:
// it is loaded anew, now and again, until it is whole. Stands first of all scripts. Taps are kept in the tab meanwhile.
(() => {
  if (!document.body.classList.contains("room")) return; // a page that answers a form must not send it again
  const name = "limen.loaded-anew";
  const everyMs = 10000;
  let again = false;

  function reload() {
    if (again) return;
    again = true;
    const sinceMs = Date.now() - Number(window.sessionStorage.getItem(name) || 0);
    const waitMs = sinceMs >= 0 && sinceMs < everyMs ? everyMs - sinceMs : 1000;
    window.setTimeout(() => {
      window.sessionStorage.setItem(name, String(Date.now()));
      window.location.reload();
    }, waitMs);
  }

  // A script that fails to load tells it without bubbling; a style has told it before this is here.
  window.addEventListener("error", ({ target }) => target instanceof HTMLScriptElement && reload(), true);
  window.addEventListener("load", () => {
    const failed = ({ name, responseStatus }) => name.endsWith(".css") && (responseStatus === 0 || responseStatus >= 400);
    if (performance.getEntriesByType("resource").some(failed)) reload();
  });
})();
