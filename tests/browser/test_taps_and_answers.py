"""Taps that come twice, late or after the sign-in ended, and answers that fail, come late or out of order.

Real Chromium on real processes; what cannot be made to happen by itself is put in by Playwright's routes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, Route, expect

from browser.floor_house import BUILD, Floor, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = Path(__file__).parents[2] / "test-output" / "taps-and-answers"
ROUTES = BUILD.replace("floor_room.build_floor(int(sys.argv[1]), int(sys.argv[2]))", "floor_room.build_routes()")
INFUSION, SPRAY = 1, 2
QUESTION_MS = 15_000
STREAM = """
const Real = window.EventSource;
window.EventSource = class extends Real {
  constructor(url) { super(url); window.theStream = this; }
};
window.tell = (kind, data, id = "") => window.theStream.dispatchEvent(
  new MessageEvent(kind, { data: JSON.stringify(data), lastEventId: String(id) }));
"""


@pytest.fixture(scope="module")
def floor(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    yield from running(tmp_path_factory.mktemp("taps"), 0, 0, chromium, build=ROUTES)


def hears(page: Page) -> None:
    page.locator("body.is-listening:not(.is-blind)").wait_for()


def symptom(page: Page, words: str) -> None:
    page.get_by_role("button", name="Symptom", exact=True).click()
    page.get_by_label("In words").fill(words)
    page.get_by_role("button", name="Write down").click()


def felt(floor: Floor, number: int) -> list[str]:
    return [event["text"] for event in floor.events(number, "symptom.reported")]


def test_a_page_whose_sign_in_has_ended_goes_blind_and_comes_back_by_itself(floor: Floor) -> None:
    chair = floor.chair(INFUSION)
    board = chair.context.new_page()
    board.goto(f"{floor.house.url}/board/")
    pages = (chair, board)
    for page in pages:
        hears(page)
        page.evaluate("window.openedOnce = true")
    kept = chair.locator("[data-kept]")

    def sign_in(who: str, token: str) -> None:
        cookies = {"sessionid": floor.house.facts[who], "csrftoken": token * 32}
        chair.context.add_cookies([{"name": n, "value": v, "url": floor.house.url} for n, v in cookies.items()])

    chair.context.clear_cookies(
        name="sessionid"
    )  # the stream goes on, as it does when the idle limit has ended the sign-in
    symptom(chair, "told while signed out")
    expect(kept).to_contain_text("1 tap kept here, not sent yet: you are signed out, sign in again")
    floor.monitors.values[INFUSION - 1]["SPO2"] = 86.0  # an alarm: the board asks for its state
    for page in pages:
        expect(page.get_by_role("heading", name="NOT MONITORED")).to_be_visible()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
    # In another tab another person signs in: nothing goes under that name. Then the same person, with a new token.
    sign_in("second", "d")
    expect(kept).to_contain_text("this page is older than your sign-in")
    assert "told while signed out" not in felt(floor, INFUSION)
    chair.context.clear_cookies(name="sessionid")
    expect(chair.get_by_text("You are signed out.")).to_be_visible()
    sign_in("cookie", "e")
    for page in pages:
        hears(page)
        expect(page.get_by_role("region", name="Alarms", exact=True)).to_contain_text("SpO2")
        assert page.evaluate("window.openedOnce"), "the page was loaded again"
    expect(kept).to_be_hidden()
    assert felt(floor, INFUSION).count("told while signed out") == 1
    floor.monitors.values[INFUSION - 1]["SPO2"] = 97.0
    chair.context.close()


def test_what_was_meant_last_is_saved_once(floor: Floor) -> None:
    page = floor.chair(SPRAY)
    given = page.locator("[data-given]")
    expect(given).to_have_text("56.0")
    # A double tap of the third device is one device, and it can be taken back for ten seconds.
    button = page.get_by_role("button", name=re.compile("^Given: 28.0 mg, device 3 of 3"))
    button.evaluate("button => { button.click(); button.click(); }")
    expect(given).to_have_text("84.0")
    expect(page.get_by_text(re.compile("^Saved: Given: 28.0 mg"))).to_be_visible()
    assert len(floor.events(SPRAY, "dose.given")) == 3
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(given).to_have_text("56.0")
    expect(button).to_be_enabled()

    # A slip: "1" of sedation is shown back, and "5" is tapped instead of "Correct it".
    sedation, dissociation = (page.locator(f"[data-five={name}]") for name in ("moaas", "dissociation"))
    asked = page.get_by_role("alertdialog")
    before = len(floor.events(SPRAY, "observation.recorded"))
    for _ in range(2):  # pressed again it is not pressed any more: nothing is asked and nothing saved
        dissociation.locator("button[value='2']").click()
        sedation.locator("button[value='1']").click()
        expect(asked).to_contain_text("Sedation MOAA/S 1")
        sedation.locator("button[value='1']").click()
        expect(asked).to_be_hidden()
        expect(page.locator("[data-obs-said]")).to_contain_text("1 of 2 tapped")
        dissociation.locator("button[value='2']").click()
    dissociation.locator("button[value='2']").click()
    sedation.locator("button[value='1']").click()
    expect(asked).to_be_visible()
    since = time.monotonic()
    sedation.locator("button[value='5']").click()
    expect(asked).to_be_hidden()
    expect(page.get_by_text("Saved: sedation 5, dissociation 2.")).to_be_visible()

    # What an oximeter sends for "no value" is never a number.
    page.evaluate(
        """() => { const place = document.querySelector("[data-vital=SPO2] .figure"); window.shown = new Set();
        new MutationObserver(() => window.shown.add(place.textContent)).observe(place,
          {childList: true, characterData: true, subtree: true}); }"""
    )
    floor.monitors.values[SPRAY - 1]["SPO2"] = 127.0
    expect(page.locator("[data-vital=SPO2] .age")).to_contain_text("no valid value", timeout=60_000)
    assert "127" not in page.evaluate("[...window.shown]")
    floor.monitors.values[SPRAY - 1]["SPO2"] = 97.0

    # Kept, and refused when it came: it is said until somebody has read it. Every form that waits is told.
    page.route("**/act", lambda route: route.abort())
    symptom(page, "told two hours ago")
    expect(page.locator("[data-panel]")).to_contain_text("kept here")
    page.get_by_role("button", name="Distress", exact=True).click()
    page.locator(".grades-row").get_by_role("button", name="none").click()
    expect(page.locator("[data-panel]")).to_contain_text("Distress none: kept here")
    page.evaluate(
        """() => { const name = Object.keys(sessionStorage).find((key) => key.startsWith("limen.deeds."));
        const deeds = JSON.parse(sessionStorage.getItem(name)); deeds[0].at -= 7200000;
        sessionStorage.setItem(name, JSON.stringify(deeds)); }"""
    )
    page.unroute("**/act")
    said = page.locator("[data-kept]")
    expect(said).to_contain_text("Not taken, write it down again: symptom reported, text told two hours ago, tapped ")
    page.reload()
    expect(said).to_contain_text("Not taken, write it down again: symptom reported")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.screenshot(path=PICTURES / "refused-later.png")
    said.get_by_role("button", name="Read").click()
    expect(said).to_be_hidden()
    assert "told two hours ago" not in felt(floor, SPRAY)

    page.wait_for_timeout(max(0.0, 1000 * (since - time.monotonic()) + QUESTION_MS + 1000))
    seen = [one["moaas"] for one in floor.events(SPRAY, "observation.recorded")[before:] if "moaas" in one]
    assert seen == [5], "the question that was left saved its value too"
    page.context.close()

    # Half an observation does not wait for the next visit.
    page = floor.person()
    page.clock.install()
    page.goto(floor.address(SPRAY))
    sedation = page.locator("[data-five=moaas] button[value='5']")
    sedation.click()
    expect(sedation).to_have_attribute("aria-pressed", "true")
    page.clock.fast_forward(61_000)
    expect(page.locator("[data-obs-said]")).to_contain_text("One tap alone was not saved")
    expect(sedation).to_have_attribute("aria-pressed", "false")
    page.context.close()


def test_answers_that_fail_come_late_or_out_of_order(floor: Floor) -> None:
    board, session = floor.person(), floor.house.facts["sessions"][INFUSION - 1]
    board.add_init_script(STREAM)
    board.goto(f"{floor.house.url}/board/")
    hears(board)
    board.evaluate(
        """() => { const sound = window.Limen.sound; window.sounded = [];
        const tile = () => document.querySelector(".tile").textContent;
        window.Limen.sound = (all) => { window.sounded.push([all, tile()]); sound(all); }; }"""
    )
    # One chair that nobody judges, while the monitor watches the others: the board is not silent about it. The next
    # true pulse says otherwise, so it is said again until the board has drawn it.
    board.wait_for_function(
        """(session) => { window.tell("pulse", {now: new Date().toISOString(), monitor_age_s: 0.2,
        watched_age_s: {[session]: 60}});
        const said = ([all, tile]) => all.includes("medium") && tile.includes("Limits not checked for");
        return window.sounded.some(said); }""",
        arg=session,
        polling=100,
    )

    # A chair that was fetched before the whole and answers after it is asked for again, and only one at a time.
    held: list[Route] = []
    board.route("**/state?session=*", lambda route: held.append(route))
    for _ in range(2):
        board.evaluate("(session) => window.tell('event', {session}, 2000000000)", session)
        board.wait_for_timeout(200)
    assert len(held) == 1
    with board.expect_response(re.compile(r"/state$")):
        board.evaluate("document.dispatchEvent(new CustomEvent('limen:turned', {detail: 0}))")
    board.wait_for_timeout(300)
    late: dict[str, Any] = held[0].fetch().json()
    late["chairs"][0]["owner"] = "Somebody-Before"
    held[0].fulfill(json=late)
    board.wait_for_timeout(500)
    expect(board.locator(".tile").first).not_to_contain_text("Somebody-Before")
    assert len(held) == 2
    late["chairs"][0]["owner"] = "Somebody-Now"
    held[1].fulfill(json=late)
    expect(board.locator(".tile").first).to_contain_text("Somebody-Now")
    board.unroute("**/state?session=*")

    # No state, no alarm: however well the stream speaks, the page does not stay "Live".
    board.route(re.compile(r"/state"), lambda route: route.fulfill(status=503, body="busy"))
    board.evaluate("window.openedOnce = true; document.dispatchEvent(new CustomEvent('limen:turned', {detail: 0}))")
    expect(board.get_by_role("heading", name="NOT MONITORED")).to_be_visible()
    expect(board.locator(".blind")).to_contain_text("does not tell this page its alarms", use_inner_text=True)
    board.unroute(re.compile(r"/state"))
    hears(board)
    assert board.evaluate("window.openedOnce")

    # A call that cannot be answered for is asked after at the usual pace.
    call = {"session": session, "alarm": "a", "step": 1, "priority": "low", "chair": "Chair 1", "because": "test"}
    asked: list[float] = []

    def here(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            route.fulfill(json={"calls": [call], "emergencies": [], "sounding": []})
        else:
            route.fulfill(status=503, body="busy")

    board.route("**/live/here", here)
    board.get_by_text("You are called to Chair 1.").wait_for()
    board.wait_for_timeout(4000)
    assert len(asked) <= 4, "a failing post is repeated without end"
    board.context.close()

    # A value outside its forecast is not "within the limit", and a forecast that is withheld is drawn nowhere.
    chair = floor.person()

    def beside_forecast(route: Route) -> None:
        state = route.fetch().json()
        now = state["t_s"]
        known = state["signals"]["NIBP_SYS"] = {**state["signals"]["HR"], "cuff": True, "edges": [], "t_s": now - 5}
        known.update(value=85.0, title="Pressure", stale_s=600, lost_s=1200, low=20, high=300, no_value=False)
        alarm = {"id": "d1", "signal": "NIBP_SYS", "condition": "NIBP_SYS outside forecast", "kind": "physiological"}
        alarm.update(priority="low", because="under what was forecast", rule="DEV-1", limit=100.0, t_s=now - 30)
        alarm.update(measured_t_s=now - 40, acknowledged_t_s=None, silent_until_t_s=None, calls=[])
        route.fulfill(json={**state, "alarms": [alarm]})

    chair.route("**/state", beside_forecast)
    chair.goto(floor.address(INFUSION))
    alarms = chair.get_by_role("region", name="Alarms", exact=True)
    expect(alarms).to_contain_text("under what was forecast")
    expect(alarms).not_to_contain_text("within the limit")
    expect(chair.locator("[data-vital=pressure] .age")).not_to_contain_text("recovering")
    drawn = chair.evaluate(
        """() => {
          const drawn = new Map(); // path -> its points
          for (const name of ["moveTo", "lineTo"]) {
            const real = Path2D.prototype[name];
            Path2D.prototype[name] = function (x, y) {
              drawn.set(this, [...(drawn.get(this) || []), [name, y]]);
              return real.call(this, x, y);
            };
          }
          const place = document.createElement("div");
          document.body.append(place);
          const forecast = {
            t: [0, 60, 120, 180, 240], typical: [40, 120, null, 200, 360], patients: null, models: null};
          const lane = window.Limen.lane(place, {title: "x", range: [60, 180], ticks: [60], height: 200,
            from: 0, to: 240, forecast, walls: []});
          lane.update({x: [0], y: [null]}, 0);
          const four = () => [...drawn.values()].filter((points) => points.length === 4);
          return new Promise((done) => setTimeout(() => done(four()), 300));
        }"""
    )
    assert drawn, "no line of four points: what is withheld was drawn too"
    assert [name for name, _ in drawn[-1]] == ["moveTo", "lineTo", "moveTo", "lineTo"]
    at = [y for _, y in drawn[-1]]
    # one pixel per unit everywhere: 40 and 360 lie beyond the lane's own range and stand where they are
    per_unit = (at[0] - at[1]) / 80
    assert per_unit > 0
    assert (at[1] - at[2]) / 80 == pytest.approx(per_unit)
    assert (at[2] - at[3]) / 160 == pytest.approx(per_unit)
    chair.context.close()


def test_what_was_not_asked_before_leaving_is_no_no(floor: Floor) -> None:
    """The escort comes before anybody has walked with the patient: the record must not say that he cannot walk."""
    page = floor.chair(SPRAY)
    for number, answers in enumerate(({"Escort is here": "Yes"}, {"Walks unaided": "No"})):
        page.get_by_role("button", name="Before leaving", exact=True).click()
        panel = page.locator("[data-panel]")
        expect(panel.get_by_role("radio", checked=True)).to_have_count(0)
        for label, answer in answers.items():
            panel.get_by_role("group", name=label).get_by_role("radio", name=answer).check()
        page.screenshot(path=str(PICTURES / f"before-leaving-{number}.png"))
        panel.get_by_role("button", name="Write down").click()
        expect(panel).to_be_hidden()
    said = [
        {name: event[name] for name in ("oriented", "walks_unaided", "escort", "instructions_given") if name in event}
        for event in floor.events(SPRAY, "observation.recorded")[-2:]
    ]
    assert said == [{"escort": True}, {"walks_unaided": False}]


def test_distressed_is_asked_how_strong_at_once(floor: Floor) -> None:
    page = floor.chair(INFUSION)
    for row, value in (("moaas", 5), ("dissociation", 4)):
        page.locator(f"[data-five={row}] button[value='{value}']").click()
    panel = page.locator("[data-panel]")
    expect(panel.get_by_role("heading", name="Distress")).to_be_visible()
    panel.get_by_role("button", name="2 ").click()
    expect(panel).to_be_hidden()
    asked, answered = floor.events(INFUSION, "observation.recorded")[-2:]
    assert (asked["dissociation"], answered["distress"]) == (4, 2)
