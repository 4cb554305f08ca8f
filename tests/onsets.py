"""How long an alarm takes from the device's message to eyes and ears: one board in real Chromium, many onsets."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from live_processes import CSRF, House

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LIMIT_S = 2.0
# Every tone that the page starts is written down with its time, and still sounds.
LISTEN = """
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.tones.push(Date.now() + 1000 * Math.max(0, (at || 0) - this.context.currentTime));
  return start.call(this, at);
};
"""
FIRST_SEEN = """([chair, since]) => {
  const lines = [...document.querySelectorAll("[data-rail] .alarm--high:not(.alarm--seen)")];
  const line = lines.find((found) => found.textContent.includes(chair));
  if (!line || line.offsetHeight === 0) return null;
  const tone = window.tones.find((at) => at > since);
  return tone === undefined ? null : { seen: Date.now(), heard: tone };
}"""


@dataclass(frozen=True)
class Onset:
    """One alarm: seconds from the message to the line on the screen, and to the first tone."""

    chair: str
    seen_s: float
    heard_s: float


class Pulse:
    """Every chair's device sends each second; one of them is told to fall."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tokens: list[str] = house.facts["tokens"]
        self.values = [97.0] * len(self.tokens)
        self.seq = [10_000] * len(self.tokens)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._client = httpx.Client(base_url=house.url, timeout=10.0, trust_env=False)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        self._client.close()

    def fall(self, number: int) -> float:
        """Send one low value now; when it was sent, by the wall clock."""
        self.values[number] = 85.0
        sent = time.time()
        self._send(number)
        return sent

    def rise(self, number: int) -> None:
        self.values[number] = 97.0

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            for number in range(len(self.tokens)):
                with suppress(httpx.HTTPError):
                    self._send(number)

    def _send(self, number: int) -> None:
        with self._lock:
            self.seq[number] += 1
            seq = self.seq[number]
        samples = [
            {"seq": seq, "t_s": 1000.0, "signal": signal, "value": value}
            for signal, value in (("SPO2", self.values[number]), ("HR", 72.0), ("RR", 14.0))
        ]
        body = {"device": f"chair-{number + 1}", "batch": f"b{seq}", "sent_s": 1000.0, "samples": samples}
        headers = {"authorization": f"Bearer {self.tokens[number]}"}
        self._client.post("/api/ingest", json=body, headers=headers).raise_for_status()


def board(browser: Browser, house: House) -> Page:
    """The board with its sound armed."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies(
        [
            {"name": "sessionid", "value": house.facts["cookie"], "url": house.url},
            {"name": "csrftoken", "value": CSRF, "url": house.url},
        ]
    )
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{house.url}/board/")
    page.locator("[data-sound]").click()
    page.get_by_role("button", name="Yes, all three").click()  # asked once the test is over
    return page


def measure(house: House, page: Page, onsets: int, *, seed: int = 1) -> list[Onset]:
    """So many onsets, one after the other, each answered before the next so that it is heard by itself."""
    rng = random.Random(seed)
    found: list[Onset] = []
    chairs: list[dict[str, Any]] = house.client().get("/live/board/state").json()["chairs"]
    with Pulse(house) as pulse, house.client() as client:
        time.sleep(3.0)
        for count in range(onsets):
            number = count % len(pulse.tokens)
            chair = chairs[number]
            quiet(client, chair["session"])
            answer_all(client, chairs)
            time.sleep(rng.uniform(0.3, 1.3))  # at any point of the monitor's second
            since = int(time.time() * 1000)
            sent = pulse.fall(number)
            told = page.wait_for_function(
                FIRST_SEEN, arg=[chair["chair"].removeprefix("Chair "), since], timeout=20_000
            )
            at = told.json_value()
            found.append(Onset(chair["chair"], at["seen"] / 1000 - sent, at["heard"] / 1000 - sent))
            pulse.rise(number)
    return found


def quiet(client: httpx.Client, session: str, limit_s: float = 60.0) -> None:
    """Wait until the chair's last low saturation is over: an alarm that still stands has no onset."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        state = client.get("/live/board/state").json()
        mine = next(chair for chair in state["chairs"] if chair["session"] == session)
        if not any(alarm["signal"] == "SPO2" for alarm in mine["alarms"]):
            return
        time.sleep(0.5)
    raise AssertionError(f"the saturation of {session} does not come back")


def answer_all(client: httpx.Client, chairs: list[dict[str, Any]]) -> None:
    """Acknowledge whatever stands, so that the next onset breaks a silence."""
    state = client.get("/live/board/state").json()
    for chair in state["chairs"]:
        for alarm in chair.get("alarms", []):
            if alarm["acknowledged_t_s"] is None:
                body = {"kind": "alarm.acknowledged", "key": f"k{random.random()}", "data": {"alarm": alarm["id"]}}
                client.post(f"/live/session/{chair['session']}/act", json=body, headers={"X-CSRFToken": CSRF})


def late(found: list[Onset]) -> list[Onset]:
    """Those over the limit."""
    return [onset for onset in found if max(onset.seen_s, onset.heard_s) >= LIMIT_S]
