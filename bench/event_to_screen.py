"""From a device's sending to the page's hearing: four chairs at 1 Hz, with real server, monitor and streams."""

from __future__ import annotations

import contextlib
import json
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from live_processes import House, house

CHAIRS = 4
SECONDS = 60
WARM_S = 5


class Chair(threading.Thread):
    """One device that sends three values a second, each moment with a heart rate of its own."""

    def __init__(self, made: House, number: int) -> None:
        super().__init__(daemon=True)
        self.made = made
        self.number = number
        self.sent_s: dict[float, float] = {}

    def run(self) -> None:
        """Send once a second, on the second."""
        headers = {"Authorization": f"Bearer {self.made.facts['tokens'][self.number - 1]}"}
        begin = time.perf_counter()
        with httpx.Client(base_url=self.made.url, headers=headers, timeout=10, trust_env=False) as client:
            for moment in range(SECONDS):
                time.sleep(max(0.0, begin + moment + self.number / (CHAIRS + 1) - time.perf_counter()))
                heart = round(60 + moment / 100, 2)
                values = [("HR", heart), ("SPO2", 98.0), ("RR", 14.0)]
                samples = [{"seq": moment, "t_s": 0.0, "signal": name, "value": value} for name, value in values]
                body = {"device": f"chair-{self.number}", "batch": str(moment), "sent_s": 0.0, "samples": samples}
                self.sent_s[heart] = time.perf_counter()
                client.post("/api/ingest", json=body).raise_for_status()


class Page(threading.Thread):
    """One board and, for each chair, one chair's page: the streams that would be open."""

    def __init__(self, made: House, path: str) -> None:
        super().__init__(daemon=True)
        self.stream = made.listen(path)
        self.heard_s: dict[tuple[str, float], float] = {}
        next(self.stream)

    def run(self) -> None:
        """Note when each value was heard."""
        with contextlib.suppress(httpx.RemoteProtocolError):  # the server is stopped at the end
            for kind, _, data in self.stream:
                now = time.perf_counter()
                for signal, _, value in data["values"] if kind == "samples" else ():
                    if signal == "HR":
                        self.heard_s.setdefault((data["session"], value), now)


def main() -> None:
    """Print one line of the ``bench`` contract."""
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), chairs=CHAIRS) as made:
        made.start("web")
        made.start("monitor")
        paths = ["/live/board/events", *(f"/live/session/{key}/events" for key in made.facts["sessions"])]
        pages = [Page(made, path) for path in paths]
        chairs = [Chair(made, number) for number in range(1, CHAIRS + 1)]
        for thread in [*pages, *chairs]:
            thread.start()
        for chair in chairs:
            chair.join()
        time.sleep(2)
        delays = []
        lost = 0
        for page, wanted in zip(pages, [chairs, *([chair] for chair in chairs)], strict=True):
            for chair in wanted:
                session = made.facts["sessions"][chair.number - 1]
                for heart, sent in list(chair.sent_s.items())[WARM_S:]:
                    heard = page.heard_s.get((session, heart))
                    lost += heard is None
                    delays += [heard - sent] if heard is not None else []
    delays.sort()
    found = {
        "work": "event-to-screen",
        "n": CHAIRS,
        "points": len(delays),
        "median_s": round(statistics.median(delays), 4),
        "p95_s": round(delays[int(0.95 * len(delays))], 4),
        "p99_s": round(delays[int(0.99 * len(delays))], 4),
        "worst_s": round(delays[-1], 4),
        "lost": lost,
        "runs": 1,
        "rate_mpt_per_s": None,
        "fill_mpt_per_s": None,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peers": {},
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
