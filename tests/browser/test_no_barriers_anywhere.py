"""Board, chair and the pages around them in every state, by axe-core in both themes; each form by keyboard alone.

One house with a chair of each route. Pictures in ``test-output``.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from browser.barriers import grave_barriers
from floor_room import Monitors
from live_processes import CSRF, House

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.soak]

BUILD = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
import floor_room
print(json.dumps(floor_room.build_routes()))
"""
PICTURES = Path(__file__).parents[2] / "test-output" / "every-state"
# what colours itself in forced colours is the system's
SYSTEM_COLOURS = ("color-contrast",)


class Walk:
    """One house, its monitors, and what axe-core found wherever somebody looked."""

    def __init__(self, house: House, monitors: Monitors, browser: Browser) -> None:
        self.house, self.monitors, self.browser = house, monitors, browser
        self.found: list[str] = []
        self.faults: list[str] = []

    def page(self, path: str, *, live: bool = True, who: str = "cookie") -> Page:
        context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        cookies = {"sessionid": self.house.facts[who], "csrftoken": CSRF}
        context.add_cookies([{"name": n, "value": v, "url": self.house.url} for n, v in cookies.items()])
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.goto(f"{self.house.url}{path}")
        if live:
            page.locator("body.is-listening:not(.is-blind)").wait_for()
        return page

    def chair(self, number: int) -> str:
        return f"/session/{self.house.facts['sessions'][number - 1]}/"

    def look(self, page: Page, state: str, *, day: bool = True, forced: bool = False) -> None:
        """In the room's dark, in daylight, and where the system sets the colours."""
        page.screenshot(path=PICTURES / f"{state}.png")
        self._judge(page, f"{state}, night")
        if day:
            theme = page.evaluate("document.documentElement.dataset.theme")
            other = "day" if theme == "night" else "night"
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", other)
            self._judge(page, f"{state}, {other}")
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        if forced:
            page.emulate_media(forced_colors="active", reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{state}-forced.png")
            self._judge(page, f"{state}, forced colours", SYSTEM_COLOURS)
            page.emulate_media(forced_colors="none", reduced_motion="no-preference")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            self.found.append(f"{state}: runs {wide} px off the side")

    def _judge(self, page: Page, state: str, without: tuple[str, ...] = ()) -> None:
        self.found += [f"{state}: {fault}" for fault in grave_barriers(page, without=without)]


@pytest.fixture(scope="module")
def walk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    house = House(tmp_path_factory.mktemp("walk"))
    expect.set_options(timeout=30_000)
    try:
        house.facts = house.ask(BUILD)
        house.start("web")
        house.start("monitor")
        with Monitors(house.url, house.facts["tokens"]) as monitors:
            yield Walk(house, monitors, chromium)
    finally:
        house.stop()
        house.database.drop()


def test_pages_around_the_chair(walk: Walk) -> None:
    for path, state in (
        (f"/courses/{walk.house.facts['course']}/session/", "prepare"),
        (f"{walk.chair(5)}seat/", "seat"),
        (f"/sessions/{walk.house.facts['sessions'][1]}/rems/", "rems"),
        (f"/sessions/{walk.house.facts['sessions'][1]}/note/", "note"),
    ):
        page = walk.page(path, live=False)
        walk.look(page, state)
        page.context.close()
    staff = walk.page(f"{walk.chair(1)}patient/", live=False)
    for label, words in (("What helps when it gets hard", "slow counting"), ("Words to say", "You are safe here")):
        staff.get_by_label(label, exact=True).fill(words)
    staff.get_by_role("radio", name="ask first").check()
    staff.get_by_role("button", name="Write down").click()
    staff.get_by_role("button", name="Make the call page").click()
    staff.locator(".qr .code").wait_for()
    walk.look(staff, "patient")
    phone = walk.browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    phone.goto(staff.locator(".qr .code").inner_text())
    walk.look(phone, "phone-free")
    phone.get_by_role("button", name="Begin on this phone").click()
    walk.look(phone, "phone-mine", forced=True)
    phone.get_by_role("button", name="Please come").click()
    expect(phone.get_by_text("The staff have been told")).to_be_visible()
    walk.look(phone, "phone-called")
    staff.context.close()
    phone.context.close()
    assert (walk.found, walk.faults) == ([], [])


FORMS: list[tuple[str, str]] = [
    ("Distress", "distress"),
    ("Symptom", "symptom"),
    ("Adverse event", "adverse-event"),
    ("Pump rate", "rate"),
    ("Stop infusion", "stop"),
    ("Hand over", "hand-over"),
    ("Correct a value", "by-hand"),
]


def by_keyboard(page: Page, name: str) -> None:
    """A form opens under the keyboard, and Escape gives it back to the button."""
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.locator("[data-panel]:not([hidden])").wait_for()
    assert page.evaluate("document.querySelector('[data-panel]').contains(document.activeElement)"), name


def back_to(page: Page, name: str) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel]")).to_be_hidden()
    assert page.evaluate("document.activeElement.textContent") == name


