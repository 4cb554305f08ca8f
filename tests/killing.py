"""Kills the web server and the monitor in mid-session, and counts afterwards: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from live_processes import CSRF, House

FURNISH = "import killing; print(json.dumps(killing.stock_up()))"
COUNT = "import killing; print(json.dumps(killing.count()))"
DRAW_MG = "0.1"
PROGRESS_S = 120.0  # a machine under load is slow; one that makes no progress at all is broken


class Sender(threading.Thread):
    """A device, a nurse and a pharmacist who keep on until they are told to stop; they note what was acknowledged."""

    def __init__(self, house: House, chair: int, stock: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.house = house
        self.chair = chair
        self.session = house.facts["sessions"][chair - 1]
        self.vial = stock["vials"][chair - 1]
        self.witness = stock["witnesses"][chair - 1]
        self.pharmacist = stock["pharmacist"]
        self.password = stock["password"]
        self.samples: dict[tuple[int, str], float | None] = {}
        self.taps: list[str] = []
        self.lines: list[str] = []
        self.again = 0
        self.ended = threading.Event()
        self.problem: str | None = None

    def run(self) -> None:
        try:
            self._run()
        except Exception as problem:  # noqa: BLE001  the test's own thread raises it
            self.problem = repr(problem)

    def progress(self) -> tuple[int, int, int]:
        return len(self.samples), len(self.taps), len(self.lines)

    def _run(self) -> None:
        rng = random.Random(self.chair)
        seq = 0
        while not self.ended.is_set():
            seq += 1
            spo2 = rng.choice([98.0, 97.0, 98.0, 88.0, 0.0, None])
            values = [(seq, "SPO2", spo2), (seq, "HR", rng.choice([72.0, 75.0, 160.0])), (seq, "RR", 14.0)]
            self._until_answered(lambda client, values=values: self._send(client, values))
            if seq % 4 == 0:
                key = f"tap-{self.chair}-{seq}"
                self._until_answered(lambda client, key=key: self._tap(client, key))
            if seq % 4 == 2:
                key = f"line-{self.chair}-{seq}"
                write = self._draw if seq % 8 == 2 else self._count
                self._until_answered(lambda client, key=key, write=write: write(client, key))
            self.ended.wait(0.2)

    def _until_answered(self, attempt: Callable[[httpx.Client], None]) -> None:
        """As the gateway and the page do: the same message until it is acknowledged."""
        while not self.ended.is_set():
            try:
                with self.house.client() as client:
                    attempt(client)
                    return
            except httpx.HTTPError:
                self.again += 1
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
        _accept(answer, 200)
        self.samples.update({(n, s): v for n, s, v in values})

    def _tap(self, client: httpx.Client, key: str) -> None:
        body = {"kind": "observation.recorded", "key": key, "data": {"moaas": 5, "dissociation": 1}}
        answer = client.post(f"/live/session/{self.session}/act", json=body, headers={"X-CSRFToken": CSRF})
        _accept(answer, 200)
        self.taps.append(key)

    def _draw(self, client: httpx.Client, key: str) -> None:
        form = {
            "vial": self.vial["label"],
            "amount_mg": DRAW_MG,
            "witness": self.witness,
            "witness_password": self.password,
            "key": key,
        }
        self._write(client, f"/sessions/{self.session}/drug/draw/", "draw", form)

    def _count(self, client: httpx.Client, key: str) -> None:
        client.cookies.set("sessionid", self.pharmacist)
        counted = {"amount_mg": "500.0", "key": key, "alone": "yes"}
        self._write(client, f"/stock/vials/{self.vial['id']}/count/", "", counted)

    def _write(self, client: httpx.Client, path: str, prefix: str, form: dict[str, str]) -> None:
        body = {f"{prefix}-{name}" if prefix else name: value for name, value in form.items()}
        _accept(client.post(path, data=body, headers={"X-CSRFToken": CSRF}), 302)
        self.lines.append(form["key"])


def _accept(answer: httpx.Response, wanted: int) -> None:
    """An error of the server's is sent again, as an answer that never came; a refusal is a failure of the test."""
    if answer.status_code >= 500:
        raise httpx.HTTPError(f"{answer.status_code}")
    assert answer.status_code == wanted, (answer.status_code, answer.text)


