"""What the screens say when something fails, in real Chromium on real processes: board and chair side by side.

Each fault is made, both pages say so in words, a tap made meanwhile is kept or refused in words, and when the fault
ends both pages go on by themselves, never loaded again, and the tap stands once. How many seconds it took each time is
kept with the pictures: a busy test machine proves nothing about five of them.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Error, Page, Request, Route, expect

from browser.barriers import grave_barriers
from cable import Cable
from floor_room import Monitors
from live_processes import CSRF, TESTS, House

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BUILD = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
import floor_room
print(json.dumps(floor_room.build_floor(2, 2)))
"""
FELT = """
from limen.clinic.sessions.models import SessionEvent
rows = SessionEvent.objects.filter(session=sys.argv[1]).order_by("seq")
felt = {row.data["text"]: row.data.get("received_t_s") for row in rows.filter(kind="symptom.reported")}
print(json.dumps({"felt": [row.data["text"] for row in rows.filter(kind="symptom.reported")],
                  "late": [text for text, received_t_s in felt.items() if received_t_s is not None],
                  "times": [row.t_s for row in rows]}))
"""
PICTURES = Path(__file__).parents[2] / "test-output" / "faults"
PATIENT_MS = 30_000
LATE_S = 2.0  # a tap that travels for less happened when it arrived
LARGEST_PX = """() => Math.max(0, ...[...document.querySelectorAll(".vital dd:not(.last)")]
    .filter((dd) => dd.checkVisibility({ visibilityProperty: true }))
    .map((dd) => parseFloat(getComputedStyle(dd).fontSize)))"""


def told_late(request: Request) -> bool:
    return request.method == "POST" and (request.post_data_json or {}).get("late_s", 0.0) >= LATE_S


class Watch:
    """Board and chair 1, open since the beginning."""

    def __init__(self, house: House, cable: Cable, monitors: Monitors, browser: Browser) -> None:
        self.house, self.cable, self.monitors, self.browser = house, cable, monitors, browser
        self.seconds: dict[str, float] = {}
        self.faults: list[str] = []
        self.board, self.chair = self.page(), self.page()
        self.board.goto(f"{cable.url}/board/")
        self.chair.goto(self.address)
        self.pages = (self.board, self.chair)
        for page in self.pages:
            page.evaluate("window.openedOnce = true")

    @property
    def address(self) -> str:
        return f"{self.cable.url}/session/{self.house.facts['sessions'][0]}/"

    def page(self, *, script: bool = True) -> Page:
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=script)
        cookies = {"sessionid": self.house.facts["cookie"], "csrftoken": CSRF}
        context.add_cookies([{"name": n, "value": v, "url": self.cable.url} for n, v in cookies.items()])
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        page.on("pageerror", self.note)
        return page

    def note(self, fault: Error) -> None:
        """What a script of a page did not catch."""
        self.faults.append(str(fault))

    def well(self, fault: str = "") -> None:
        """Both pages hear, are watched and show live numbers; they were never loaded again."""
        begin = time.monotonic()
        for page, place in ((self.board, ".tile"), (self.chair, "main")):
            page.locator("body.is-listening:not(.is-blind)").wait_for()
            page.locator(f"{place} :is([data-vital=HR], [data-signal=HR]).vital--live").first.wait_for()
            page.locator(".blind").wait_for(state="hidden")
            assert page.evaluate("window.openedOnce"), "the page was loaded again"
        if fault:
            self.seconds[f"{fault}: well again after"] = round(time.monotonic() - begin, 2)

    def said(self, fault: str, make: Callable[[], object], words: str) -> None:
        """Make the fault; both pages say NOT MONITORED and why, and show no live-size number."""
        make()
        begin = time.monotonic()
        for page in self.pages:
            page.get_by_role("heading", name="NOT MONITORED").wait_for(state="visible")
        self.seconds[f"{fault}: NOT MONITORED after"] = round(time.monotonic() - begin, 2)
        for page in self.pages:
            expect(page.locator(".blind")).to_contain_text(words, use_inner_text=True, timeout=PATIENT_MS)
            assert page.evaluate(LARGEST_PX) <= 40, "a number of live size on a blind page"

    def look(self, name: str) -> None:
        for page, kind in ((self.board, "board"), (self.chair, "chair")):
            page.screenshot(path=PICTURES / f"{name}-{kind}.png")
            assert grave_barriers(page) == [], f"{name} {kind}"

    def tap(self, felt: str) -> None:
        """A nurse writes down what the patient feels."""
        self.chair.get_by_role("button", name="Symptom", exact=True).click()
        self.chair.get_by_label("In words").fill(felt)
        self.chair.get_by_role("button", name="Write down").click()

    def kept(self, *words: str) -> None:
        """The page keeps the tap and says so, for so long that the server is told that it comes late."""
        for word in ("1 tap kept here, not sent yet", *words):
            expect(self.chair.locator("[data-kept]")).to_contain_text(word, timeout=PATIENT_MS)
        expect(self.chair.locator("[data-panel]")).to_contain_text("kept here, sent when the clinic answers")
        self.chair.wait_for_event("request", told_late)  # again and again until it is taken

    def stands(self, felt: str, *, late: bool = False) -> None:
        """The tap is with the server, once, and the session's time never ran back; sent late, it kept its own time."""
        expect(self.chair.locator("[data-kept]")).to_be_hidden(timeout=PATIENT_MS)
        expect(self.chair.locator("[data-panel]")).not_to_contain_text("kept here", timeout=PATIENT_MS)
        found = self.house.ask(FELT, self.house.facts["sessions"][0])
        assert found["felt"].count(felt) == 1, found["felt"]
        assert (felt in found["late"]) is late
        assert found["times"] == sorted(found["times"])


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clock") / "turned_s"


