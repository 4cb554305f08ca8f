"use strict";
// The sound of the alarms that nobody holds back: one burst for each priority, over and over while one stands.
// A browser lets a page sound only after a tap, and a speaker may be off: so the sound is armed by a test that somebody
// hears. A page that is not armed says so, and says which screens are.
//   Limen.sound(priorities)    those that may be heard now; blind pages call with "medium"
//   Limen.hold(entries)        the standing alarms, for the button that holds all sound back for a time
//   Limen.soundArmed()         whether this page was heard and can be heard now
(() => {
  const limen = window.Limen;
  const button = document.querySelector("[data-sound]");
  const bar = document.querySelector("[data-silent-screen]");
  const kept = "limen-sound-heard"; // in this tab
  // When each pulse of a burst begins, how long it lasts and its pitch; seconds from burst to burst. The graver, the
  // more pulses, the faster and the higher (after IEC 60601-1-8: ten pulses, three, one), so that no ear needs the pitch.
  const bursts = {
    high: { at: [0, 0.16, 0.32, 0.6, 0.76, 1.2, 1.36, 1.52, 1.8, 1.96], length: 0.12, pitch: 660, every: 5 },
    medium: { at: [0, 0.32, 0.64], length: 0.18, pitch: 520, every: 10 },
    low: { at: [0], length: 0.28, pitch: 392, every: 20 },
  };
  const order = ["low", "medium", "high"];
  let context = null;
  let wave = null;
  let loudest = null;
  let next = 0;
  let heard = false; // somebody has heard the test, here
  let testing = ""; // "", "playing", "asking", "unheard"
  let playing = ""; // the priority that the test sounds now
  let others = null; // names of those whose screens sound, as the server says; null while it has not
  let began = false;

  const running = () => context !== null && context.state === "running";
  const armed = () => running() && heard;

  function pulse(at, pitch, length = 0.18) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    if (wave) tone.setPeriodicWave(wave);
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.3, at + 0.02);
    gain.gain.setValueAtTime(0.3, at + length - 0.03);
    gain.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + length + 0.02);
  }

  function burst(priority, at) {
    const { at: begins, length, pitch } = bursts[priority];
    for (const begin of begins) pulse(at + begin, pitch, length);
    return begins[begins.length - 1] + length;
  }

  function tick() {
    if (!running() || testing === "playing" || !loudest || context.currentTime < next) return;
    burst(loudest, context.currentTime + 0.05);
    next = context.currentTime + bursts[loudest].every;
  }

  // Unheard alarms of the whole page, worst first; blind pages call with "medium".
  function sound(priorities) {
    began = true;
    const found = ["high", "medium", "low"].find((priority) => priorities.includes(priority)) || null;
    if (found !== loudest) next = 0;
    loudest = found;
  }

  // A patient's call: two soft tones, high then low, every five seconds while nobody goes.
  let rings = 0;
  function chime(on) {
    if (!on || !running() || context.currentTime < rings) return;
    pulse(context.currentTime + 0.05, 880);
    pulse(context.currentTime + 0.45, 587);
    rings = context.currentTime + 5;
  }

  // ---- arming: low, medium, high, each named while it sounds, and a person who says that they were heard

  function open() {
    context = context || new AudioContext();
    // Five partials: a pure tone is hard to place in a room, and hard to hear for some.
    wave = wave || context.createPeriodicWave(new Float32Array(6), new Float32Array([0, 1, 0.7, 0.5, 0.35, 0.25]));
    context.onstatechange = say;
  }

  async function test() {
    open();
    await context.resume();
    testing = "playing";
    let at = context.currentTime + 0.05;
    const beganS = context.currentTime;
    for (const priority of order) {
      const from = at;
      window.setTimeout(() => {
        playing = priority;
        say();
      }, 1000 * (from - beganS));
      at += burst(priority, at) + 0.45;
    }
    window.setTimeout(() => {
      testing = "asking";
      say();
    }, 1000 * (at - beganS));
    say();
  }

  function answer(yes) {
    heard = yes;
    testing = yes ? "" : "unheard";
    if (yes) window.sessionStorage.setItem(kept, "1");
    else window.sessionStorage.removeItem(kept);
    next = 0;
    say();
  }

  async function off() {
    heard = false;
    testing = "";
    window.sessionStorage.removeItem(kept);
    await context.suspend();
    say();
  }

  // ---- what the page says of it

  function words() {
    if (testing === "playing") return `Test: ${playing || "listen"}`;
    if (testing === "asking") return "Heard three sounds: low, medium, high?";
    const silent = testing === "unheard" ? "Not heard: turn the volume up, plug the speaker in, or use another screen. " : "";
    if (others && others.length) return `${silent}This screen is silent. Alarms sound on the screen of ${others.join(", ")}.`;
    return `${silent}${others ? "No screen sounds: an alarm is seen, not heard." : "This screen is silent: an alarm is seen here, not heard."}`;
  }

  function say() {
    if (button) {
      button.setAttribute("aria-pressed", String(running()));
      button.textContent = running() ? "Sound is on" : "Sound is off";
    }
    if (!bar) return;
    const room = document.querySelector(".tile:not(.tile--empty), .room--chair");
    bar.hidden = (armed() && testing === "") || !room;
    const said = bar.querySelector("[data-silent-said]");
    const text = words();
    if (said.textContent !== text) said.textContent = text;
    bar.classList.toggle("silent-screen--all", testing === "" && others !== null && others.length === 0);
    for (const part of bar.querySelectorAll("[data-silent-do]")) part.hidden = part.dataset.silentDo === "test" ? testing === "playing" || testing === "asking" : testing !== "asking";
  }

  // ---- all sound held back, for a time that ends by itself

  const hold = document.querySelector("[data-hold-sound]");
  let loud = [];
  function holding(entries) {
    if (!hold) return;
    const now = (session) => limen.elapsed(session);
    loud = entries.filter(({ session, alarm }) => alarm.silent_until_t_s === null || alarm.silent_until_t_s <= now(session));
    const held = entries.filter(({ session, alarm }) => alarm.acknowledged_t_s === null && alarm.silent_until_t_s !== null && alarm.silent_until_t_s > now(session));
    const press = hold.querySelector("button");
    const back = Math.min(...held.map(({ session, alarm }) => alarm.silent_until_t_s - now(session)));
    press.hidden = loud.length === 0 || !limen.may.has("alarm:acknowledge");
    hold.querySelector("span").textContent = held.length ? `Sound of ${held.length === 1 ? "1 alarm" : `${held.length} alarms`} held back, returns in ${limen.words.span(back)}. A new alarm sounds at once.` : "";
    hold.hidden = press.hidden && held.length === 0;
  }

  if (hold) {
    hold.querySelector("button").addEventListener("click", () => {
      for (const session of new Set(loud.map((entry) => entry.session.session))) limen.act(`/live/session/${session}/act`, "audio.paused", {});
    });
  }

  // ----

  if (button) button.addEventListener("click", () => (running() && testing !== "unheard" ? off() : test()));
  if (bar) {
    bar.querySelector("[data-silent-do=test]").addEventListener("click", test);
    bar.querySelector("[data-silent-do=yes]").addEventListener("click", () => answer(true));
    bar.querySelector("[data-silent-do=no]").addEventListener("click", () => answer(false));
  }
  document.addEventListener("limen:sounding", (event) => {
    others = event.detail;
    say();
  });
  // Heard on the page before in this tab: a browser that still allows it sounds on without another test.
  if (window.sessionStorage.getItem(kept)) {
    open();
    heard = true;
    context.resume().then(say);
  }
  window.setInterval(tick, 250);
  window.setInterval(() => began && testing !== "playing" && say(), 1000);
  say();
  Object.assign(limen, { sound, chime, hold: holding, soundArmed: armed });
})();