def kill_and_count(house: House, kills: int, *, apart_s: tuple[float, float] = (0.5, 2.5)) -> dict[str, int]:
    """So many kills of web and monitor in turn while devices and people go on; then count.

    Between two kills everybody has got something through and the monitor has taken a second, however slow the machine.
    """
    stock = house.ask(FURNISH)
    house.start("web")
    house.start("monitor")
    senders = [Sender(house, number + 1, stock) for number in range(len(house.facts["sessions"]))]
    for sender in senders:
        sender.start()
    rng = random.Random(7)
    _wait_for_progress(house, senders)
    for number in range(kills):
        time.sleep(rng.uniform(*apart_s))
        name = ("web", "monitor")[number % 2]
        house.kill(name)
        time.sleep(rng.uniform(0.0, 1.0))
        house.start(name)
        _wait_for_progress(house, senders)
        sys.stderr.write(f"kill {number + 1}: {name}\n")
    for sender in senders:
        sender.ended.set()
    for sender in senders:
        sender.join(timeout=PROGRESS_S)
        assert not sender.is_alive()
        assert sender.problem is None, sender.problem
    _wait_for_watching(house)  # the monitor takes the last seconds
    house.stop()
    found = house.ask(COUNT)
    for sender in senders:
        check_session(sender, found["sessions"][sender.session])
    check_book(senders, found["book"])
    figures = {
        "kills": kills,
        "samples": sum(len(sender.samples) for sender in senders),
        "taps": sum(len(sender.taps) for sender in senders),
        "lines": sum(len(sender.lines) for sender in senders),
        "alarm_changes": sum(item["alarms"] for item in found["sessions"].values()),
        "audit_rows": found["audit_rows"],
        "sent_again": sum(sender.again for sender in senders),
    }
    sys.stderr.write(f"{house.database.url.partition(':')[0]}: {figures}, lost 0, doubled 0\n")
    return figures


def _wait_for_progress(house: House, senders: list[Sender]) -> None:
    """Until every sender has got a sample, a tap and a line through from now on, and every session is watched."""
    before = [sender.progress() for sender in senders]
    until = time.monotonic() + PROGRESS_S
    while any(_stands(sender, then) for sender, then in zip(senders, before, strict=True)):
        for sender in senders:
            assert sender.problem is None, sender.problem
        assert time.monotonic() < until, [before, [sender.progress() for sender in senders]]
        time.sleep(0.1)
    _wait_for_watching(house)


def _stands(sender: Sender, before: tuple[int, ...]) -> bool:
    return any(now <= then for now, then in zip(sender.progress(), before, strict=True))


def _wait_for_watching(house: House) -> None:
    """Until the monitor has taken the present second of every session."""
    ages: dict[str, float] = {}
    until = time.monotonic() + PROGRESS_S
    for kind, _, data in house.listen("/live/board/events"):
        if kind == "pulse":
            ages = data["watched_age_s"]
            if ages and max(ages.values()) < 3.0:
                return
        if time.monotonic() > until:
            break
    raise AssertionError(f"the monitor does not come back: {ages}")


# --- in a process of the clinic --------------------------------------------------------------------------------------


def stock_up() -> dict[str, Any]:
    """A vial and a second nurse for each session, and a pharmacist who is signed in."""
    from datetime import date

    from limen.clinic.audit.act import acting
    from limen.clinic.courses.models import Plan
    from limen.clinic.sessions.models import Session
    from limen.clinic.sites.models import Chair, Site
    from limen.clinic.stock.actions import receive
    from live_room import PASSWORD, Room, signed_in

    site = Site.objects.get()
    room = Room(site, None, None, list(Chair.objects.all()))  # type: ignore[arg-type]
    pharmacist = room.person("pia", "pharmacist")
    sessions = list(Session.objects.all())
    with acting(by="test", action="test.strength", site=site):
        Plan.objects.update(concentration_mg_per_mL=50.0)
    vials = []
    for number in range(1, len(sessions) + 1):
        row = receive(
            by=pharmacist,
            site=site,
            label=f"V{number}",
            key=f"receive-{number}",
            product="racemic",
            strength_mg_per_mL="50",
            volume_mL="10",
            lot="6K114",
            expiry=date(2099, 3, 31),
        )
        vials.append({"id": str(row.vial_id), "label": row.vial.label})
    return {
        "vials": vials,
        "witnesses": [room.person(f"noel-{number}", "nurse").username for number in range(1, len(sessions) + 1)],
        "pharmacist": signed_in(pharmacist),
        "password": PASSWORD,
    }


