"""A person at a browser, who does what the tutorial says and looks at what the page shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from browser.barriers import grave_barriers
from browser.guide import Guide
from limen.clinic.demo.accounts import PASSWORD

ROOT = Path(__file__).parents[2]


def starting(text: str, then: str) -> re.Pattern[str]:
    """A name that begins with ``text``. The driver ends a pattern at a slash, so each is escaped."""
    return re.compile("^" + re.escape(text).replace("/", r"\/") + then)


class Person:
    """Uses one control at a time, by the name that a reader of the screen would say."""

    def __init__(self, page: Page, url: str, guide: Guide, pictures: Path) -> None:
        self.page = page
        self.url = url
        self.guide = guide
        self.pictures = pictures
        self.seen: list[str] = []

    # ---- who is here

    def sign_in(self, username: str) -> None:
        """Log out whoever is signed in, and sign in."""
        self.page.goto(f"{self.url}/patients/")
        out = self.page.get_by_role("button", name="Log out", exact=True)
        if out.count():
            out.click()
            self.page.goto(f"{self.url}/login/")
        self.page.locator("input[name=login]").fill(username)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(lambda address: "/login" not in address)

    def open_patient(self, name: str) -> None:
        """The chart, from the list of patients."""
        self.page.goto(f"{self.url}/patients/")
        self.page.get_by_role("link", name=name, exact=True).click()

    # ---- controls, each named in the tutorial

    def press(self, label: str, *, inside: Locator | None = None) -> None:
        """A button or a link."""
        self.guide.use(label)
        where = inside or self.page
        found = where.get_by_role("button", name=label, exact=True).or_(
            where.get_by_role("link", name=label, exact=True)
        )
        found.first.click()

    def fill(self, label: str, value: str, *, inside: Locator | None = None) -> None:
        """A field."""
        self.guide.use(label)
        (inside or self.page).get_by_label(label, exact=True).first.fill(value)

    def choose(self, label: str, option: str, *, inside: Locator | None = None) -> None:
        """One of a few, or one of a list."""
        self.guide.use(label)
        where = inside or self.page
        group = where.get_by_role("group", name=starting(label, r"( \S+)?$"))  # a unit may follow
        if group.count():
            group.first.get_by_role("radio", name=starting(option, "(:|$)")).check()
            return
        listed = where.get_by_label(label, exact=True).first
        options = listed.locator("option").all_inner_texts()
        fitting = [text for text in options if text.startswith(option)]
        whole = [text for text in fitting if text.partition(":")[0] == option]  # a name may begin another's
        listed.select_option(label=(whole or fitting)[0])

    def tick(self, label: str) -> None:
        """A box."""
        self.guide.use(label)
        self.page.get_by_label(label, exact=True).check()

    def attach(self, label: str, file: Path) -> None:
        """A file field."""
        self.guide.use(label)
        self.page.get_by_label(label, exact=True).set_input_files(file)

    def group(self, name: str, values: dict[str, str]) -> None:
        """A group of the entry page, filled in and saved."""
        region = self.page.get_by_role("region", name=name, exact=True)
        for label, value in values.items():
            if region.get_by_role("group", name=label, exact=True).count():
                self.choose(label, value, inside=region)
            else:
                self.fill(label, value, inside=region)
        with self.page.expect_navigation():
            self.press(f"Save “{name}”", inside=region)
        expect(self.page.locator(".errors")).to_have_count(0)

    # ---- what the page shows

    def see(self, *texts: str, wait_s: float = 10.0) -> None:
        """Each text stands somewhere on the page."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(text, timeout=wait_s * 1000)

    def look(self, name: str) -> None:
        """Keep a picture of the page, and let axe look for barriers."""
        self.seen.append(name)
        self.page.screenshot(path=self.pictures / f"{len(self.seen):02} {name}.png", full_page=True)
        assert grave_barriers(self.page) == [], name


def ago(minutes_min: float) -> str:
    """A moment on the demonstration's clock, which is UTC, as a field takes it."""
    return f"{datetime.now(UTC) - timedelta(minutes=minutes_min):%Y-%m-%dT%H:%M}"
