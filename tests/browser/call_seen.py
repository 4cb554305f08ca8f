"""How long after a patient's press the call stands on the staff's screens, by the pages' own clock of one machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

PROMISED_S = 2.0

# The moment at which a call is drawn, not the moment at which a test looks.
_WATCH = """() => {
  window.callsSeen = [];
  let standing = document.querySelector(".asking--call") !== null;
  new MutationObserver(() => {
    const now = document.querySelector(".asking--call") !== null;
    if (now && !standing) requestAnimationFrame(() => window.callsSeen.push(Date.now()));
    standing = now;
  }).observe(document.body, { childList: true, subtree: true });
}"""
_PRESS = "() => { const at = Date.now(); document.querySelector('.call-come').click(); return at; }"


def watch_calls(page: Page) -> None:
    """From now on the page keeps when each call came up."""
    page.evaluate(_WATCH)


def press_until_seen(phone: Page, answers: Page, screens: Sequence[Page], count: int) -> list[float]:
    """Press ``count`` times; each is answered on ``answers`` before the next. The last press stands.

    Returns
    -------
    list of float
        For each press the seconds until the last of the screens had drawn it.
    """
    found: list[float] = []
    for number in range(1, count + 1):
        pressed_ms = phone.evaluate(_PRESS)
        for page in screens:
            page.wait_for_function("count => window.callsSeen.length >= count", arg=number, timeout=60_000)
        seen: list[Any] = [page.evaluate("window.callsSeen.at(-1)") for page in screens]
        found.append((max(seen) - pressed_ms) / 1000.0)
        if number == count:
            break
        answers.get_by_role("button", name="I am going", exact=True).click()
        for page in screens:
            page.locator(".asking--call").wait_for(state="detached")
        phone.get_by_text("is coming to you").wait_for()
    return found


def said(found: Sequence[float]) -> str:
    """The figure in words."""
    line = sorted(found)
    return f"{len(line)} presses: seen median {line[len(line) // 2]:.2f} s, worst {line[-1]:.2f} s"
