"use strict";
// Emergency mode on every page: one press calls everyone by name. The cards, the chairs and the rescue drugs were
// fetched before, so the mode opens without a network; taps are kept in this tab with their time and sent later.
(() => {
  const limen = window.Limen;
  const box = document.querySelector("[data-emergency-mode]");
  if (!box) return;
  const find = (name) => box.querySelector(`[data-em-${name}]`);
  const person = document.body.dataset.person || "";
  const here = box.dataset.session || null;
  let ready = { chairs: [], team: [], number: null };
  let asked = null;
  const seated = () => ready.chairs.filter((entry) => entry.live);
  let open = null; // the emergency shown: what the server says of it, or what this page began and could not send yet

  const node = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const time = (iso) => limen.clockTime(Date.parse(iso));

  // ---- what is kept for the moment it is needed

  async function prepare() {
    try {
      const answer = await fetch(box.dataset.ready, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.ok && !answer.redirected) {
        ready = await answer.json();
        if (open) draw();
      }
    } catch {
      // what was fetched last stands
    }
  }

  // ---- deeds

  async function send(kind, data, key) {
    const answer = await limen.act(box.dataset.act, `emergency.${kind}`, data, key);
    find("kept").hidden = !answer.kept;
    find("kept").textContent = answer.kept ? `${answer.why ? `Not sent, ${answer.why}` : "No network"}: kept here and sent later. CALL OUT LOUD.` : "";
    if (answer.emergency) one(answer.emergency);
    if (answer.error) refused(kind, data, answer.error);
    return answer;
  }

  function refused(kind, data, error) {
    if (kind === "step") for (const done of tapped.values()) delete done[data.what];
    find("kept").hidden = false;
    find("kept").textContent = error.what || String(error);
    if (open) draw();
  }

  // What is on is shown; a second emergency, at this chair or another, is one more press: its button stands there.
  function press() {
    const mine = here ? standing.find((entry) => entry.session === here) : null;
    if (mine) open = mine;
    if (!open) begin(here);
    show();
  }

  function begin(session) {
    const key = limen.newKey();
    open = { id: null, key, session, chair: null, started_at: new Date(limen.now()).toISOString(), started_by: "you", people: [], roles: {}, steps: {}, chairs_taken: {} };
    send("start", { session }, key);
  }

  // Until the start's answer is here a deed names it by its key: it is kept in this tab with the time of its tap, in order.
  function deed(kind, data) {
    if (open) send(kind, { ...data, ...(open.id ? { emergency: open.id } : { begun: open.key, at_session: open.session }) });
  }

  // ---- what this page tapped: done for it until the server tells so, for an older answer may still be on its way

  const tapped = new Map(); // emergency (its id, or the key of its start) -> step -> when
  const mine = () => tapped.get(open.id ?? open.key) ?? {};
  const done = (step) => open.steps[step] ?? mine()[step];

  function become(found) {
    if (!open.id) tapped.set(found.id, { ...tapped.get(open.key), ...tapped.get(found.id) });
    open = found;
  }

  // ---- what the server says: every emergency of the site that is open

  let standing = [];

  function close() {
    open = null;
    box.hidden = true;
    document.body.classList.remove("is-emergency");
  }

  // The answer to one deed is about one emergency; the list that every page asks for is of all that are open.
  function one(found) {
    standing = [...standing.filter((entry) => entry.id !== found.id), ...(found.ended_at ? [] : [found])];
    if (found.ended_at && open && open.id === found.id) {
      close();
      if (standing.length) {
        [open] = standing;
        show();
      }
    } else if (open && (open.id === found.id || (!open.id && (open.session === found.session || !open.session)))) become(found);
    if (open) draw();
  }

  function take(list) {
    standing = list;
    const began = open && !open.id ? open : null;
    if (began && !list.some((entry) => entry.session === began.session)) return; // its start is still on the way
    // One that this page has not shown comes up, unless another is on the screen: then it has its button there.
    const news = box.hidden && !began ? list.find((entry) => !shown.has(entry.id)) : null;
    const first = news || (open && list.find((entry) => entry.id === open.id)) || (began && list.find((entry) => entry.session === began.session)) || list[0] || null;
    if (!first) {
      if (open) close();
      return;
    }
    if (began && first.session === began.session) become(first);
    else open = first;
    if (news && !document.body.dataset.page.includes("sign-in")) show();
    else draw();
  }

  let cameFrom = null;
  const shown = new Set();

  function show() {
    if (box.hidden) cameFrom = document.activeElement;
    box.hidden = false;
    document.body.classList.add("is-emergency");
    draw();
    find("hide").closest("header").querySelector("h2").focus();
  }

  // ---- drawing

  function draw() {
    if (!open) return;
    if (open.id && !box.hidden) shown.add(open.id);
    const chair = ready.chairs.find((entry) => entry.session === open.session);
    if (open.session && !chair && asked !== open.session) {
      asked = open.session; // somebody who left the chair before this page last asked
      prepare();
    }
    find("chair").textContent = open.chair || (chair ? chair.chair : "");
    find("started").textContent = `Called by ${open.started_by} at ${time(open.started_at)}`;
    const paper = find("paper");
    paper.hidden = !open.id;
    if (open.id) paper.href = `/emergency/${open.id}/`;
    which(chair);
    more();
    people();
    cards();
    others(chair);
    drugs(chair);
    span();
  }

  function span() {
    if (open) find("span").textContent = limen.span(limen.now() - Date.parse(open.started_at));
  }

  function same(place, key) {
    if (place.dataset.drawn === key) return true;
    place.dataset.drawn = key;
    return false;
  }

  // Another emergency at another chair: one press away, never hidden behind this one.
  function more() {
    const rest = standing.filter((entry) => entry.id !== open.id);
    const place = find("more");
    const mine = here && open.session && open.session !== here && !standing.some((entry) => entry.session === here) ? ready.chairs.find((entry) => entry.session === here) : null;
    find("another").textContent = mine ? `${mine.chair} needs help too` : "Another chair needs help";
    if (same(place, JSON.stringify(rest.map((entry) => [entry.id, entry.chair])))) return;
    place.replaceChildren(
      ...rest.map((entry) => {
        const button = node("button", { class: "press", type: "button" }, `EMERGENCY too: ${entry.chair || "no chair named"}`);
        button.addEventListener("click", () => {
          open = entry;
          draw();
        });
        return button;
      }),
    );
  }

  function which(chair) {
    const place = find("which");
    place.hidden = Boolean(open.session || open.chair);
    const list = find("chairs");
    if (same(list, JSON.stringify(seated().map((entry) => entry.session)))) return;
    list.replaceChildren();
    for (const entry of seated()) {
      const button = node("button", { class: "press press--glove", type: "button" }, `${entry.chair}, ${entry.patient}`);
      button.addEventListener("click", () => {
        open.session = entry.session;
        draw();
        deed("chair", { session: entry.session });
      });
      list.append(button);
    }
    if (!seated().length) list.append(node("p", {}, "No chair is in use. Say where it is."));
  }

  function people() {
    find("number").textContent = ready.number ? `Emergency number ${ready.number}` : "This site has declared no emergency number: dial your own.";
    const known = new Map(open.people.map((entry) => [entry.name, entry]));
    const rows = ready.team.map((entry) => ({ ...entry, ...known.get(entry.name) }));
    const list = find("people");
    if (!same(list, JSON.stringify(rows))) {
      list.replaceChildren(
        ...rows.map((entry) => {
          const state = entry.going ? `going, ${time(entry.going)}` : entry.shown ? `shown ${time(entry.shown)}` : entry.called ? "called, no screen has shown it yet" : "not called: no network";
          return node("li", {}, node("b", {}, entry.name), ` ${entry.roles}: `, node("span", { class: entry.shown || entry.going ? null : "strong" }, state));
        }),
      );
    }
    const going = open.people.some((entry) => String(entry.person) === person && entry.going);
    find("going").disabled = going;
    find("going").textContent = going ? "You are going" : "I am going";
  }

  function cards() {
    for (const card of box.querySelectorAll("[data-em-role]")) {
      const holder = open.roles[card.dataset.emRole];
      const mine = card.querySelector("[data-em-mine]");
      mine.textContent = holder ? `${holder}. Change` : "I take this";
    }
    for (const button of box.querySelectorAll("[data-em-step]")) {
      const when = done(button.dataset.emStep);
      button.setAttribute("aria-pressed", String(Boolean(when)));
      button.querySelector("time").textContent = when ? time(when.at) : "";
    }
  }

  // The owner is at the emergency: what else that person is in charge of needs somebody.
  function others(chair) {
    const owner = chair ? chair.owner_id : null;
    const rows = seated().filter((entry) => chair && entry.session !== chair.session && (entry.owner_id === owner || open.chairs_taken[entry.chair]));
    find("others").hidden = rows.length === 0;
    const list = find("take");
    if (same(list, JSON.stringify([rows.map((entry) => entry.session), open.chairs_taken]))) return;
    list.replaceChildren(
      ...rows.map((entry) => {
        const taken = open.chairs_taken[entry.chair];
        const row = node("li", {}, node("b", {}, entry.chair), taken ? ` taken by ${taken}` : ` is ${entry.owner}'s: somebody takes it. `);
        if (!taken) {
          const button = node("button", { class: "press", type: "button" }, `I take ${entry.chair}`);
          button.addEventListener("click", () => deed("take", { session: entry.session }));
          row.append(button);
        }
        return row;
      }),
    );
  }

  function drugs(chair) {
    find("for").textContent = chair ? `${chair.patient}, ${chair.weight_kg === null ? "weight not known" : `${chair.weight_kg} kg`}` : "no chair named";
    const list = find("drugs");
    if (same(list, JSON.stringify(chair ? chair.offers : null))) return;
    const offers = chair ? chair.offers : [];
    const line = (offer, ...more) => node("li", {}, node("span", { class: "small" }, `${offer.indication || offer.title}: `), node("b", {}, offer.words), ...more);
    const barred = offers.filter((offer) => !offer.usable);
    list.replaceChildren(...offers.filter((offer) => offer.usable).map((offer) => line(offer)));
    if (!offers.length) list.append(node("li", {}, "Nothing to show"));
    else if (barred.length === offers.length) list.append(node("li", { class: "strong" }, "No drug of this list may be given here now."));
    if (barred.length) {
      const why = (offer) => (offer.against || []).map((reason) => reason.text).join(". ");
      list.append(node("li", {}, node("details", {}, node("summary", {}, `Not to be given now: ${barred.length}`), node("ul", { class: "quiet" }, ...barred.map((offer) => line(offer, node("span", { class: "small" }, ` ${why(offer)}`)))))));
    }
  }

  // ---- taps

  find("hide").addEventListener("click", () => {
    box.hidden = true;
    document.body.classList.remove("is-emergency");
    if (cameFrom?.isConnected) cameFrom.focus();
  });
  find("another").addEventListener("click", () => {
    begin(here && !standing.some((entry) => entry.session === here) && open.session !== here ? here : null);
    draw();
  });
  find("going").addEventListener("click", () => {
    find("going").disabled = true;
    deed("going", {});
  });
  for (const card of box.querySelectorAll("[data-em-role]")) card.querySelector("[data-em-mine]").addEventListener("click", () => deed("role", { what: card.dataset.emRole }));
  for (const button of box.querySelectorAll("[data-em-step]")) {
    button.addEventListener("click", () => {
      if (!open || done(button.dataset.emStep)) return;
      tapped.set(open.id ?? open.key, { ...mine(), [button.dataset.emStep]: { at: new Date(limen.now()).toISOString(), by: "you" } });
      cards();
      deed("step", { what: button.dataset.emStep });
    });
  }
  find("end").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = find("end").elements.outcome;
    deed("end", { outcome: field.value });
    field.value = "";
  });
  for (const button of document.querySelectorAll("[data-emergency-open]")) button.addEventListener("click", press);
  document.addEventListener("limen:refused", ({ detail: { deed: { kind, data }, answer } }) => kind.startsWith("emergency.") && refused(kind.replace("emergency.", ""), data, answer.error));
  document.addEventListener("limen:emergencies", (event) => {
    take(event.detail);
    for (const button of document.querySelectorAll("[data-emergency-open]")) {
      button.setAttribute("aria-pressed", String(event.detail.length > 0));
      button.querySelector("span").textContent = event.detail.length ? "Emergency is on" : "Emergency";
    }
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && !box.hidden && find("hide").click());
  window.setInterval(span, 500);
  window.setInterval(prepare, 60000);
  prepare();
  Object.assign(limen, { emergencyShown: () => (open && open.id && !box.hidden ? [open.id] : []) });
})();
