"use strict";
// A rescue drug by standing order: what may be given now in mg and mL, read aloud, heard by a second person, then given.
// What may not be given says why, and has no button.
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
    return el("button", { class: "press press--glove order", type: "button", onclick: () => readBack(link, offer, denied) }, el("b", {}, offer.indication), el("span", {}, offer.words));
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
    const range = offer.dose_max_mg && offer.dose_max_mg > offer.dose_mg ? [el("p", { class: "small quiet" }, `The order allows up to ${offer.dose_max_mg} mg; the smaller dose is offered.`)] : [];
    const lead = [el("p", { class: "read-back" }, offer.words), ...range, ...cautions, el("p", { class: "small quiet" }, `Signed by ${offer.signed_by || "nobody"}. Read it aloud from the label; the other person reads it back.`)];
    limen.ask(`Read back: ${offer.indication}`, [["heard_by", "Heard by", "choice", people.map(({ id, name }) => [id, name])], ["reason", "Why", "text"]], "Read back and given", (values) => ["rescue.given", drop({ order: offer.order, words: offer.words, heard_by: values.heard_by, reason: text(values.reason), denied })], lead);
  }

  function inWords() {
    return el("button", { class: "press press--plain", type: "button", onclick: () => limen.ask("Rescue given", [["what", "What", "text"], ["dose", "Dose, in words", "text"], ["reason", "Why", "text"]], "Write down", (values) => ["rescue.given", drop({ what: text(values.what), dose: text(values.dose), reason: text(values.reason) })]) }, "Oxygen, a manoeuvre, or a drug in words");
  }

  Object.assign(limen, { rescue });
})();
