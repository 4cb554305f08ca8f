"""A symptom is written down, and later that it is gone: its alarm leaves the chair, in one tap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, expect

from browser.floor_house import Floor, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = Path(__file__).parents[2] / "test-output" / "symptom-gone"


@pytest.fixture(scope="module")
def floor(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    yield from running(tmp_path_factory.mktemp("gone"), 1, 1, chromium)


def test_what_stands_is_offered_as_gone_and_its_alarm_leaves(floor: Floor) -> None:
    page = floor.chair(1)
    symptom = page.get_by_role("button", name="Symptom", exact=True)
    for words in ("nausea", "chest pain"):
        symptom.click()
        page.get_by_label("In words").fill(words)
        page.get_by_role("button", name="Write down").click()
        expect(page.get_by_role("button", name="Write down")).to_have_count(0)
    alarms = page.locator("[data-rail]")
    expect(alarms).to_contain_text("Chest pain reported")
    expect(alarms).to_contain_text("Nausea or vomiting reported")
    symptom.click()
    page.screenshot(path=PICTURES / "offered.png")
    page.get_by_role("button", name="Gone: nausea").click()
    expect(alarms).not_to_contain_text("Nausea or vomiting reported")
    expect(alarms).to_contain_text("Chest pain reported")
    alarms.get_by_role("button", name="Seen, I am going").first.click()  # the gravest: else it stays until it is seen
    symptom.click()
    expect(page.get_by_role("button", name="Gone: nausea")).to_have_count(0)
    page.get_by_role("button", name="Gone: chest pain").click()
    expect(alarms).not_to_contain_text("Chest pain reported")
    expect(page.locator("[data-log]")).to_contain_text("symptoms none")
    page.screenshot(path=PICTURES / "gone.png", full_page=True)
