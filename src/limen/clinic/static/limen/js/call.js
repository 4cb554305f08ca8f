"use strict";
// The patient's page: a tap is sent at once and sent again until it is answered; the page says what staff know, and says
// so when it cannot reach them.
(() => {
  const form = document.querySelector("[data-call-form]");
  const said = document.querySelector("[data-call-said]");
  const line = document.querySelector("[data-call-line]");
  const calm = line.textContent;
  const every = 2000;
  let waiting = "";
  let failed = 0;

  const words = {
    called: () => "The staff have been told. Someone will come.",
    coming: (found) => `${found.by} is coming to you.`,
    ok: () => "Thank you. The staff know that you are OK.",
    waiting: () => "Your session has not begun yet. Until then, speak to the staff.",
    quiet: () => "Tap when you need someone.",
  };

  function draw(found) {
    const text = waiting === "come" ? "Telling the staff" : words[found.state]?.(found);
    if (!text) window.location.reload(); // the page has ended, or is another phone's
    else if (said.textContent !== text) said.textContent = text;
  }

  async function ask(url, options) {
    const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(4000), ...options });
    if (answer.status >= 500) throw new Error(String(answer.status));
    return answer.json();
  }

  async function look() {
    try {
      if (waiting) {
        const word = waiting;
        const body = new FormData(form);
        body.set("word", word);
        const found = await ask(window.location.href, { method: "POST", body });
        if (waiting === word) waiting = "";
        draw(found);
      } else draw(await ask(form.dataset.state));
      failed = 0;
    } catch {
      failed += 1;
    }
    const cut = failed > 1;
    line.toggleAttribute("data-cut", cut);
    line.textContent = cut ? "This phone does not reach the clinic. Call out or raise your hand." : calm;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    waiting = event.submitter.value;
    said.textContent = waiting === "come" ? "Telling the staff" : "Sending";
    look();
  });
  window.setInterval(look, every);
})();
