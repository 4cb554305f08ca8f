"""What the page itself decides, in real Chromium: ages, blindness, kept words, a picture that is of another dose."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page

STATIC = Path(__file__).parents[2] / "src" / "limen" / "clinic" / "static" / "limen"

pytestmark = pytest.mark.browser

START = "2026-11-19T09:00:00+00:00"


def html(body: str, *, attributes: str = "", scripts: str = "clock ages drafts plan") -> str:
    sheets = "".join(f'<link rel="stylesheet" href="/limen/css/{name}.css">' for name in ("tokens", "base", "live"))
    tags = "".join(f'<script src="/limen/js/{name}.js" defer></script>' for name in scripts.split())
    root = f'<!doctype html><html lang="en" data-now="{START}" data-zone="UTC">'
    head = f'{root}<head><meta charset="utf-8"><title>t</title>{sheets}</head>'
    return f'{head}<body data-person="u1" {attributes}>{body}{tags}</body></html>'


VITAL = (
    '<dl class="vital" data-at="{at}" data-stale-s="10" data-lost-s="30"><dt><span>SpO2</span>'
    '<span class="age"></span></dt><dd><span class="figure">97</span><span class="u"> %</span></dd>'
    '<dd class="last" hidden></dd></dl>'
)
BLIND = (
    '<section class="blind" role="alert"><h2>NOT MONITORED</h2><p><span data-silent-span>an unknown time</span></p>'
    '</section><span class="pulse"><b></b><span data-pulse></span></span>'
)
FORM = (
    '<form method="get" action="/{target}" data-draft-key="facts:vitals:{patient}">'
    '<input name="sbp"><input type="radio" name="test" value="yes"><input type="password" name="password">'
    "<button>Save</button></form>"
)
PLAN = (
    '<form data-ask><input name="dose" value="0.5 mg/kg"><select name="vial"><option>10<option>50</select></form>'
    "<p data-outdated hidden>another dose</p><div data-sign><button>Sign 35.0 mg</button></div>"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "limen").symlink_to(STATIC)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing to the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda fault: faults.append(str(fault)))
    yield opened
    context.close()
    assert faults == []


def show(page: Page, site: tuple[str, Path], name: str, text: str) -> None:
    address, folder = site
    (folder / f"{name}.html").write_text(text, encoding="utf-8")
    page.goto(f"{address}/{name}.html")


def classes(page: Page, selector: str) -> set[str]:
    return set((page.locator(selector).get_attribute("class") or "").split())


def test_a_value_ages_from_live_to_stale_to_lost_without_any_word_from_the_server(page: Page, site) -> None:
    page.clock.install(time=START)
    show(page, site, "vital", html(VITAL.format(at="2026-11-19T08:59:58Z")))
    assert "vital--live" in classes(page, ".vital")
    assert page.locator(".age").inner_text() == "2 s"
    page.clock.run_for(10_000)
    assert "vital--stale" in classes(page, ".vital")
    assert page.locator(".age").inner_text() == "12 s old"
    assert page.locator(".figure").inner_text() == "97"
    page.clock.run_for(30_000)
    assert "vital--lost" in classes(page, ".vital")
    assert page.locator(".figure").inner_text() == "– –"
    assert page.locator(".age").inner_text() == "silent 0:42"
    assert page.locator("dd.last").inner_text() == "was 97 at 08:59:58"


def test_a_new_value_brings_a_lost_one_back(page: Page, site) -> None:
    page.clock.install(time=START)
    show(page, site, "back", html(VITAL.format(at="2026-11-19T08:50:00Z")))
    assert "vital--lost" in classes(page, ".vital")
    page.evaluate("Limen.show(document.querySelector('.vital'), 96, '2026-11-19T08:59:59Z')")
    assert "vital--live" in classes(page, ".vital")
    assert page.locator(".figure").inner_text() == "96"
    assert not page.locator("dd.last").is_visible()


@pytest.mark.parametrize("at", ["", "not a time"])
def test_a_value_without_a_time_is_lost_not_shown(page: Page, site, at: str) -> None:
    show(page, site, "never", html(VITAL.format(at=at)))
    assert "vital--lost" in classes(page, ".vital")
    assert page.locator(".age").inner_text() == "nothing heard yet"


def test_a_reading_from_the_future_does_not_look_fresh(page: Page, site) -> None:
    page.clock.install(time=START)
    show(page, site, "future", html(VITAL.format(at="2026-11-19T09:05:00Z")))
    assert "vital--stale" in classes(page, ".vital")
    assert page.locator(".age").inner_text() == "device clock ahead"


def test_a_screen_whose_own_clock_is_wrong_counts_from_the_servers(page: Page, site) -> None:
    page.clock.install(time="2026-11-19T11:30:00Z")
    show(page, site, "skewed", html(VITAL.format(at="2026-11-19T08:59:58Z")))
    assert page.locator(".age").inner_text() == "2 s"


def test_silence_shows_not_monitored_and_a_word_takes_it_away(page: Page, site) -> None:
    page.clock.install(time=START)
    show(page, site, "blind", html(BLIND, attributes='data-listening data-silent-s="10"'))
    assert not page.locator(".blind").is_visible()
    page.clock.run_for(11_000)
    assert page.locator(".blind").is_visible()
    assert page.locator("[data-silent-span]").inner_text() == "0:11"
    page.evaluate("Limen.heard('2026-11-19T09:00:11Z')")
    assert not page.locator(".blind").is_visible()
    assert page.locator(".pulse b").inner_text() == "Live"
    page.clock.run_for(11_000)
    assert page.locator(".blind").is_visible()
    assert page.locator(".pulse b").inner_text() == "Silent"


def test_a_monitor_that_never_ran_is_not_waited_for(page: Page, site) -> None:
    show(page, site, "unwatched", html(BLIND, attributes='data-listening data-silent-s="10"'))
    page.evaluate("Limen.heard('2026-11-19T09:00:00Z', Infinity)")
    assert page.locator(".blind").is_visible()
    assert "NaN" not in page.locator("body").inner_text()


def test_not_monitored_stands_where_the_scripts_never_ran(page: Page, site) -> None:
    show(page, site, "dead", html(BLIND, attributes='data-listening data-silent-s="10"', scripts=""))
    assert page.locator(".blind").is_visible()


def test_a_script_that_hangs_cannot_hold_the_bar_back(page: Page, site) -> None:
    """The style sheet's own timer shows the bar: here it is put to its end while no script timer runs."""
    page.clock.install(time=START)
    show(page, site, "hung", html(BLIND, attributes='data-listening data-silent-s="10"'))
    for beat in ("a", "b"):
        page.evaluate(f"document.body.dataset.beat = '{beat}'")
        assert not page.locator(".blind").is_visible()
        page.evaluate("for (const run of document.querySelector('.blind').getAnimations()) run.finish()")
        assert page.locator(".blind").is_visible()


