"""The gateway loses nothing it was given, sends nothing twice under another number, and never blocks for long."""

from __future__ import annotations

import json

import httpx
import pytest

from limen.devices.gateway import Gateway, GatewayRefusedError
from limen.devices.runner import moments, play, send
from limen.devices.spool import Spool
from limen.errors import InputError
from limen.simulator.samples import Sample


class Clinic:
    """An ingest end that can be cut off, and keeps what it took."""

    def __init__(self) -> None:
        self.answers: list[int | str] = []
        self.bodies: list[dict] = []
        self.stored: dict[tuple[int, str], float | None] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.pop(0) if self.answers else 200
        body = json.loads(request.content)
        if answer == "cut":
            raise httpx.ConnectError("cut")
        self.bodies.append(body)
        if answer in (200, "lost answer"):
            self.stored.update({(s["seq"], s["signal"]): s["value"] for s in body["samples"]})
        if answer == "lost answer":
            raise httpx.ReadTimeout("lost")
        problem = {"what": "no open session", "where": "device", "allowed": "a device at a chair"}
        return httpx.Response(int(answer), json={"batch": body["batch"]} if answer == 200 else {"error": problem})


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clinic():
    return Clinic()


@pytest.fixture
def clock():
    return Clock()


def gateway(clinic, clock, spool=None):
    client = httpx.Client(transport=httpx.MockTransport(clinic))
    return Gateway("http://clinic", "secret", "chair-1", spool=spool, client=client, clock=clock)


def test_values_reach_the_clinic_once_with_growing_numbers(clinic, clock):
    sender = gateway(clinic, clock)
    for value in (70.0, 71.0, None, 0.0):
        sender.offer([("HR", value)])
        sender.flush()
    assert list(clinic.stored.values()) == [70.0, 71.0, None, 0.0]
    numbers = [seq for seq, _ in clinic.stored]
    assert numbers == sorted(set(numbers))


def test_a_cut_line_keeps_the_values_and_waits_longer_each_time(clinic, clock):
    sender = gateway(clinic, clock)
    clinic.answers = ["cut", "cut", "cut"]
    waits = []
    for value in range(3):
        sender.offer([("HR", float(value))])
        assert sender.flush() == 0
        waits.append(sender.next_try_s - clock.now_s)
        clock.now_s = sender.next_try_s
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert sender.flush() == 3
    assert list(clinic.stored.values()) == [0.0, 1.0, 2.0]


def test_a_flush_inside_the_wait_does_not_touch_the_network(clinic, clock):
    sender = gateway(clinic, clock)
    clinic.answers = ["cut"]
    sender.offer([("HR", 70.0)])
    sender.flush()
    assert sender.flush() == 0
    assert clinic.bodies == []


def test_an_answer_that_is_lost_is_sent_again_under_the_same_key(clinic, clock):
    sender = gateway(clinic, clock)
    clinic.answers = ["lost answer"]
    sender.offer([("HR", 70.0)])
    sender.flush()
    sender.offer([("HR", 71.0)])
    clock.now_s += 60
    sender.flush()
    assert clinic.bodies[0]["batch"] == clinic.bodies[1]["batch"]
    assert list(clinic.stored.values()) == [70.0, 71.0]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>Please sign in to this network</html>"),
        (200, "{}"),
        (204, ""),
        (302, ""),
        (400, "<h1>Bad Request (400)</h1>"),
        (401, "<html>proxy</html>"),
        (403, "<html>forbidden</html>"),
        (404, "<html>no such page</html>"),
        (404, "[]"),
        (409, '{"error": "busy"}'),
    ],
)
def test_what_is_not_the_clinics_own_answer_neither_takes_nor_refuses_a_value(clinic, clock, status, body):
    strange = [httpx.Response(status, text=body)]
    client = httpx.Client(transport=httpx.MockTransport(lambda request: strange.pop() if strange else clinic(request)))
    sender = Gateway("http://clinic", "secret", "chair-1", client=client, clock=clock)
    sender.offer([("HR", 70.0)])
    count, word = send(sender)
    assert (count, len(sender.spool)) == (0, 1)
    assert f"something else than the clinic ({status})" in word
    clock.now_s += 10
    assert send(sender) == (1, "")
    assert list(clinic.stored.values()) == [70.0]


