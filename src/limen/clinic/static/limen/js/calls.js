"use strict";
// Every page of the clinic can be called: it says that it is there, shows what this person is called to, and tells the
// server that it has shown it. A call is a line under the bar; "I am going" answers the call, never the alarm.
(() => {
  const place = document.querySelector("[data-calls]");
  if (!place) return;
  const limen = window.Limen;
  const every = 3000;
  const marks = { high: "!!!", medium: "!!", low: "!" };
  const page = document.body.dataset.page || "desk";
  const title = document.title;
  const seen = new Map(); // calls that this page shows now; each is told to the server once it is drawn
  const lines = new Map(); // what is drawn, by call and whether it was accepted
  let told = new Set();
  let asking = false;

  const id = (call) => `${call.session} ${call.alarm}`;

  // Emergencies that this page shows in full.
  const emergencies = () => (document.visibilityState === "visible" && limen.emergencyShown ? limen.emergencyShown() : []);

  async function post(url, body) {
    const token = place.querySelector("input[name=csrfmiddlewaretoken]");
    const answer = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token ? token.value : "", "X-Limen-Person": document.body.dataset.person || "" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(every * 2),
    });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    return answer.json();
  }

  async function ask() {
    if (asking) return;
    asking = true;
    let failed = false;
    // Only a page that somebody can see has shown anything.
    const drawn = document.visibilityState === "visible" ? [...seen.values()].filter((call) => !told.has(id(call))) : [];
    try {
      const sounds = document.visibilityState === "visible" && Boolean(limen.soundArmed && limen.soundArmed());
      const { calls, emergencies: called, sounding } = await post(place.dataset.hereUrl, { shown: drawn.map(({ session, alarm }) => ({ session, alarm })), emergencies: emergencies(), sounds });
      for (const call of drawn) told.add(id(call));
      draw(calls);
      document.dispatchEvent(new CustomEvent("limen:emergencies", { detail: called }));
      document.dispatchEvent(new CustomEvent("limen:sounding", { detail: sounding }));
    } catch (fault) {
      // the bar of a blind page says that the line is down; the ladder goes on without this screen
      failed = true;
      if (fault.message === "403") await limen.renew(); // signed in anew in another tab
    }
    asking = false;
    const news = [...seen.values()].some((call) => !told.has(id(call)) && !call.delivered);
    if (news && !failed) window.setTimeout(ask, 50);
  }

  function draw(calls) {
    const wanted = new Map();
    seen.clear();
    for (const call of calls) {
      seen.set(id(call), call);
      // The room's own pages show the alarm itself: the first call to a chair's owner adds nothing there.
      if (call.step > 0 || page === "desk") wanted.set(`${id(call)} ${call.accepted}`, call);
    }
    told = new Set([...told].filter((key) => seen.has(key)));
    // A line that stays is left alone, so that it is read out once.
    for (const [key, old] of lines) {
      if (wanted.has(key)) continue;
      old.remove();
      lines.delete(key);
    }
    for (const [key, call] of wanted) {
      if (lines.has(key)) continue;
      lines.set(key, line(call));
      place.append(lines.get(key));
    }
    place.hidden = lines.size === 0;
    const open = calls.filter((call) => !call.accepted && !(call.step === 0 && page !== "desk"));
    document.title = open.length ? `${marks[open[0].priority]} Called to ${open[0].chair} · ${title}` : title;
  }

  function node(tag, attributes, ...children) {
    const found = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    found.append(...children);
    return found;
  }

  function line(call) {
    const bang = node("span", { class: `bang flash-${call.priority}`, "aria-hidden": "true" }, marks[call.priority]);
    const where = node("span", {}, call.chair);
    const pri = node("span", { class: "pri" }, bang, call.priority.toUpperCase(), where);
    const head = node("b", {}, call.accepted ? `You are going to ${call.chair}. ` : `You are called to ${call.chair}. `);
    const since = call.since ? ` since ${limen.clockTime(Date.parse(call.since))}` : "";
    const said = node("span", { class: "n" }, call.accepted ? " The alarm still waits for an answer at the chair." : call.step > 0 ? ` Not answered${call.owner ? ` by ${call.owner}` : ""}${since}.` : since);
    const what = node("span", { class: "what" }, head, call.because, said);
    const to = node("a", { class: "press", href: `/session/${call.session}/` }, `To ${call.chair}`);
    const parts = [pri, what, to];
    if (!call.accepted) {
      const go = node("button", { class: "press press--main", type: "button" }, "I am going");
      go.addEventListener("click", async () => {
        go.disabled = true;
        try {
          draw((await post(place.dataset.acceptUrl, { session: call.session, alarm: call.alarm })).calls);
        } catch {
          go.disabled = false;
          go.textContent = "Not sent. Tap again, or call out";
        }
      });
      parts.push(go);
    }
    return node("div", { class: `alarm alarm--${call.priority}`, role: call.accepted ? "status" : "alert" }, ...parts);
  }

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  window.setInterval(ask, every);
  ask();
})();