def test_every_form_at_the_chair(walk: Walk) -> None:
    page = walk.page(walk.chair(1))
    page.locator("[data-vital=HR].vital--live").wait_for()
    walk.look(page, "chair-live", forced=True)
    for name, state in FORMS:
        by_keyboard(page, name)
        walk.look(page, f"form-{state}", day=state in ("distress", "adverse-event", "stop"))
        back_to(page, name)
    rescue(walk, page)
    critical(walk, page)
    page.get_by_text("What happened", exact=True).click()
    page.get_by_role("button", name="Put right", exact=True).first.click()
    walk.look(page, "form-put-right")
    page.context.close()
    leaving = walk.page(walk.chair(3))
    for name, state in (("Before leaving", "leaving"), ("Discharge", "discharge")):
        by_keyboard(leaving, name)
        walk.look(leaving, f"form-{state}", day=False)
        back_to(leaving, name)
    leaving.context.close()
    assert (walk.found, walk.faults) == ([], [])


def rescue(walk: Walk, page: Page) -> None:
    """The order gives a range: the smaller, the larger, or one between, and a dose outside is refused in words."""
    by_keyboard(page, "Rescue")
    page.get_by_role("button", name="Asked: no allergies?").click()
    page.get_by_role("button", name="midazolam 1 to 2 mg").click()
    panel = page.locator("[data-panel]")
    expect(panel.get_by_role("button", name="2 mg, 0.4 mL")).to_be_visible()
    panel.get_by_label("Another dose, mg").fill("20")
    panel.get_by_role("button", name="Show this dose").click()
    expect(panel).to_contain_text("The order allows 1 to 2 mg.")
    walk.look(page, "form-rescue-how-much")
    panel.get_by_label("Another dose, mg").fill("1.53")
    panel.get_by_role("button", name="Show this dose").click()
    expect(panel).to_contain_text("midazolam 1.5 mg, 0.3 mL of 5 mg/mL, into a vein")
    expect(panel).to_contain_text("Asked 1.53 mg, used 1.5 mg")
    walk.look(page, "form-rescue-read-back")
    panel.get_by_label("Heard by").select_option(label="Nora-Second")
    panel.get_by_role("button", name="Read back and given").click()
    expect(page.get_by_text("Saved: Read back")).to_be_visible()
    by_keyboard(page, "Rescue")
    expect(panel).to_contain_text("not now")  # ten minutes between two
    back_to(page, "Rescue")


def critical(walk: Walk, page: Page) -> None:
    """A critical value is asked back: the keyboard stays in the question, and Escape corrects."""
    page.locator("[data-five=moaas] button[value='2']").focus()
    page.keyboard.press("Enter")
    page.locator("[data-five=dissociation] button[value='3']").focus()
    page.keyboard.press("Enter")
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("Sedation MOAA/S 2")
    walk.look(page, "critical", day=False)
    for _ in range(3):
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('[data-confirm]').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('[data-five]')?.dataset.five") == "dissociation"


