"""A running floor for browser tests: the clinic, its monitors, and the people who look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from floor_room import Monitors
from live_processes import CSRF, House

BUILD = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
import floor_room
print(json.dumps(floor_room.build_floor(int(sys.argv[1]), int(sys.argv[2]))))
"""
SIZES = {"desk": (1280, 800), "tablet": (768, 1024), "phone": (390, 844)}


class Floor:
    """A running clinic with its monitors, and the people who look at it."""

    def __init__(self, house: House, monitors: Monitors, browser: Browser) -> None:
        self.house, self.monitors, self.browser = house, monitors, browser
        self.faults: list[str] = []

    def person(self, who: str = "cookie", size: str = "desk") -> Page:
        """A new browser, signed in."""
        width, height = SIZES[size]
        context = self.browser.new_context(viewport={"width": width, "height": height})
        cookies = {"sessionid": self.house.facts[who], "csrftoken": CSRF}
        context.add_cookies([{"name": n, "value": v, "url": self.house.url} for n, v in cookies.items()])
        page = context.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=30_000)
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        return page

    def board(self, **more: Any) -> Page:
        """The board, hearing and watched."""
        page = self.person(**more)
        page.goto(f"{self.house.url}/board/")
        page.locator("body.is-listening:not(.is-blind)").wait_for()
        page.locator(".tile [data-signal=HR].vital--live").nth(len(self.house.facts["sessions"]) - 1).wait_for()
        return page

    def chair(self, number: int, **more: Any) -> Page:
        """One chair's page, hearing."""
        page = self.person(**more)
        page.goto(self.address(number))
        page.locator("body.is-listening:not(.is-blind)").wait_for()
        page.locator("[data-vital=HR].vital--live").wait_for()
        return page

    def address(self, number: int) -> str:
        return f"{self.house.url}/session/{self.house.facts['sessions'][number - 1]}/"

    def events(self, number: int, kind: str) -> list[dict[str, Any]]:
        """What the clinic has on record, past the pages."""
        session = self.house.facts["sessions"][number - 1]
        code = (
            "from limen.clinic.sessions.models import SessionEvent;"
            "print(json.dumps([row.data for row in SessionEvent.objects.filter("
            "session=sys.argv[1], kind=sys.argv[2]).order_by('seq')]))"
        )
        found: list[dict[str, Any]] = self.house.ask(code, session, kind)
        return found


def running(folder: Path, chairs: int, in_use: int, browser: Browser, *, build: str = BUILD) -> Iterator[Floor]:
    house = House(folder)
    try:
        house.facts = house.ask(build, str(chairs), str(in_use))
        house.start("web")
        house.start("monitor")
        with Monitors(house.url, house.facts["tokens"]) as monitors:
            made = Floor(house, monitors, browser)
            yield made
            assert made.faults == [], made.faults
    finally:
        house.stop()
        house.database.drop()
