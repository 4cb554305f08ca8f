"use strict";
// Every chair at a glance, alarms in one rail, who calls whom, and the next five minutes of all chairs as one list.
(() => {
  const limen = window.Limen;
  const { el, words } = limen;
  const script = document.currentScript;
  const main = document.getElementById("main");
  const lane = document.querySelector("[data-lane-strip]");
  const horizonS = 300;
  const roomS = 66; // the width of a name on the time axis, in its seconds
  const listed = 10;
  let board = JSON.parse(document.getElementById("live-state").textContent);
  let watched = {};
  const tiles = new Map();

  const open = () => board.chairs.filter((chair) => chair.session);

  // How many chairs share the screen decides how large they are; a row in which nobody sits takes no share of it.
  const perRow = 4;
  const inUse = () => [...Array(Math.ceil(board.chairs.length / perRow)).keys()].filter((row) => board.chairs.slice(row * perRow, (row + 1) * perRow).some((chair) => chair.session)).length * perRow;

  function density() {
    const count = board.chairs.length > perRow ? Math.min(board.chairs.length, Math.max(perRow, inUse())) : board.chairs.length;
    const steps = [[4, "full"], [8, "half"], [12, "third"], [20, "fifth"]];
    return (steps.find(([most]) => count <= most) || [0, "wall"])[1];
  }

  // ---- the next five minutes: the working list

  function due() {
    const found = [];
    for (const session of open()) {
      for (const item of session.due_soon) {
        const left = item.due_t_s - limen.elapsed(session);
        if (left <= horizonS) found.push({ session, item, left });
      }
    }
    return found.sort((a, b) => a.left - b.left);
  }

  const key = ({ session, item }) => `${session.session} ${item.label} ${item.due_t_s}`;
  const shown = new Map();

  function strip() {
    const found = due();
    const late = found.filter(({ left }) => left < 0);
    const crowded = late.length > 1 || found.length > 5 || collide(found.filter(({ left }) => left >= 0));
    lane.classList.toggle("lane--list", crowded);
    const wanted = new Set(found.slice(0, listed).map(key));
    for (const [id, node] of shown) {
      if (wanted.has(id)) continue;
      node.remove();
      shown.delete(id);
    }
    found.slice(0, listed).forEach((entry, index) => {
      const node = shown.get(key(entry)) || item(entry);
      shown.set(key(entry), node);
      const { left } = entry;
      node.classList.toggle("due--late", left < 0);
      node.querySelector("[data-left]").textContent = left < 0 ? `+${words.span(-left)} late` : words.span(left);
      node.classList.toggle("due--before", !crowded && left > horizonS - roomS);
      node.style.setProperty("--at", Math.max(0, left) / horizonS);
      if (lane.children[index] !== node) lane.insertBefore(node, lane.children[index] || null);
    });
    const rest = lane.querySelector("[data-rest]");
    const more = found.length > listed ? `and ${found.length - listed} more` : found.length ? "" : "Nothing is due";
    if (rest.textContent !== more) rest.textContent = more;
    rest.hidden = more === "";
  }

  // Whether names on the time axis would cover each other; the last ones stand before their mark, not after it.
  function collide(coming) {
    const spans = coming.map(({ left }) => (left > horizonS - roomS ? [left - roomS, left] : [left, left + roomS]));
    return spans.some(([from], index) => index > 0 && from < spans[index - 1][1]);
  }

  // Each item is the way to its act.
  function item({ session, item: due_ }) {
    return el(
      "a", { class: "due", href: `/session/${session.session}/#${due_.act}` },
      el("b", {}, el("span", { class: "chair-no" }, el("span", { class: "vh" }, "Chair "), session.chair.replace(/^Chair\s+/i, "")), el("span", { "data-left": "" })),
      el("span", { class: "w" }, words.dueWords(session, due_).replace(/^Observation (.*) after the dose$/, "$1 after").replace("observation", "set")),
    );
  }

  // ---- the whole

  const entries = () => open().flatMap((session) => session.alarms.map((alarm) => ({ alarm, session })));

  function draw() {
    main.dataset.columns = Math.min(perRow, board.chairs.length);
    const known = new Set(board.chairs.map((chair) => chair.chair));
    for (const [name, tile] of tiles) {
      if (known.has(name)) continue;
      tile.node.remove();
      tiles.delete(name);
    }
    board.chairs.forEach(place);
    fitted = "";
    const late = document.querySelector("[data-late]");
    late.textContent = board.late_pct === null ? "none due" : `${board.late_pct.toFixed(1)} %`;
    around();
  }

  // A row of empty chairs is one line high.
  function rows() {
    const columns = getComputedStyle(main).gridTemplateColumns.split(" ").length;
    const count = Math.ceil(board.chairs.length / columns);
    const used = (row) => board.chairs.slice(row * columns, (row + 1) * columns).some((chair) => chair.session);
    const filled = ["full", "tight", "half"].includes(main.dataset.density) ? "minmax(min-content, 1fr)" : "auto";
    main.style.gridTemplateRows = columns > 1 ? [...Array(count).keys()].map((row) => (used(row) ? filled : "min-content")).join(" ") : "";
  }

  // Where alarms, calls or a small screen leave too little room, the numbers take the next smaller step rather than
  // stand below the fold. Judged anew only when what takes the room changes, so that nothing jumps.
  const smaller = { full: ["full", "tight", "tight bare", "third"], half: ["half", "third", "fifth"], third: ["third", "fifth"] };
  let fitted = "";

  function fit() {
    const now = [window.innerWidth, window.innerHeight, density(), document.body.classList.contains("is-blind"), main.offsetTop, document.querySelector(".strip").offsetHeight].join(" ");
    if (now === fitted) return;
    fitted = now;
    const first = density();
    for (const step of window.innerWidth > 520 ? smaller[first] ?? [first] : [first]) {
      const [size, bare] = step.split(" ");
      main.dataset.density = size;
      main.classList.toggle("is-bare", Boolean(bare)); // without what has been given
      rows();
      if (document.documentElement.scrollHeight <= window.innerHeight) break;
    }
    board.chairs.forEach((chair) => tiles.get(chair.chair).draw(chair));
    overfull = document.documentElement.scrollHeight > window.innerHeight;
    arrange();
  }
  window.addEventListener("resize", fit);

  // Each chair keeps its place, unless some stand below the fold: then who is in alarm or calls comes first.
  let overfull = false;
  const gravity = ["high", "medium", "low"];

  function urgency(chair) {
    if (document.body.classList.contains("is-blind")) return 0; // nobody checks the limits: no order by alarms
    if (!chair.session) return gravity.length + 3;
    const unseen = chair.alarms.filter((alarm) => alarm.acknowledged_t_s === null).map((alarm) => gravity.indexOf(alarm.priority));
    return Math.min(...unseen, chair.call ? 1 : gravity.length + 2, chair.alarms.length ? gravity.length : gravity.length + 2);
  }

  function arrange() {
    const places = board.chairs.map((chair, index) => [overfull ? urgency(chair) : 0, index, chair]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const held = document.activeElement;
    places.forEach(([, , chair], index) => {
      const { node } = tiles.get(chair.chair);
      if (main.children[index] !== node) main.insertBefore(node, main.children[index] || null);
    });
    if (main.contains(held) && held !== document.activeElement) held.focus({ preventScroll: true });
    below();
  }

  // How many chairs the screen does not show now, and how many of them are in alarm.
  const hiddenNote = el("span", { class: "below", hidden: true });
  document.querySelector(".strip h2").append(hiddenNote);

  function below() {
    const strip = document.querySelector(".strip");
    const floor = getComputedStyle(strip).position === "sticky" ? strip.getBoundingClientRect().top : window.innerHeight;
    const out = board.chairs.filter((chair) => {
      const { top, bottom } = tiles.get(chair.chair).node.getBoundingClientRect();
      return chair.session && (bottom > floor + 8 || top < 0);
    });
    const alarmed = out.filter((chair) => chair.alarms.length > 0 || chair.call).length;
    const blind = document.body.classList.contains("is-blind");
    const text = out.length ? `${out.length} chair${out.length > 1 ? "s" : ""} out of view${blind ? "" : alarmed ? `, ${alarmed} in alarm` : ", none in alarm"}` : "";
    if (hiddenNote.textContent !== text) hiddenNote.textContent = text;
    hiddenNote.hidden = text === "";
    hiddenNote.classList.toggle("below--alarm", alarmed > 0);
  }
  window.addEventListener("scroll", below, { passive: true });

  function place(chair, index) {
    let tile = tiles.get(chair.chair);
    if (!tile || tile.id !== chair.session) {
      if (tile) tile.node.remove();
      tile = limen.tile(chair);
      tiles.set(chair.chair, tile);
    }
    if (!overfull && main.children[index] !== tile.node) main.insertBefore(tile.node, main.children[index] || null);
    else if (!tile.node.parentElement) main.append(tile.node);
    tile.draw(chair);
    tile.tick(chair, watched[chair.session]);
  }

  function around() {
    const blind = document.body.classList.contains("is-blind");
    const standing = blind ? [] : entries();
    const unwatched = blind || open().some((chair) => limen.isUnwatched(watched[chair.session]));
    limen.rail(document.querySelector("[data-rail]"), standing, (session) => `/session/${session.session}/`, window.innerWidth >= 1000 && board.chairs.length <= 8 ? 5 : window.innerWidth <= 520 ? 2 : 3);
    limen.asks(document.querySelector("[data-asks]"), blind ? [] : open(), (session) => `/session/${session.session}/`);
    limen.sound([...limen.sounding(standing), ...(unwatched ? ["medium"] : [])]);
    strip();
    fit();
    arrange();
  }

  function samples(message) {
    const session = board.chairs.find((chair) => chair.session === message.session);
    if (!session) return;
    for (const [signal, tS, sent] of message.values) {
      const known = session.signals[signal];
      const value = limen.reading(known, sent);
      if (known) known.no_value = value === null;
      if (known && value !== null && (known.t_s === null || tS > known.t_s)) Object.assign(known, { value, t_s: tS });
      if (signal === "NIBP_SYS" && value !== null) {
        session.cuffs.t_s.push(tS);
        session.cuffs.value.push(value);
      }
    }
    tiles.get(session.chair)?.draw(session);
  }

  // One chair anew; false where it is not on this board, so that the whole is fetched.
  function one(chair) {
    const index = board.chairs.findIndex((other) => other.chair === chair.chair);
    if (index < 0) return false;
    board.chairs[index] = chair;
    place(chair, index);
    around();
    return true;
  }

  draw();
  limen.listen(script.dataset.events, script.dataset.state, {
    state: (state) => {
      board = state;
      draw();
    },
    one,
    samples,
    pulse: (word) => {
      watched = word.watched_age_s;
    },
  });
  window.setInterval(() => {
    for (const chair of open()) tiles.get(chair.chair)?.tick(chair, watched[chair.session]);
    around();
  }, 500);
})();