def test_every_state_of_board_and_chair(walk: Walk) -> None:
    unheard = walk.page("/login/", live=False)
    unheard.route("**/live/**", lambda route: route.abort())
    unheard.goto(f"{walk.house.url}/board/")
    walk.look(unheard, "board-first-paint")
    unheard.goto(f"{walk.house.url}{walk.chair(1)}")
    walk.look(unheard, "chair-first-paint")
    unheard.context.close()
    board, chair = walk.page("/board/"), walk.page(walk.chair(1))
    board.locator(".tile [data-signal=HR].vital--live").nth(3).wait_for()
    walk.look(board, "board-live", forced=True)
    walk.monitors.silent = {1}
    walk.monitors.values[0] |= {"SPO2": 88.0, "HR": 135.0, "RR": 11.0}
    old = board.locator(".tile").nth(1)
    old.locator(".vital--stale[data-signal=HR]").wait_for()
    walk.look(board, "board-stale")
    for page, state in ((board, "board"), (chair, "chair")):
        rail = page.get_by_role("region", name="Alarms")
        for priority in ("HIGH", "MEDIUM", "LOW"):
            expect(rail.locator(".alarm", has_text=priority).first).to_be_visible()
        walk.look(page, f"{state}-alarms", forced=True)
    seen = chair.get_by_role("region", name="Alarms").locator(".alarm--high")
    seen.get_by_role("button", name="Seen, I am going").click()
    expect(chair.locator(".alarm--seen")).to_have_count(1)
    walk.look(chair, "chair-acknowledged", forced=True)
    walk.look(board, "board-acknowledged", day=False)
    old.locator(".vital--lost[data-signal=HR]").wait_for()
    walk.look(board, "board-lost", day=False)
    lost = walk.page(walk.chair(2))
    walk.look(lost, "chair-lost")
    lost.context.close()
    web = walk.house.running["web"]
    web.send_signal(signal.SIGSTOP)  # the line stands open and says nothing
    try:
        for page, state in ((board, "board"), (chair, "chair")):
            page.locator("body.is-blind").wait_for()
            walk.look(page, f"{state}-offline", forced=True)
    finally:
        web.send_signal(signal.SIGCONT)
    for page in (board, chair):
        page.locator("body.is-listening:not(.is-blind)").wait_for()
    emergency(walk, chair)
    for page in (board, chair):
        page.context.close()
    assert (walk.found, walk.faults) == ([], [])


def emergency(walk: Walk, page: Page) -> None:
    page.get_by_role("button", name="Emergency").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.querySelector('[data-emergency-mode]').contains(document.activeElement)")
    walk.look(page, "emergency", forced=True)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.evaluate("Boolean(document.activeElement.closest('[data-emergency-open]'))")
    page.keyboard.press("Enter")
    dialog.get_by_label("How it ended").fill("a drill, all well")
    dialog.get_by_role("button", name="End the emergency").click()
    expect(dialog).to_be_hidden()


def sizes() -> list[Any]:
    return [(1280, 800), (768, 1024), (390, 844), (320, 640)]


@pytest.mark.parametrize(("width", "height"), sizes())
def test_nothing_runs_off_a_screen_of_any_size(walk: Walk, width: int, height: int) -> None:
    """Board and chairs of each route: on a desk and a tablet every number and Stop are above the fold."""
    page = walk.page("/board/")
    page.set_viewport_size({"width": width, "height": height})
    page.locator(".tile [data-signal=HR].vital--live").nth(2).wait_for()
    page.wait_for_timeout(700)
    page.screenshot(path=PICTURES / f"board-{width}.png")
    assert page.evaluate(OFF_THE_SIDE) == []
    if width >= 768:
        assert page.evaluate(BELOW_THE_STRIP) == []
    for number in (1, 2):
        page.goto(f"{walk.house.url}{walk.chair(number)}")
        page.locator("body.is-listening:not(.is-blind)").wait_for()
        page.wait_for_timeout(700)
        page.screenshot(path=PICTURES / f"chair-{number}-{width}.png")
        assert page.evaluate(OFF_THE_SIDE) == []
        if width >= 768:
            assert page.evaluate(BELOW_THE_FOLD) == []
    page.context.close()


# What makes the page wider than its window.
OFF_THE_SIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((item) => item.getBoundingClientRect().right > window.innerWidth + 1)
    .map((item) => item.outerHTML.slice(0, 120))"""
# Numbers of a chair in use that end below the strip of the next five minutes.
BELOW_THE_STRIP = """() => {
  const floor = document.querySelector(".strip").getBoundingClientRect().top + 1;
  return [...document.querySelectorAll(".tile:not(.tile--empty) .vital")]
    .filter((item) => item.getBoundingClientRect().bottom > floor).map((item) => item.textContent);
}"""
# What a nurse must reach at once on a chair's page.
BELOW_THE_FOLD = """() => [...document.querySelectorAll(
    ".rail .alarm, .trend .vital, [data-five] button, .stop, [data-given], .emergency")]
  .filter((item) => item.getBoundingClientRect().bottom > window.innerHeight + 1).map((item) => item.textContent)"""