def count() -> dict[str, Any]:
    """What stands in the database."""
    from limen.clinic.audit.models import AuditEntry
    from limen.clinic.sessions.models import Session
    from limen.clinic.sites.models import Site
    from limen.clinic.stock.models import LedgerEntry
    from limen.clinic.stock.queries import site_balance, site_verify

    site = Site.objects.get()
    lines = LedgerEntry.objects.order_by("position")
    noted = AuditEntry.objects.filter(action__startswith="stock.").values_list("detail", flat=True)
    return {
        "sessions": {str(session.pk): _count_session(session) for session in Session.objects.all()},
        "book": {
            "positions": list(lines.values_list("position", flat=True)),
            "lines": [[row.kind, str(row.amount_mg), row.key] for row in lines],
            "vials": {row["vial"]: row for row in site_balance(site)["vials"]},
            "verify": site_verify(site),
            "audited": sorted({detail["position"] for detail in noted if "position" in detail}),
        },
        "audit_rows": AuditEntry.objects.count(),
    }


def _count_session(session: Any) -> dict[str, Any]:
    from limen.clinic.audit.models import AuditEntry
    from limen.clinic.sessions.export import export_session
    from limen.clinic.sessions.models import AlarmRecord
    from limen.session.replay import replay

    export = export_session(session.pk)
    recorded = [row.data for row in AlarmRecord.objects.filter(session=session).order_by("seq")]
    replayed = list(replay(export).changes)
    differs = (i for i, (a, b) in enumerate(zip(recorded, replayed, strict=False)) if a != b)
    audit = AuditEntry.objects.filter(target=f"session:{session.pk}", action="sessions.record", outcome="done")
    return {
        "samples": [[s["seq"], s["signal"], s["value"]] for s in export["samples"]],
        "events": list(session.events.order_by("seq").values_list("seq", "key")),
        "audited": [detail["seq"] for detail in audit.values_list("detail", flat=True) if "seq" in detail],
        "alarms": len(recorded),
        "alarm_seqs": list(AlarmRecord.objects.filter(session=session).order_by("seq").values_list("seq", flat=True)),
        "agrees": recorded == replayed,
        "first_difference": next(differs, None),
    }


# --- the verdict -----------------------------------------------------------------------------------------------------


def check_session(sender: Sender, found: dict[str, Any]) -> None:
    """What was acknowledged stands once; what stands replays to the letter."""
    stored = {(seq, signal): value for seq, signal, value in found["samples"]}
    assert len(stored) == len(found["samples"]), "a sample stands twice"
    lost = {key: value for key, value in sender.samples.items() if stored.get(key, "lost") != value}
    assert lost == {}
    assert len(stored) - len(sender.samples) in (0, 3), "more than the one batch that was never answered"
    assert [seq for seq, _ in found["events"]] == list(range(len(found["events"]))), "the events have a gap"
    taps = {key: seq for seq, key in found["events"] if key and key.startswith("tap-")}
    assert len(taps) == sum(1 for _, key in found["events"] if key and key.startswith("tap-")), "a tap stands twice"
    assert set(sender.taps) <= set(taps), "an acknowledged tap is lost"
    assert len(taps) - len(sender.taps) in (0, 1), "more than the one tap that was never answered"
    assert sorted(found["audited"]) == sorted(taps.values()), "taps and their audit rows differ"
    assert found["alarms"] > 0
    assert found["alarm_seqs"] == list(range(found["alarms"])), "the alarm records have a gap"
    assert found["agrees"], f"alarms differ from the replay at {found['first_difference']}: {found['alarms']}"


def check_book(senders: list[Sender], found: dict[str, Any]) -> None:
    """Each acknowledged line stands once, in a whole chain without a gap, with its audit row; the milligrams add up."""
    assert found["positions"] == list(range(1, len(found["positions"]) + 1)), "the book has a gap"
    assert found["verify"]["ok"], found["verify"]
    assert found["audited"] == found["positions"], "a line without its audit row, or the other way round"
    times = Counter(key for _, _, key in found["lines"])
    assert set(times.values()) == {1}, "a line stands twice"
    for sender in senders:
        own = {key for key in times if key.startswith(f"line-{sender.chair}-")}
        assert set(sender.lines) <= own, "an acknowledged line is lost"
        assert len(own) - len(sender.lines) in (0, 1), "more than the one line that was never answered"
        draws = [key for kind, _, key in found["lines"] if kind == "draw" and key in own]
        vial = found["vials"][sender.vial["label"]]
        assert Decimal(vial["drawn_mg"]) == Decimal(DRAW_MG) * len(draws)
        assert Decimal(vial["on_hand_mg"]) == 500 - Decimal(vial["drawn_mg"])
