"""The spool on disk: nothing lost or doubled over a kill, bounded, owned by one process, honest on a full disk."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from limen.devices.gateway import Gateway
from limen.devices.runner import send
from limen.devices.spool import Spool
from limen.errors import InputError, RefusedError
from limen.simulator.samples import Sample


def sample(seq: int, value: float | None = 70.0, t_s: float = 1.0) -> Sample:
    return Sample(t_s, seq, "HR", value)


def waiting(path: Path) -> list[int]:
    spool = Spool(path)
    found = [entry.sample.seq for entry in spool.head(10**6)]
    spool.close()
    return found


def test_a_spool_belongs_to_one_process(tmp_path):
    first = Spool(tmp_path / "spool")
    with pytest.raises(RefusedError, match="another process uses this spool"):
        Spool(tmp_path / "spool")
    first.close()
    assert len(Spool(tmp_path / "spool")) == 0


def test_a_folder_that_is_not_there_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(InputError, match="cannot write here"):
        Spool(tmp_path / "none" / "spool")


def test_the_file_stays_bounded_while_one_value_always_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda number: None)
    path = tmp_path / "spool"
    spool = Spool(path)
    for seq in range(6000):
        spool.add([sample(seq)])
        if seq:
            spool.taken(spool.head(1))
    assert len(spool) == 1
    assert len(path.read_text().splitlines()) < 2100


def test_a_file_that_is_written_anew_is_in_its_folder_before_anything_is_added(tmp_path, monkeypatch):
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda place: (synced.append(os.fstat(place).st_ino), real(place))[1])
    spool = Spool(tmp_path / "spool")
    assert synced == [(tmp_path / "spool").stat().st_ino, tmp_path.stat().st_ino]
    spool.add([sample(1)])
    assert synced[2:] == [(tmp_path / "spool").stat().st_ino]


def test_the_clock_of_the_device_is_known_after_a_restart(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.add([sample(1)], message="m1")
    for ahead_s in (-2.0, -2.4, 7.0):
        spool.mark_device(ahead_s)
    assert len((tmp_path / "spool").read_text().splitlines()) == 4, "a move of less than a second is not written"
    for _ in range(2):  # the second time from the file that the first one wrote anew
        spool.close()
        spool = Spool(tmp_path / "spool")
        assert (spool.device_ahead_s, len(spool), spool.has("m1")) == (7.0, 1, True)


def test_what_was_dropped_stays_dropped_and_counted_after_a_restart(tmp_path):
    path = tmp_path / "spool"
    spool = Spool(path, capacity=3)
    for seq in range(5):
        spool.add([sample(seq)])
    spool.close()
    again = Spool(path, capacity=3)
    assert [entry.sample.seq for entry in again.head(9)] == [2, 3, 4]
    assert again.dropped == 2


def test_a_full_disk_is_said_and_the_values_live_on_in_memory_until_there_is_room(tmp_path, monkeypatch):
    path = tmp_path / "spool"
    spool = Spool(path)
    spool.add([sample(1)])
    real = os.fsync

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    spool.add([sample(2)])
    assert "No space left on device" in spool.problem
    spool.add([sample(3)])
    assert [entry.sample.seq for entry in spool.head(9)] == [1, 2, 3]
    monkeypatch.setattr(os, "fsync", real)
    spool.add([sample(4)])
    assert spool.problem == ""
    spool.close()
    assert waiting(path) == [1, 2, 3, 4]


def test_the_gateway_says_that_the_disk_is_full(tmp_path, monkeypatch):
    sender = gateway(Clinic(), Spool(tmp_path / "spool"))
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    sender.offer([("HR", 70.0)])
    assert "kept in memory only: No space left" in send(sender)[1]


def test_a_number_is_never_used_twice_even_when_the_clock_is_set_back(tmp_path):
    path = tmp_path / "spool"
    clinic = Clinic()
    first = gateway(clinic, Spool(path), clock=lambda: 1_000_000.0)
    first.offer([("HR", 70.0)])
    first.flush()
    first.close()
    second = gateway(clinic, Spool(path), clock=lambda: 996_400.0)
    second.offer([("HR", 99.0)])
    second.flush()
    (one, two) = sorted(seq for seq, _ in clinic.stored)
    assert one < two
    assert list(clinic.stored.values()) == [70.0, 99.0]


def test_a_value_kept_over_a_clock_set_back_is_not_called_fresh(tmp_path):
    path = tmp_path / "spool"
    first = gateway(Clinic(answer=503), Spool(path), clock=lambda: 1_000_000.0)
    first.offer([("HR", 70.0)])
    first.flush()
    first.close()
    clinic = Clinic()
    second = gateway(clinic, Spool(path), clock=lambda: 996_400.0)
    assert second.ageless == 1
    assert "their age is unknown" in send(second)[1]
    assert clinic.stored == {}


def test_nor_is_that_of_the_next_patient_and_each_counts_as_lost(tmp_path):
    path = tmp_path / "spool"
    first = gateway(Clinic(answer=503), Spool(path), clock=lambda: 1_000_000.0)
    first.offer([("HR", 70.0)], patient="A", measured_at_s=990_000.0)
    first.offer([("HR", 71.0)], patient="B")
    first.offer([("HR", 72.0)], patient="A")
    first.close()
    clinic = Clinic()
    second = gateway(clinic, Spool(path), clock=lambda: 996_400.0)
    send(second)
    assert list(clinic.stored.values()) == [70.0]
    assert clinic.bodies[0]["lost"] == 2
    second.close()
    assert Spool(path).dropped == 2


def test_ages_do_not_jump_when_somebody_sets_the_clock():
    now = {"wall": 1_000_000.0, "up": 50.0}
    from limen.devices.clocks import SteadyClock

    steady = SteadyClock(wall=lambda: now["wall"], uptime=lambda: now["up"])
    clinic = Clinic()
    sender = gateway(clinic, Spool(), clock=steady, wall=lambda: now["wall"])
    sender.offer([("HR", 70.0)])
    now["wall"] -= 3600.0
    now["up"] += 4.0
    sender.flush()
    (body,) = clinic.bodies
    assert body["sent_s"] - body["samples"][0]["t_s"] == 4.0
    assert body["clock_s"] == 996_400.0


def test_one_value_that_the_clinic_refuses_takes_no_other_with_it():
    clinic = Clinic(bad=17)
    sender = gateway(clinic, Spool())
    base = sender._seq
    for value in range(40):
        sender.offer([("HR", float(value))])
    count, word = send(sender)
    assert count == 39
    assert sender.refused == 1
    assert "number 17 is too old" in word
    assert sorted(seq - base for seq, _ in clinic.stored) == [n for n in range(1, 41) if n != 17]


def test_values_of_two_patients_never_travel_together():
    clinic = Clinic()
    sender = gateway(clinic, Spool())
    for number, patient in enumerate(["A", "A", "B", None, "B"]):
        sender.offer([("HR", float(number))], patient=patient)
    sender.flush()
    told = [(body["patient"], [item["value"] for item in body["samples"]]) for body in clinic.bodies]
    assert told == [("A", [0.0, 1.0]), ("B", [2.0]), (None, [3.0]), ("B", [4.0])]


def test_the_clinic_is_told_how_many_values_the_spool_had_to_drop():
    clinic = Clinic()
    sender = gateway(clinic, Spool(capacity=2))
    for value in range(5):
        sender.offer([("HR", float(value))])
    count, word = send(sender)
    assert (count, clinic.bodies[0]["lost"]) == (2, 3)
    assert "3 values lost so far" in word


CHILD = """
import sys, time
from limen.devices.gateway import Gateway
from limen.devices.runner import send
from limen.devices.spool import Spool
sender = Gateway(sys.argv[1], "t", "chair-1", spool=Spool(__import__("pathlib").Path(sys.argv[2])))
for value in range(int(sys.argv[3]), 10**9):
    sender.offer([("HR", float(value)), ("SPO2", float(value))])
    with open(sys.argv[4], "a") as log:
        log.write(f"{value}\\n")
    send(sender)
    time.sleep(0.002)
