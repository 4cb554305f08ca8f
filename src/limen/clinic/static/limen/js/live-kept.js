"use strict";
// Keeps what is tapped until the server has it, and says what it keeps and what was refused.
//   Limen.act(url, kind, data)   one deed under one key; sent again until it is answered
//   Limen.signedIn()             a sign-in begins anew: the token of the old one went with it
(() => {
  const limen = window.Limen;
  const answerMs = 8000; // a cut line gives no answer at all, not even an error
  const person = document.body.dataset.person || "";
  const name = `limen.deeds.${person}`; // another person's taps are never sent under this one's name
  const read = () => JSON.parse(window.sessionStorage.getItem(name) || "[]");
  const write = (deeds) => window.sessionStorage.setItem(name, JSON.stringify(deeds));
  const waiting = new Map();
  let sending = false;

  const newKey = () => (window.crypto.randomUUID ? window.crypto.randomUUID() : `${Date.now()}-${Math.random()}`);

  // Resolves with the server's answer; {kept: true} when the line is down and the deed waits in this tab.
  function act(url, kind, data, key = newKey()) {
    write([...read(), { url, key, kind, data, at: Date.now() }]);
    return new Promise((resolve) => {
      waiting.set(key, resolve);
      send();
    });
  }

  async function send() {
    if (sending) return;
    sending = true;
    try {
      for (let [deed] = read(); deed; [deed] = read()) {
        const answer = await post(deed);
        say();
        if (answer === null) {
          for (const key of [...waiting.keys()]) settle(key, { kept: true, key, why });
          window.setTimeout(send, 2000);
          break;
        }
        write(read().filter((other) => other.key !== deed.key));
        const late = !waiting.has(deed.key); // it was kept, and its form is gone
        settle(deed.key, answer);
        if (answer.error && late) refuse(deed, answer.error);
        document.dispatchEvent(new CustomEvent("limen:sent", { detail: { deed, answer } }));
        if (answer.error) document.dispatchEvent(new CustomEvent("limen:refused", { detail: { deed, answer } }));
      }
    } finally {
      sending = false;
      say();
    }
  }

  function settle(key, answer) {
    const resolve = waiting.get(key);
    waiting.delete(key);
    if (resolve) resolve(answer);
  }

  // After a sign-in in another tab the token of this page is the old one's. The page itself, asked for anew, holds the
  // new one: taken only while the same person is signed in, for a tap never goes under another one's name.
  // Resolves with what hinders it, in words.
  const signOut = "you are signed out, sign in again";
  let renewedAt = -Infinity;
  let hindered = "";
  let others = false; // another person is signed in: asking on would keep that sign-in from idling out

  async function renew() {
    if (others || performance.now() - renewedAt < 10000) return hindered;
    renewedAt = performance.now();
    hindered = "this page is older than your sign-in: load it again, then it is sent";
    try {
      const answer = await fetch(window.location.pathname, { cache: "no-store", signal: AbortSignal.timeout(answerMs) });
      const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = body.querySelector("input[name=csrfmiddlewaretoken]");
      if (answer.redirected) hindered = signOut;
      others = answer.ok && !answer.redirected && body.dataset.person !== person;
      if (!answer.ok || answer.redirected || !token || others) return hindered;
      for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token.value;
      hindered = "";
    } catch {
      // what waits says that it waits
    }
    return hindered;
  }

  function signedIn() {
    others = false;
    renew();
  }

  // A page that listens asks at once whether it is still signed in.
  const look = () => document.dispatchEvent(new Event("limen:look"));

  async function post(deed, renewed = false) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    const body = JSON.stringify({ kind: deed.kind, key: deed.key, data: deed.data, late_s: (Date.now() - deed.at) / 1000 });
    try {
      const answer = await fetch(deed.url, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token ? token.value : "", "X-Limen-Person": person },
        body,
        signal: AbortSignal.timeout(answerMs),
      });
      why = "";
      if (answer.status === 401 || answer.redirected) {
        why = signOut;
        look();
        return null;
      }
      const plain = !(answer.headers.get("Content-Type") || "").includes("json"); // not the deed's own answer
      if (answer.status === 403 && plain) {
        look();
        const because = await renew();
        if (!because && !renewed) return post(deed, true);
        why = because;
        return null;
      }
      if (answer.status >= 500) {
        why = (await answer.json()).error?.what || "";
        return null;
      }
      const found = plain ? {} : await answer.json();
      return answer.ok && !plain ? found : { ...found, error: found.error || `refused (${answer.status})` };
    } catch {
      return null;
    }
  }

  let why = ""; // what the server said when it did not take a tap

  // What was kept and then refused: said until somebody has read it, also on the next page of this tab.
  const refusedName = `limen.refused.${person}`;
  const refused = () => JSON.parse(window.sessionStorage.getItem(refusedName) || "[]");

  function refuse({ kind, data, at }, error) {
    const values = Object.entries(data).filter(([, value]) => ["string", "number"].includes(typeof value) && String(value).length < 40);
    const what = [kind.replace(".", " ").replaceAll("-", " "), ...values.map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`)].join(", ");
    const because = typeof error === "string" ? error : [error.what, error.allowed && `allowed: ${error.allowed}`, error.hint].filter(Boolean).join(". ");
    const said = `Not taken, write it down again: ${what}, tapped ${limen.clockTime(limen.now() - (Date.now() - at))}: ${because}`;
    window.sessionStorage.setItem(refusedName, JSON.stringify([...refused(), said]));
  }

  function say() {
    const count = read().length;
    const because = count && why ? `: ${why}` : "";
    const waits = count ? [`${count === 1 ? "1 tap" : `${count} taps`} kept here, not sent yet${because}`] : [];
    const lost = refused();
    const said = [...waits, ...lost].join(". ");
    for (const place of document.querySelectorAll("[data-kept]")) {
      place.hidden = !said;
      if (place.dataset.said === said) continue; // read out once, and a button under the finger stays
      place.dataset.said = said;
      place.replaceChildren(said, ...(lost.length ? [" ", readButton()] : []));
    }
  }

  function readButton() {
    const button = document.createElement("button");
    button.className = "press";
    button.type = "button";
    button.textContent = "Read";
    button.addEventListener("click", () => {
      window.sessionStorage.removeItem(refusedName);
      say();
    });
    return button;
  }

  window.setInterval(() => {
    if (read().length) send();
  }, 5000);
  say();
  Object.assign(limen, { act, newKey, renew, signedIn, answerMs });
})();
