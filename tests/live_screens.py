"""How soon every open page hears of what a device sent and of what a nurse tapped: real server, monitor and streams."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from live_load import SIGNALS, furnished
from live_processes import CSRF, House

TAP_EVERY_S = 5
HEAR_S = 20.0  # after the last sending: what has not come by then never came
BEAT_0 = 50.0


@dataclass
class Delays:
    """Seconds from the sending of each thing until a page heard it, one for each page, in rising order."""

    samples_s: list[float] = field(default_factory=list)
    taps_s: list[float] = field(default_factory=list)
    lost: int = 0

    def to_json(self) -> dict[str, Any]:
        """Counts and percentiles of both kinds."""
        return {
            "samples": len(self.samples_s),
            "taps": len(self.taps_s),
            "lost": self.lost,
            **_percentiles("", sorted(self.samples_s + self.taps_s)),
            **_percentiles("samples_", self.samples_s),
            **_percentiles("taps_", self.taps_s),
        }


def _percentiles(of: str, values: list[float]) -> dict[str, float | None]:
    if not values:
        return {}
    spots = {"median": 0.5, "p95": 0.95, "p99": 0.99}
    found = {f"{of}{name}_s": round(values[int(part * len(values))], 4) for name, part in spots.items()}
    return {**found, f"{of}worst_s": round(values[-1], 4)}


class Viewer(threading.Thread):
    """One open page: the board, or a chair's."""

    def __init__(self, house: House, session: str | None) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.path = f"/live/session/{session}/events" if session else "/live/board/events"
        self.stream = house.listen(self.path)
        self.heard_s: dict[tuple[str, str, float], float] = {}
        next(self.stream)

    def run(self) -> None:
        with contextlib.suppress(httpx.HTTPError):  # the server is stopped at the end
            for kind, _, data in self.stream:
                now = time.monotonic()
                if kind == "samples":
                    for signal, _, value in data["values"]:
                        if signal == "HR":
                            self.heard_s.setdefault((data["session"], "HR", value), now)
                elif kind == "event":
                    self.heard_s.setdefault((data["session"], "tap", float(data["seq"])), now)

    def sees(self, session: str) -> bool:
        return self.session in (None, session)


class Chair(threading.Thread):
    """One device that sends every signal once a second, and a nurse who taps now and then."""

    def __init__(self, house: House, number: int, begin_s: float, seconds: int, *, taps: bool) -> None:
        super().__init__(daemon=True)
        self.house, self.number, self.begin_s, self.seconds, self.taps = house, number, begin_s, seconds, taps
        self.token, self.session = house.facts["tokens"][number], house.facts["sessions"][number]
        self.sent_s: dict[tuple[str, str, float], float] = {}
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            with self.house.client() as nurse, self._gateway() as device:
                for second in range(self.seconds):
                    time.sleep(max(0.0, self.begin_s + second - time.monotonic()))
                    self._send(device, second)
                    if self.taps and second % TAP_EVERY_S == self.number % TAP_EVERY_S:
                        self._tap(nurse, second)
        except Exception as problem:  # noqa: BLE001  told by the caller
            self.problem = problem

    def _gateway(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.house.url, headers=headers, timeout=30.0, trust_env=False)

    def _send(self, device: httpx.Client, second: int) -> None:
        value = BEAT_0 + second
        samples = [{"seq": second, "t_s": 1000.0, "signal": name, "value": value} for name in SIGNALS]
        body = {
            "device": f"chair-{self.number + 1}",
            "batch": f"s{second}",
            "sent_s": 1000.0,
            "clock_s": time.time(),
            "samples": samples,
        }
        self.sent_s[self.session, "HR", value] = time.monotonic()
        device.post("/api/ingest", json=body).raise_for_status()

    def _tap(self, nurse: httpx.Client, second: int) -> None:
        body = {"kind": "observation.recorded", "key": f"k{self.number}-{second}", "data": {"moaas": 5}}
        now = time.monotonic()
        answer = nurse.post(f"/live/session/{self.session}/act", json=body, headers={"X-CSRFToken": CSRF})
        answer.raise_for_status()
        self.sent_s[self.session, "tap", float(answer.json()["seq"])] = now


def to_the_screens(house: House, seconds: int, *, viewers: int = 1, taps: bool = False) -> Delays:
    """Let each chair send once a second and its nurse tap, and hear on so many pages.

    Parameters
    ----------
    viewers : int
        Open pages: one board for each four of them, the rest chairs' pages, dealt out.
    """
    sessions = house.facts["sessions"]
    boards = -(-viewers // 4)
    pages = [Viewer(house, None if n < boards else sessions[n % len(sessions)]) for n in range(viewers)]
    begin_s = time.monotonic() + 1.0
    chairs = [
        Chair(house, number, begin_s + number / len(sessions), seconds, taps=taps) for number in range(len(sessions))
    ]
    for thread in [*pages, *chairs]:
        thread.start()
    for chair in chairs:
        chair.join()
        if chair.problem is not None:
            raise chair.problem
    wanted = [(page, key, sent_s) for chair in chairs for key, sent_s in chair.sent_s.items() for page in pages]
    wanted = [entry for entry in wanted if entry[0].sees(entry[1][0])]
    until = time.monotonic() + HEAR_S
    while any(key not in page.heard_s for page, key, _ in wanted) and time.monotonic() < until:
        time.sleep(0.05)
    found = Delays()
    for page, key, sent_s in wanted:
        heard_s = page.heard_s.get(key)
        if heard_s is None:
            found.lost += 1
        else:
            (found.taps_s if key[1] == "tap" else found.samples_s).append(heard_s - sent_s)
    found.samples_s.sort()
    found.taps_s.sort()
    return found


def open_house(house: House, chairs: int) -> None:
    """So many chairs in use, a server and a monitor."""
    furnished(house, chairs)
    house.start("web")
    house.start("monitor")
