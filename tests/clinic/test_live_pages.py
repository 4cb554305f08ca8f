"""The chair in real Chromium: what a nurse sees when all is well. What it says when something fails: test_faults."""

from __future__ import annotations

import subprocess
import sys

import pytest

from live_processes import house

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def room(chromium, tmp_path_factory):
    with house(tmp_path_factory.mktemp("pages"), chairs=1) as made:
        made.start("web")
        made.start("monitor")
        chair = subprocess.Popen(
            [sys.executable, "-m", "limen.cli.main", "device", "chair", "--device", "chair-1", "--url", made.url],
            env={**made.env, "LIMEN_DEVICE_TOKEN": made.facts["tokens"][0]},
            stdout=subprocess.DEVNULL,
        )
        try:
            yield made
        finally:
            chair.terminate()
            chair.wait(timeout=20)


@pytest.fixture
def page(chromium, room):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": name, "value": value, "url": room.url} for name, value in room.cookies.items()])
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda problem: faults.append(str(problem)))
    yield opened
    context.close()
    assert faults == []


def test_the_chair_shows_values_with_ages_and_takes_an_observation_in_two_taps(room, page):
    page.goto(f"{room.url}/session/{room.facts['sessions'][0]}/")
    heart = page.locator("[data-vital=HR]")
    page.locator("[data-vital=HR].vital--live").wait_for(timeout=40_000)
    assert 40 < int(heart.locator(".figure").inner_text()) < 120
    page.locator(".blind").wait_for(state="hidden", timeout=30_000)
    page.click("[data-five=moaas] button[value='5']")
    page.click("[data-five=dissociation] button[value='1']")
    page.get_by_text("Saved: sedation 5, dissociation 1").wait_for(timeout=10_000)
    page.get_by_role("button", name="Pump is started: 35.0 mg over 40 min").click()
    page.get_by_role("button", name="Stop infusion").wait_for(timeout=10_000)
    kinds = room.ask(
        "from limen.clinic.sessions.models import SessionEvent;"
        "print(json.dumps(list(SessionEvent.objects.values_list('kind', flat=True))))"
    )
    assert "observation.recorded" in kinds
    assert "infusion.started" in kinds
    assert page.get_by_role("button", name="Stop infusion").bounding_box()["y"] < 800
    assert page.locator("[data-five=dissociation]").bounding_box()["y"] + 68 <= 800