def test_values_over_a_day_old_do_not_hold_up_the_new_ones_and_count_as_lost(clinic, clock):
    sender = gateway(clinic, clock)
    for value in range(600):
        sender.offer([("HR", float(value))])
    clock.now_s += 25 * 3600
    sender.offer([("HR", 70.0)])
    assert send(sender)[0] == 1
    assert [(len(body["samples"]), body["lost"]) for body in clinic.bodies] == [(1, 600)]
    assert list(clinic.stored.values()) == [70.0]


def test_a_refusal_says_why_and_keeps_the_values(clinic, clock):
    sender = gateway(clinic, clock)
    clinic.answers = [409]
    sender.offer([("HR", 70.0)])
    with pytest.raises(GatewayRefusedError, match="no open session") as problem:
        sender.flush()
    assert problem.value.status_code == 409
    assert len(sender.spool) == 1


def test_the_measuring_time_travels_with_a_late_value(clinic, clock):
    sender = gateway(clinic, clock)
    clinic.answers = ["cut"]
    sender.offer([("HR", 70.0)])
    sender.flush()
    clock.now_s += 45
    sender.flush()
    body = clinic.bodies[-1]
    assert body["sent_s"] - body["samples"][0]["t_s"] == 45


def test_unsent_values_survive_a_crash_of_the_device(clinic, clock, tmp_path):
    path = tmp_path / "spool"
    first = gateway(clinic, clock, Spool(path))
    clinic.answers = [200, "cut"]
    first.offer([("HR", 70.0)])
    first.flush()
    first.offer([("HR", 71.0)])
    first.flush()
    first.close()
    clock.now_s += 1
    second = gateway(clinic, clock, Spool(path))
    second.offer([("HR", 72.0)])
    second.flush()
    assert list(clinic.stored.values()) == [70.0, 71.0, 72.0]
    second.close()
    assert len(Spool(path)) == 0


def test_half_a_last_line_is_the_crash_and_a_broken_line_before_it_is_not(tmp_path):
    path = tmp_path / "spool"
    good = json.dumps({"add": [[1.0, 1, "HR", 70.0]], "patient": None, "message": None})
    path.write_text(good + "\n" + good[:20])
    half = Spool(path)
    assert len(half) == 1
    half.close()
    path.write_text(good[:20] + "\n" + good + "\n")
    with pytest.raises(InputError, match=":1: the spool file is damaged"):
        Spool(path)


def test_a_full_spool_drops_the_oldest_and_counts_them():
    spool = Spool(capacity=3)
    spool.add([Sample(float(n), n, "HR", 70.0) for n in range(5)])
    assert [entry.sample.seq for entry in spool.head(9)] == [2, 3, 4]
    assert spool.dropped == 2


def test_an_unknown_signal_is_refused_before_it_is_queued(clinic, clock):
    sender = gateway(clinic, clock)
    with pytest.raises(InputError, match="unknown signal"):
        sender.offer([("BIS", 40.0)])
    assert len(sender.spool) == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_before_it_is_queued(clinic, clock, value):
    sender = gateway(clinic, clock)
    with pytest.raises(InputError, match=r"SPO2 .* is not a number"):
        sender.offer([("HR", 70.0), ("SPO2", value)])
    assert len(sender.spool) == 0


def test_play_keeps_time_by_the_start_and_not_by_the_last_sample(clinic, clock):
    begin = clock.now_s
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now_s += seconds + 0.03  # a late wake-up

    samples = [Sample(float(t), t, "HR", 70.0 + t) for t in range(20)]
    words: list[str] = []
    taken = play(moments(samples), gateway(clinic, clock), report=words.append, monotonic=clock, sleep=sleep)
    assert taken == 20
    assert 19 <= clock.now_s - begin < 19.5


def test_play_drops_values_that_belong_to_no_session_and_says_so(clinic, clock):
    clinic.answers = [409, 409]
    words: list[str] = []
    samples = [Sample(0.0, n, "HR", 70.0) for n in range(1)] + [Sample(1.0, 2, "HR", 71.0), Sample(2.0, 3, "HR", 72.0)]
    play(
        moments(samples),
        gateway(clinic, clock),
        report=words.append,
        monotonic=clock,
        sleep=lambda s: setattr(clock, "now_s", clock.now_s + s),
    )
    assert list(clinic.stored.values()) == [72.0]
    assert "refused" in words[0]
    assert words[-1] == "connected"
