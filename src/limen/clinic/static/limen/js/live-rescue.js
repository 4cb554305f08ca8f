"use strict";
// A rescue drug by standing order: what may be given now in mg and mL, the dose chosen where the order gives a range,
// read aloud, heard by a second person, then given. What may not be given says why, and has no button.
(() => {
  const limen = window.Limen;
  const { el, text, drop } = limen;

  async function rescue(link, denied = []) {
    limen.showPanel(el("h2", {}, "Rescue"), el("p", { role: "status" }, "Asking what may be given now"), inWords(), limen.close());
    const query = denied.map((item) => `denied=${encodeURIComponent(item)}`).join("&");
    let offers = null;
    try {
      const answer = await fetch(`${link.act.replace(/act$/, "rescue")}${query ? `?${query}` : ""}`, { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (answer.ok) offers = (await answer.json()).offers;
    } catch {
      // the clinic does not answer: paper and words are left
    }
    if (!offers) {
      limen.showPanel(el("h2", {}, "Rescue"), el("p", { role: "alert" }, el("b", {}, "The clinic does not answer. "), "Use the printed rescue sheet and write the dose down in words."), inWords(), limen.close());
      return;
    }
    const usable = offers.filter((offer) => offer.usable).map((offer) => choice(link, offer, denied));
    const open = offers.filter((offer) => offer.status === "ask").map((offer) => question(link, offer, denied));
    const rest = offers.filter((offer) => !offer.usable && offer.status !== "ask");
    const list = rest.length ? el("details", {}, el("summary", {}, `${rest.length} not now`), el("ul", { class: "small" }, ...rest.map(refusedLine))) : null;
    const none = usable.length ? null : el("p", { class: "held" }, el("b", {}, "No standing order can be used now. "), "Call the prescriber.");
    limen.showPanel(...[el("h2", {}, "Rescue by standing order"), none, ...usable, ...open, list, inWords(), limen.close()].filter(Boolean));
  }

  const refusedLine = (offer) => el("li", {}, el("b", {}, `${offer.title}: `), offer.against.map((item) => item.text).join("; ") || offer.status);

  function choice(link, offer, denied) {
    const range = offer.choices.length > 1;
    const said = range ? `${offer.drug} ${offer.dose_mg} to ${offer.dose_max_mg} mg, ${where(offer)}: choose how much` : offer.words;
    return el("button", { class: "press press--glove order", type: "button", onclick: () => (range ? howMuch(link, offer, denied) : readBack(link, offer, denied)) }, el("b", {}, offer.indication), el("span", {}, said));
  }

  const routes = { iv: "into a vein", im: "into a muscle", in: "into the nose", odt: "on the tongue, melting", po: "by mouth", inhaled: "by mask" };
  const where = (offer) => routes[offer.route] || offer.route;
  const amount = (one) => `${one.dose_mg} mg${one.volume_mL === null ? "" : `, ${one.volume_mL} mL`}`;

  // The order leaves the size open: both ends as they are drawn up, and any dose between them, worked out by the clinic.
  function howMuch(link, offer, denied) {
    const [low, high] = offer.choices;
    const take = (dose_mg, words, used_mg = dose_mg) => readBack(link, { ...offer, words, chosen_mg: dose_mg, used_mg }, denied);
    const ends = [[low, "The smaller"], [high, "The larger"]].map(([one, name]) => el("button", { class: "press press--glove order", type: "button", onclick: () => take(one === low ? null : one.dose_mg, one.words) }, el("b", {}, amount(one)), el("span", {}, name)));
    const said = el("p", { role: "status", class: "held", hidden: true });
    const field = el("input", { id: "rescue-mg", name: "dose_mg", type: "number", step: "any", min: low.dose_mg, max: high.dose_mg, autocomplete: "off", "aria-describedby": "rescue-mg-hint" });
    const refuse = (why) => {
      said.hidden = false;
      said.textContent = why;
      field.setAttribute("aria-invalid", "true");
      field.focus();
    };
    const form = el("form", { class: "ask", novalidate: true }, el("p", { class: "field" }, el("label", { for: "rescue-mg" }, "Another dose, mg"), field, el("span", { class: "small quiet", id: "rescue-mg-hint" }, `${low.dose_mg} to ${high.dose_mg} mg; drawn up to the mark below`)), said, el("p", { class: "acts" }, el("button", { class: "press press--glove", type: "submit" }, "Show this dose")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wanted = limen.number(field.value);
      if (wanted === undefined || !(wanted >= low.dose_mg && wanted <= high.dose_mg)) return refuse(`The order allows ${low.dose_mg} to ${high.dose_mg} mg.`);
      const found = await worked(link, offer, wanted, denied);
      if (!form.isConnected) return undefined; // closed meanwhile
      if (!found) return refuse("The clinic does not answer. Choose the smaller or the larger dose.");
      return found.error ? refuse(limen.refusal(found.error)) : take(wanted, found.offer.words, found.offer.dose_mg);
    });
    const left = offer.total_max_mg ? el("p", { class: "small" }, `${offer.given_mg ?? "?"} of ${offer.total_max_mg} mg given in this session.`) : null;
    const times = offer.max_doses ? el("p", { class: "small" }, `Dose ${offer.doses_given + 1} of at most ${offer.max_doses} in this session${offer.interval_min ? `, ${offer.interval_min} min apart` : ""}.`) : null;
    const back = el("button", { class: "press", type: "button", onclick: () => rescue(link, denied) }, "Back");
    limen.showPanel(...[el("h2", {}, `How much: ${offer.drug}, ${where(offer)}`), el("p", { class: "small quiet" }, offer.indication), ...ends, form, left, times, el("p", { class: "acts" }, back, limen.close())].filter(Boolean));
  }

  async function worked(link, offer, dose_mg, denied) {
    const query = new URLSearchParams([["order", offer.order], ["words", offer.words], ["dose_mg", dose_mg], ...denied.map((item) => ["denied", item])]);
    try {
      const answer = await fetch(`${link.act.replace(/act$/, "rescue")}?${query}`, { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(5000) });
      return answer.status < 500 && !answer.redirected ? await answer.json() : null;
    } catch {
      return null; // the clinic does not answer: both ends were worked out before
    }
  }

  // A question of the order that nobody has asked: only a no, said at the chair, opens it.
  function question(link, offer, denied) {
    const items = offer.ask.map((item) => el("button", { class: "press", type: "button", onclick: () => rescue(link, [...denied, item]) }, `Asked: no ${item}`));
    return el("div", { class: "order-ask" }, el("b", {}, `${offer.title}: ask first`), ...items);
  }

  function readBack(link, offer, denied) {
    const session = link.session();
    const me = document.body.dataset.person;
    const people = [{ id: session.owner_id, name: session.owner }, ...session.people].filter(({ id, name }) => id && name && id !== me);
    const cautions = offer.caution.map((item) => el("p", { class: "small" }, item.text));
    const drawn = offer.chosen_mg && offer.used_mg !== offer.chosen_mg ? [el("p", { class: "small" }, `Asked ${offer.chosen_mg} mg, used ${offer.used_mg} mg: the mark of the syringe below it.`)] : [];
    const lead = [el("p", { class: "read-back" }, offer.words), ...drawn, ...cautions, el("p", { class: "small quiet" }, `Signed by ${offer.signed_by || "nobody"}. Read it aloud from the label; the other person reads it back.`)];
    limen.ask(`Read back: ${offer.indication}`, [["heard_by", "Heard by", "choice", people.map(({ id, name }) => [id, name])], ["reason", "Why", "text"]], "Read back and given", (values) => ["rescue.given", drop({ order: offer.order, words: offer.words, dose_mg: offer.chosen_mg ?? undefined, heard_by: values.heard_by, reason: text(values.reason), denied })], lead);
  }

  function inWords() {
    return el("button", { class: "press press--plain", type: "button", onclick: () => limen.ask("Rescue given", [["what", "What", "text"], ["dose", "Dose, in words", "text"], ["reason", "Why", "text"]], "Write down", (values) => ["rescue.given", drop({ what: text(values.what), dose: text(values.dose), reason: text(values.reason) })]) }, "Oxygen, a manoeuvre, or a drug in words");
  }

  Object.assign(limen, { rescue });
})();