def test_in_the_room_a_hung_script_is_seen_within_five_seconds(page: Page, site) -> None:
    page.clock.install(time=START)
    show(page, site, "hung-room", html(BLIND, attributes='class="room" data-listening data-silent-s="5"'))
    delays = page.evaluate(
        "document.querySelector('.blind').getAnimations().map((run) => run.effect.getComputedTiming().delay)"
    )
    assert delays
    assert max(delays) < 5000


def test_typed_words_outlive_a_reload_and_say_so(page: Page, site) -> None:
    show(page, site, "form", html(FORM.format(target="form.html", patient="p1")))
    page.fill("[name=sbp]", "148")
    page.check("[name=test]")
    page.fill("[name=password]", "secret")
    page.reload()
    assert page.input_value("[name=sbp]") == "148"
    assert page.is_checked("[name=test]")
    assert page.input_value("[name=password]") == ""
    assert "not saved" in page.locator(".draft").inner_text()
    page.click(".draft button")
    assert page.input_value("[name=sbp]") == ""
    page.reload()
    assert page.locator(".draft").count() == 0


def test_words_typed_for_one_patient_never_reach_another(page: Page, site) -> None:
    show(page, site, "form", html(FORM.format(target="form.html", patient="p1")))
    page.fill("[name=sbp]", "148")
    show(page, site, "other", html(FORM.format(target="other.html", patient="p2")))
    assert page.input_value("[name=sbp]") == ""
    text = html(FORM.format(target="third.html", patient="p1")).replace('data-person="u1"', 'data-person="u2"')
    show(page, site, "third", text)
    assert page.input_value("[name=sbp]") == ""


def test_a_sign_in_between_keeps_what_was_sent(page: Page, site) -> None:
    _, folder = site
    (folder / "login.html").write_text(html("<a href='form.html'>in</a>", attributes='data-page="sign-in"'))
    show(page, site, "form", html(FORM.format(target="login.html", patient="p1")))
    page.fill("[name=sbp]", "148")
    page.click("button")
    page.wait_for_url("**/login.html*")
    page.click("a")
    assert page.input_value("[name=sbp]") == "148"


def test_a_saved_form_is_forgotten(page: Page, site) -> None:
    _, folder = site
    (folder / "saved.html").write_text(html("<a href='form.html'>again</a>"))
    show(page, site, "form", html(FORM.format(target="saved.html", patient="p1")))
    page.fill("[name=sbp]", "148")
    page.click("button")
    page.wait_for_url("**/saved.html*")
    page.click("a")
    assert page.input_value("[name=sbp]") == ""


def test_a_lost_network_keeps_what_was_sent(page: Page, site) -> None:
    address, _ = site
    show(page, site, "form", html(FORM.format(target="nowhere", patient="p1")))
    page.fill("[name=sbp]", "148")
    page.route("**/nowhere*", lambda route: route.abort())
    page.click("button", no_wait_after=True)
    page.wait_for_timeout(200)
    page.goto(f"{address}/form.html")
    assert page.input_value("[name=sbp]") == "148"


def test_a_changed_dose_cannot_be_signed_on_the_old_picture(page: Page, site) -> None:
    show(page, site, "plan", html(PLAN))
    sign = page.locator("[data-sign] button")
    assert sign.is_enabled()
    page.fill("[name=dose]", "5 mg/kg")
    assert sign.is_disabled()
    assert page.locator("[data-outdated]").is_visible()
    page.fill("[name=dose]", "0.5 mg/kg")
    assert sign.is_enabled()
    page.select_option("[name=vial]", "50")
    assert sign.is_disabled()
