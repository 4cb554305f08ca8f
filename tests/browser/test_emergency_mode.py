"""Emergency mode in real Chromium: one press calls a second nurse's screen, the steps keep their times, and it opens
without a network; what was tapped then arrives when the network is back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.barriers import grave_barriers
from browser.demo_house import DemoHouse
from browser.person import ROOT
from limen.clinic.demo.accounts import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = ROOT / "test-output" / "emergency-mode"
WITHIN_MS = 10_000


@pytest.fixture(scope="module")
def pictures() -> Path:
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    return PICTURES


@pytest.fixture
def screens(chromium: Browser, demonstration: DemoHouse) -> Any:
    made: list[BrowserContext] = []
    faults: list[str] = []

    def screen(username: str) -> Page:
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        made.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(f"{demonstration.url}/login/")
        page.locator("input[name=login]").fill(username)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda address: "/login" not in address)
        return page

    yield screen
    for context in made:
        context.close()
    assert faults == []


def first_chair(page: Page, url: str) -> None:
    page.goto(f"{url}/board/")
    page.locator("a[href^='/session/']").first.click()
    page.wait_for_url(re.compile(r"/session/[0-9a-f-]{36}/$"))


def end(page: Page, outcome: str) -> None:
    page.get_by_label("How it ended").fill(outcome)
    page.get_by_role("button", name="End the emergency").click()
    expect(page.locator("[data-emergency-mode]")).to_be_hidden(timeout=WITHIN_MS)


def test_one_press_reaches_another_persons_screen_and_the_steps_keep_their_times(
    screens: Any, demonstration: DemoHouse, pictures: Path
) -> None:
    nurse, other = screens("nurse"), screens("nurse2")
    other.goto(f"{demonstration.url}/patients/")
    first_chair(nurse, demonstration.url)
    nurse.locator("[data-emergency-open]").click()
    expect(nurse.get_by_role("heading", name=re.compile("EMERGENCY"))).to_be_visible(timeout=1000)
    # A step that was tapped stays done, whatever an answer says that was on its way before it.
    with nurse.expect_response(
        lambda answer: "/live/here" in answer.url and bool(answer.json()["emergencies"])
    ) as told:
        pass
    before = told.value.json()["emergencies"]
    airway = nurse.get_by_role("button", name=re.compile("^Airway open"))
    posts: list[str] = []
    nurse.on("request", lambda asked: posts.append(asked.post_data or "") if asked.url.endswith("/act") else None)
    airway.click()
    nurse.evaluate("(list) => document.dispatchEvent(new CustomEvent('limen:emergencies', {detail: list}))", before)
    expect(airway).to_have_attribute("aria-pressed", "true", timeout=100)
    airway.click()
    nurse.wait_for_timeout(500)
    assert sum("emergency.step" in post for post in posts) == 1, "a second tap doubled the step"
    # It comes to the other person's page by itself, wherever that page is.
    expect(other.get_by_role("heading", name=re.compile("EMERGENCY"))).to_be_visible(timeout=WITHIN_MS)
    other.screenshot(path=pictures / "1 on the other screen.png")
    assert grave_barriers(other) == []
    other.get_by_role("button", name="I am going").click()
    other.get_by_role("button", name=re.compile("^Oxygen on")).click()
    people = nurse.locator("[data-em-people]")
    expect(people).to_contain_text(re.compile(r"going, \d\d:\d\d:\d\d"), timeout=WITHIN_MS)
    expect(nurse.get_by_role("button", name=re.compile(r"^Oxygen on \d\d:\d\d:\d\d"))).to_be_visible(timeout=WITHIN_MS)
    take = other.locator("[data-em-take] button").first
    name = take.inner_text().removeprefix("I take ")
    take.click()
    expect(other.locator("[data-em-take]")).to_contain_text(f"{name} taken by", timeout=WITHIN_MS)
    nurse.screenshot(path=pictures / "2 at the chair.png")
    assert grave_barriers(nurse) == []
    end(nurse, "exercise")
    expect(other.locator("[data-emergency-mode]")).to_be_hidden(timeout=WITHIN_MS)


def test_it_opens_without_a_network_and_what_was_tapped_arrives_later(
    screens: Any, demonstration: DemoHouse, pictures: Path
) -> None:
    nurse = screens("nurse")
    first_chair(nurse, demonstration.url)
    expect(nurse.locator("[data-emergency-open]")).to_be_visible()
    nurse.wait_for_timeout(1500)  # the sheet is fetched when the page opens
    nurse.context.set_offline(True)
    nurse.locator("[data-emergency-open]").click()
    expect(nurse.get_by_role("heading", name=re.compile("EMERGENCY"))).to_be_visible(timeout=1000)
    expect(nurse.get_by_text("CALL OUT LOUD")).to_be_visible(timeout=WITHIN_MS)
    expect(nurse.locator("[data-em-for]")).to_contain_text("kg")
    nurse.get_by_role("button", name=re.compile("^Airway open")).click()
    nurse.screenshot(path=pictures / "3 without a network.png")
    nurse.context.set_offline(False)
    expect(nurse.locator("[data-em-people]")).to_contain_text("shown", timeout=20_000)
    paper = nurse.locator("[data-em-paper]")
    expect(paper).to_be_visible(timeout=WITHIN_MS)
    address = paper.get_attribute("href")
    expect(nurse.get_by_role("button", name=re.compile(r"^Airway open \d\d:"))).to_be_visible(timeout=20_000)
    end(nurse, "exercise without a network")
    nurse.goto(f"{demonstration.url}{address}")
    expect(nurse.locator("main")).to_contain_text("Airway open")
    expect(nurse.locator("main")).to_contain_text("exercise without a network")
    nurse.screenshot(path=pictures / "4 on paper.png", full_page=True)