@pytest.fixture(scope="module")
def watch(chromium: Browser, tmp_path_factory: pytest.TempPathFactory, turned: Path) -> Iterator[Watch]:
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    house = House(tmp_path_factory.mktemp("faults"))
    cable = Cable(house.port)
    try:
        house.facts = house.ask(BUILD)
        house.env["LIMEN_TEST_CLOCK"] = str(turned)
        house.env["PYTHONPATH"] = os.pathsep.join([str(TESTS / "turned_clock"), house.env["PYTHONPATH"]])
        house.start("web")
        house.start("monitor")
        with Monitors(house.url, house.facts["tokens"]) as monitors:
            made = Watch(house, cable, monitors, chromium)
            yield made
            assert made.faults == []
            (PICTURES / "seconds.json").write_text(json.dumps(made.seconds, indent=1) + "\n", encoding="utf-8")
    finally:
        cable.close()
        house.stop()
        house.database.drop()


@pytest.fixture(autouse=True)
def well(watch: Watch) -> None:
    watch.well()


def test_a_page_whose_script_never_ran(watch: Watch) -> None:
    for address in (f"{watch.cable.url}/board/", watch.address):
        page = watch.page(script=False)
        page.goto(address)
        expect(page.get_by_role("heading", name="NOT MONITORED")).to_be_visible()
        expect(page.locator(".blind")).to_contain_text("a tap does nothing", use_inner_text=True)
        for dead in ("main", ".clock", ".pulse", ".emergency"):
            expect(page.locator(dead).first).to_be_hidden()
        page.context.close()


@pytest.mark.parametrize("part", ["js/live-log.js", "css/live.css"])
def test_a_page_that_lacks_a_part_is_loaded_anew(watch: Watch, part: str) -> None:
    page, missed = watch.page(), []
    page.remove_listener("pageerror", watch.note)

    def lose(route: Route) -> None:
        missed.append(route.request.url)
        route.abort() if len(missed) == 1 else route.continue_()

    page.route(f"**/{part}", lose)
    page.goto(watch.address)
    until = time.monotonic() + PATIENT_MS / 1000
    while len(missed) < 2 and time.monotonic() < until:
        page.wait_for_timeout(100)
    page.locator("body.is-listening:not(.is-blind)").wait_for()
    page.locator("[data-vital=HR].vital--live").wait_for()
    assert len(missed) == 2
    page.context.close()


def test_a_script_that_stops(watch: Watch) -> None:
    time.sleep(1)  # the words of a page that was blind a moment ago are in place again
    links = [page.context.new_cdp_session(page) for page in watch.pages]

    def stop(*, stopped: bool) -> None:
        for link in links:
            link.send("Emulation.setScriptExecutionDisabled", {"value": stopped})

    watch.said("script stopped", lambda: stop(stopped=True), "This page stands still")
    for page in watch.pages:
        expect(page.locator(".blind")).to_contain_text("Last sign", use_inner_text=True)
        for dead in ("main", ".clock", ".pulse", ".emergency"):  # what would stand still, or not answer, is not there
            expect(page.locator(dead).first).to_be_hidden()
        page.screenshot(path=PICTURES / f"script-stopped-{'board' if page is watch.board else 'chair'}.png")
    stop(stopped=False)
    watch.well("script stopped")
    for page in watch.pages:  # the clock goes on too, and so does asking who is called
        shown = page.locator(".clock").inner_text()
        expect(page.locator(".clock")).not_to_have_text(shown, timeout=PATIENT_MS)
        page.wait_for_event("request", lambda request: request.url.endswith("/live/here"))
    for link in links:
        link.detach()


def test_the_line_is_cut_and_what_was_missed_is_drawn_as_a_gap(watch: Watch) -> None:
    lane = watch.chair.locator("[data-lane=HR]")
    before = int(lane.get_attribute("data-gaps") or 0)
    watch.monitors.silent.add(0)
    watch.said("stream cut", watch.cable.cut, "This screen has heard nothing for")
    watch.tap("told while the line was cut")
    watch.kept()
    watch.look("stream-cut")
    time.sleep(12)  # in all longer than a lane bears without hatching
    watch.monitors.silent.clear()
    watch.cable.mend()
    watch.well("stream cut")
    expect(lane).to_have_attribute("data-gaps", str(before + 1), timeout=PATIENT_MS)
    watch.stands("told while the line was cut", late=True)
    watch.look("stream-back")