"""


@pytest.mark.slow
def test_kills_of_the_gateway_and_of_the_clinic_lose_and_double_nothing(tmp_path):
    """Every value that the device saw offered is stored once, under one number."""
    from collections import Counter
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    stored: list[tuple[int, str, float]] = []
    state = {"posts": 0}

    class Ingest(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state["posts"] += 1
            if state["posts"] % 7 == 3:  # the clinic dies before it stores
                self.close_connection = True
                return
            known = {(seq, name) for seq, name, _ in stored}
            stored.extend(
                (item["seq"], item["signal"], item["value"])
                for item in body["samples"]
                if (item["seq"], item["signal"]) not in known
            )
            if state["posts"] % 7 == 5:  # it dies after it has stored
                self.close_connection = True
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"batch": body["batch"]}).encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
    Thread(target=server.serve_forever, daemon=True).start()
    url, log = f"http://127.0.0.1:{server.server_port}", tmp_path / "offered"
    log.touch()
    try:
        for _ in range(3):
            last = log.read_text().splitlines()[-1:] or ["-1"]
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, url, str(tmp_path / "spool"), str(int(last[0]) + 1), str(log)]
            )
            until, had = time.monotonic() + 20, len(log.read_text().splitlines())
            while time.monotonic() < until and len(log.read_text().splitlines()) < had + 60:
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            child.wait()
        rest = Gateway(url, "t", "chair-1", spool=Spool(tmp_path / "spool"))
        until = time.monotonic() + 20
        while len(rest.spool) and time.monotonic() < until:
            send(rest)
    finally:
        server.shutdown()
    offered = [float(line) for line in log.read_text().splitlines()]
    assert len(offered) >= 180
    numbers = Counter((seq, name) for seq, name, _ in stored)
    assert set(numbers.values()) == {1}
    for name in ("HR", "SPO2"):
        told = Counter(value for _, kind, value in stored if kind == name)
        # A value is written to the log after it is in the spool; the one of the kill may be stored and offered again.
        assert not set(offered) - set(told)
        assert sum(count - 1 for count in told.values()) <= 3


class Clinic:
    """An ingest end that answers as told, and keeps what it took."""

    def __init__(self, answer: int = 200, bad: int | None = None) -> None:
        self.answer, self.bad, self.first = answer, bad, 0
        self.bodies: list[dict] = []
        self.stored: dict[tuple[int, str], float | None] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        self.first = self.first or body["samples"][0]["seq"]
        if self.bad is not None and any(item["seq"] == self.first + self.bad - 1 for item in body["samples"]):
            error = {"what": f"number {self.bad} is too old", "where": "samples.t_s", "allowed": "a day"}
            return httpx.Response(400, json={"error": error})
        if self.answer == 200:
            self.stored.update({(item["seq"], item["signal"]): item["value"] for item in body["samples"]})
        return httpx.Response(self.answer, json={"batch": body["batch"]})


def gateway(clinic, spool, clock=None, **more):
    client = httpx.Client(transport=httpx.MockTransport(clinic))
    return Gateway("http://clinic", "secret", "chair-1", spool=spool, client=client, clock=clock, **more)


def test_a_message_is_known_after_a_kill_exactly_when_its_values_are(tmp_path):
    path = tmp_path / "spool"
    spool = Spool(path)
    spool.add([sample(1), sample(2)], "KTM1", message="MON1/7")
    spool.close()
    whole = path.read_text()
    for cut in range(len(whole.splitlines()[0]) + 1, len(whole)):
        path.write_text(whole[:cut])
        again = Spool(path)
        assert again.has("MON1/7") == (len(again) == 2)
        assert len(again) in (0, 2)
        again.close()
