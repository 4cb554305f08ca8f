"""What a nurse does at the live page that takes more than one tap."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from browser.person import Person


def answer_alarms_until(person: Person, wanted: str) -> None:
    """Only a few alarms have room: what was seen makes way for the next."""
    lines = person.page.get_by_role("region", name="Alarms").locator(".alarm:not(.alarm--seen):not(.more)")
    for _ in range(8):
        first = lines.first
        expect(first).to_be_visible()
        said = first.locator(".what").inner_text()
        person.press("Seen, I am going", inside=first)
        expect(lines.filter(has_text=said.partition(" for ")[0])).to_have_count(0)
        if wanted in said:
            return
    raise AssertionError(f"no alarm about {wanted} came up")


def watch_figure(person: Person, name: str) -> Any:
    """Everything that a number on the page shows from now on."""
    person.page.evaluate(
        """(name) => {
          const place = document.querySelector(`[data-vital=${name}] .figure`);
          window.shown = new Set([place.textContent]);
          new MutationObserver(() => window.shown.add(place.textContent)).observe(
            place, {childList: true, characterData: true, subtree: true});
        }""",
        name,
    )
    return lambda: person.page.evaluate("[...window.shown]")