def test_a_laptop_that_slept_ten_minutes_wakes_without_live_numbers(watch: Watch) -> None:
    page = watch.page()
    page.set_viewport_size({"width": 390, "height": 844})  # the longest page there is
    page.clock.install()
    page.goto(watch.address)
    page.locator("[data-vital=HR].vital--live").wait_for()
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    watch.cable.cut()  # nothing comes in while it sleeps
    page.clock.fast_forward(600_000)
    assert page.locator(":is([data-vital=HR], [data-vital=SPO2], [data-vital=RR]).vital--live").count() == 0
    assert page.evaluate(LARGEST_PX) <= 40
    expect(page.get_by_role("heading", name="NOT MONITORED")).to_be_in_viewport()
    expect(page.locator("[data-vital=HR] .age")).to_contain_text("silent 10:")
    page.screenshot(path=PICTURES / "woken-chair.png")
    watch.cable.mend()
    page.locator("[data-vital=HR].vital--live").wait_for()
    page.locator("body.is-listening:not(.is-blind)").wait_for()
    page.context.close()


def test_the_monitor_is_killed(watch: Watch) -> None:
    watch.said("monitor killed", lambda: watch.house.kill("monitor"), "The alarm monitor has given no sign for")
    expect(watch.board.locator(".blind")).to_contain_text("Nobody checks the limits")
    watch.tap("told while nobody watched")
    watch.stands("told while nobody watched")  # the server takes it all the same
    watch.look("monitor-killed")
    watch.house.start("monitor")
    watch.well("monitor killed")


def test_the_server_is_killed(watch: Watch) -> None:
    watch.said("server killed", lambda: watch.house.kill("web"), "This screen has heard nothing for")
    watch.tap("told while the server was dead")
    watch.kept()
    watch.look("server-killed")
    link = watch.board.context.new_cdp_session(watch.board)
    link.send("Emulation.setScriptExecutionDisabled", {"value": True})  # and now the blind page's own script stops
    expect(watch.board.locator("main")).to_be_hidden(timeout=PATIENT_MS)
    link.send("Emulation.setScriptExecutionDisabled", {"value": False})
    expect(watch.board.locator("main")).to_be_visible(timeout=PATIENT_MS)
    watch.house.start("web")
    watch.well("server killed")
    watch.stands("told while the server was dead", late=True)


def test_the_disk_is_full(watch: Watch) -> None:
    if watch.house.database.server:
        pytest.skip(
            "PostgreSQL writes to the disk of its own server; its word for a full one is read in test_database_answers"
        )

    def room(limit: int) -> None:
        """How large a file of the clinic's processes may grow: what is beyond is refused by the kernel."""
        for process in watch.house.running.values():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    watch.said("disk full", lambda: room(0), "The disk of the clinic's server is full")
    watch.tap("told while the disk was full")
    watch.kept("the disk of the clinic's server is full")
    watch.look("disk-full")
    room(resource.RLIM_INFINITY)
    watch.well("disk full")
    watch.stands("told while the disk was full", late=True)


def test_the_clock_is_set_back_an_hour(watch: Watch, turned: Path) -> None:
    def minutes(page: Page) -> float:
        """The time since the pump was started, as the page tells it."""
        text = page.locator(".pump [data-phase]").inner_text()
        parts = [int(part) for part in re.findall(r"\d+", text)[: 3 if text.count(":") > 1 else 2]]
        return parts[0] + parts[1] / 60 if len(parts) == 2 else 60 * parts[0] + parts[1]

    watch.tap("told before the clock was turned")
    watch.stands("told before the clock was turned")
    before = minutes(watch.chair)
    begin = time.monotonic()
    turned.write_text("-3600")
    expect(watch.chair.locator("[data-doubts]")).to_contain_text(
        "The server’s clock was set back by 60 min", timeout=PATIENT_MS
    )
    expect(watch.chair.locator("[data-doubts]")).to_contain_text("Ages and time left stay right")
    expect(watch.board.locator(".bar [data-turned]")).to_contain_text("set back 60 min", timeout=PATIENT_MS)
    watch.seconds["clock set back: said after"] = round(time.monotonic() - begin, 2)
    watch.well("clock set back")
    watch.tap("told after the clock was turned")
    watch.stands("told after the clock was turned")
    fresh = watch.page()
    fresh.goto(watch.address)
    fresh.locator("[data-vital=HR].vital--live").wait_for()
    for page in (watch.chair, fresh):
        assert 0 <= minutes(page) - before < 10, "the session's time jumped"
        expect(page.locator("[data-vital=HR] .age")).to_have_text(re.compile(r"^\d s$"))
    watch.look("clock-set-back")
    # Whatever dies now is missed as soon as ever: no sign counts that seems to come from the future.
    watch.said(
        "monitor killed after it", lambda: watch.house.kill("monitor"), "The alarm monitor has given no sign for"
    )
    watch.house.start("monitor")
    watch.well("monitor killed after it")
    fresh.context.close()
