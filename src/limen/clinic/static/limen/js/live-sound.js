"use strict";
// The sound of the alarms that nobody holds back: one burst for each priority, over and over while one stands.
// A browser lets a page sound only after a tap, so the button says whether it can be heard.
//   Limen.sound(alarms, nowS): the standing alarms, each with silent_until_t_s on the session's own time
(() => {
  const limen = window.Limen;
  const button = document.querySelector("[data-sound]");
  // pulses in a burst, pause until the next burst in seconds, pitch in Hz
  const bursts = { high: [5, 5, 660], medium: [3, 10, 520], low: [1, 20, 440] };
  let context = null;
  let loudest = null;
  let next = 0;

  function pulse(at, pitch) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.25, at + 0.02);
    gain.gain.setValueAtTime(0.25, at + 0.14);
    gain.gain.linearRampToValueAtTime(0, at + 0.18);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }

  function tick() {
    if (!context || context.state !== "running" || !loudest || context.currentTime < next) return;
    const [count, pause, pitch] = bursts[loudest];
    for (let index = 0; index < count; index += 1) pulse(context.currentTime + 0.05 + index * 0.3, pitch);
    next = context.currentTime + pause;
  }

  // Unheard alarms of the whole page, worst first; blind pages call with "medium".
  function sound(priorities) {
    const found = ["high", "medium", "low"].find((priority) => priorities.includes(priority)) || null;
    if (found !== loudest) next = 0;
    loudest = found;
  }

  // A patient's call: two soft tones, high then low, every five seconds while nobody goes.
  let rings = 0;
  function chime(on) {
    if (!on || !context || context.state !== "running" || context.currentTime < rings) return;
    pulse(context.currentTime + 0.05, 880);
    pulse(context.currentTime + 0.45, 587);
    rings = context.currentTime + 5;
  }

  function say() {
    if (!button) return;
    const on = context !== null && context.state === "running";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Sound is on" : "Sound is off";
  }

  if (button) {
    button.addEventListener("click", async () => {
      if (context && context.state === "running") await context.suspend();
      else {
        context = context || new AudioContext();
        await context.resume();
        pulse(context.currentTime + 0.05, 440); // so that the person hears that it can be heard
      }
      say();
    });
  }
  window.setInterval(tick, 250);
  say();
  Object.assign(limen, { sound, chime });
})();
