"""Kills the web server and the monitor in mid-session, and counts afterwards: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import sys
import threading
import time
from typing import Any

import httpx

from live_processes import CSRF, House

COUNT = """
from limen.clinic.sessions.models import *
from limen.clinic.sessions.export import export_session
from limen.session.replay import replay
import collections
found = {}
for session in Session.objects.all():
    export = export_session(session.pk)
    recorded = [row.data for row in AlarmRecord.objects.filter(session=session).order_by("seq")]
    replayed = list(replay(export).changes)
    found[str(session.pk)] = {
        "samples": [[s["seq"], s["signal"], s["value"]] for s in export["samples"]],
        "keys": list(session.events.order_by("seq").values_list("key", flat=True)),
        "seqs": list(session.events.order_by("seq").values_list("seq", flat=True)),
        "alarms": len(recorded),
        "agrees": recorded == replayed,
        "first_difference": next((i for i, (a, b) in enumerate(zip(recorded, replayed)) if a != b), None),
        "replayed": len(replayed),
        "tick": session.alarms.tick_t_s,
    }
print(json.dumps(found))
"""


class Sender(threading.Thread):
    """A device and a nurse who keep on until they are told to stop, and remember what the clinic acknowledged."""

    def __init__(self, house: House, chair: int) -> None:
        super().__init__(daemon=True)
        self.house = house
        self.chair = chair
        self.session = house.facts["sessions"][chair - 1]
        self.samples: dict[tuple[int, str], float | None] = {}
        self.keys: list[str] = []
        self.ended = threading.Event()
        self.problem: str | None = None

    def run(self) -> None:
        try:
            self._run()
        except AssertionError as problem:
            self.problem = str(problem)

    def _run(self) -> None:
        rng = random.Random(self.chair)
        seq = 0
        while not self.ended.is_set():
            seq += 1
            spo2 = rng.choice([98.0, 97.0, 98.0, 88.0, 0.0, None])
            values = [(seq, "SPO2", spo2), (seq, "HR", rng.choice([72.0, 75.0, 160.0])), (seq, "RR", 14.0)]
            self._until_answered(lambda client, values=values: self._send(client, values))
            if seq % 5 == 0:
                key = f"tap-{self.chair}-{seq}"
                self._until_answered(lambda client, key=key: self._tap(client, key))
            self.ended.wait(0.2)

    def _until_answered(self, attempt: Any) -> None:
        """As the gateway and the page do: the same message until it is acknowledged."""
        while not self.ended.is_set():
            try:
                with self.house.client() as client:
                    attempt(client)
                    return
            except httpx.HTTPError:
                time.sleep(0.1)

    def _send(self, client: httpx.Client, values: list[tuple[int, str, float | None]]) -> None:
        seq = values[0][0]
        body = {
            "device": f"chair-{self.chair}",
            "batch": f"b{seq}",
            "sent_s": 1000.0,
            "samples": [{"seq": n, "t_s": 1000.0, "signal": s, "value": v} for n, s, v in values],
        }
        token = self.house.facts["tokens"][self.chair - 1]
        answer = client.post("/api/ingest", json=body, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code >= 500:
            raise httpx.HTTPError("again")
        assert answer.status_code == 200, answer.text
        self.samples.update({(n, s): v for n, s, v in values})

    def _tap(self, client: httpx.Client, key: str) -> None:
        body = {"kind": "observation.recorded", "key": key, "data": {"moaas": 5, "dissociation": 1}}
        answer = client.post(f"/live/session/{self.session}/act", json=body, headers={"X-CSRFToken": CSRF})
        if answer.status_code >= 500:
            raise httpx.HTTPError("again")
        assert answer.status_code == 200, answer.text
        self.keys.append(key)


def kill_and_count(house: House, kills: int, *, apart_s: tuple[float, float] = (0.5, 2.5)) -> None:
    """So many kills of web and monitor in turn while devices and people go on; then count."""
    chairs = len(house.facts["sessions"])
    house.start("web")
    house.start("monitor")
    senders = [Sender(house, number) for number in range(1, chairs + 1)]
    for sender in senders:
        sender.start()
    rng = random.Random(7)
    for number in range(kills):
        time.sleep(rng.uniform(*apart_s))
        name = ("web", "monitor")[number % 2]
        house.kill(name)
        time.sleep(rng.uniform(0.0, 1.0))
        house.start(name)
        sys.stderr.write(f"kill {number + 1}: {name}\n")
    time.sleep(3.0)
    for sender in senders:
        sender.ended.set()
    for sender in senders:
        sender.join(timeout=30)
        assert sender.problem is None, sender.problem
    time.sleep(3.0)  # the monitor takes the last seconds
    house.stop()
    found = house.ask(COUNT)
    for sender in senders:
        check(sender, found[sender.session])


def check(sender: Sender, found: dict[str, Any]) -> None:
    """What was acknowledged stands once; what stands replays to the letter."""
    stored = {(seq, signal): value for seq, signal, value in found["samples"]}
    assert len(stored) == len(found["samples"]), "a sample stands twice"
    lost = {key: value for key, value in sender.samples.items() if stored.get(key, "lost") != value}
    assert lost == {}
    keys = [key for key in found["keys"] if key and key.startswith("tap-")]
    assert len(keys) == len(set(keys)), "a tap stands twice"
    assert set(sender.keys) <= set(keys), "an acknowledged tap is lost"
    assert found["seqs"] == list(range(len(found["seqs"]))), "the events have a gap"
    assert found["alarms"] > 0
    assert found["agrees"], f"alarms differ from the replay at {found['first_difference']}: {found['alarms']}"
    assert len(sender.samples) > 10
    assert len(sender.keys) > 1
