"""The MLLP listener: safe on disk before it is acknowledged, once, for a device that it knows."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import hl7.mllp
import httpx
import pytest
from hl7apy.parser import parse_message

from devices.oru import beat, oru, pressure, saturation
from limen.devices.gateway import Gateway, GatewayRefusedError
from limen.devices.hl7_listen import Listener, listen
from limen.devices.spool import Spool
from limen.devices.stations import read_stations
from limen.errors import InputError

NOW = dt.datetime(2026, 3, 1, 8, 30, 2, tzinfo=dt.UTC)


class Clinic:
    def __init__(self, answer: int = 200) -> None:
        self.answer = answer
        self.bodies: list[dict] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        return httpx.Response(self.answer, json={"batch": self.bodies[-1]["batch"]})


def made(clinic, spool=None, names=("0011223344556677",)):
    words: list[str] = []
    client = httpx.Client(transport=httpx.MockTransport(clinic))
    gateways = {
        name: Gateway("http://clinic", "secret", f"monitor-{number}", spool=spool, client=client)
        for number, name in enumerate(names, start=1)
    }
    return Listener(gateways, words.append, now=lambda: NOW), words


def code(answer: str) -> str:
    return str(parse_message(answer, validation_level=2).msa.msa_1.value)


def test_values_are_in_the_spool_when_the_message_is_acknowledged_and_go_out_with_the_patient():
    clinic = Clinic()
    listener, _ = made(clinic)
    gateway = listener.gateways["0011223344556677"]
    answer = listener.answer(oru([beat(at="20260301092957+0100"), saturation()]))
    assert code(answer) == "AA"
    assert [entry.sample.signal for entry in gateway.spool.head(9)] == ["HR", "SPO2"]
    assert clinic.bodies == []
    gateway.flush()
    (body,) = clinic.bodies
    assert body["patient"] == "20401"
    ages = {item["signal"]: body["sent_s"] - item["t_s"] for item in body["samples"]}
    assert ages["HR"] - ages["SPO2"] == pytest.approx(3.0, abs=0.01)
    # The message says 08:30:00 when our clock says 08:30:02: the device is 2 s behind.
    assert gateway.device_ahead_s == -2.0


def test_a_message_that_comes_again_is_acknowledged_and_not_charted_twice_even_after_a_restart(tmp_path):
    spool = Spool(tmp_path / "spool")
    listener, _ = made(Clinic(answer=503), spool)
    text = oru([beat()])
    assert [code(listener.answer(text)) for _ in range(3)] == ["AA"] * 3
    assert len(spool) == 1
    spool.close()
    again = Spool(tmp_path / "spool")
    listener, _ = made(Clinic(), again)
    assert code(listener.answer(text)) == "AA"
    assert (len(again), listener.counts.repeated) == (1, 1)
    assert code(listener.answer(oru([beat("90")]))) == "AA"  # its numbers began anew: other content is another message
    assert len(again) == 2


@contextmanager
def no_room() -> Iterator[None]:
    """The kernel lets this process write nothing to a file, as on a full disk."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_on_a_full_disk_nothing_is_acknowledged_that_a_kill_would_lose(tmp_path):
    clinic = Clinic()
    spool = Spool(tmp_path / "spool")
    listener, said = made(clinic, spool)
    gateway = listener.gateways["0011223344556677"]
    safe, text = oru([beat("70")]), oru([beat("71")])
    assert code(listener.answer(safe)) == "AA"
    with no_room():
        for _ in range(2):
            answer = listener.answer(text)
            assert code(answer) == "AE"
            assert "in memory only" in answer
        assert "values are kept in memory only" in said[-1]
    spool.close()  # killed here: what was acknowledged is there, what was not is the sender's to send again
    assert [entry.sample.value for entry in Spool(tmp_path / "spool").head(9)] == [70.0]
    gateway.flush()
    assert [item["value"] for body in clinic.bodies for item in body["samples"]] == [70.0, 71.0], "charted all the same"


def test_what_the_sender_repeats_is_acknowledged_once_there_is_room_and_charted_once(tmp_path):
    spool = Spool(tmp_path / "spool")
    listener, _ = made(Clinic(answer=503), spool)
    text = oru([beat("71")])
    with no_room():
        assert code(listener.answer(text)) == "AE"
    assert code(listener.answer(text)) == "AA"
    spool.close()
    assert [entry.sample.value for entry in Spool(tmp_path / "spool").head(9)] == [71.0]


@pytest.mark.parametrize(
    ("change", "wanted", "words"),
    [
        ({"sender": "MON9^9999^EUI-64"}, "AR", "device MON9\\S\\9999"),
        ({"kind": "ADT^A01^ADT_A01"}, "AR", "ORU\\S\\R01"),
        ({"patient": None}, "AE", "no patient"),
    ],
)
def test_what_is_refused_says_why_and_nothing_of_it_is_kept(change, wanted, words):
    listener, said = made(Clinic())
    answer = listener.answer(oru([beat()], **change))
    assert code(answer) == wanted
    assert words in answer
    assert said
    assert len(listener.gateways["0011223344556677"].spool) == 0


def test_a_message_with_one_bad_value_is_taken_with_a_warning():
    listener, said = made(Clinic())
    answer = listener.answer(oru([beat(unit="9^X^MDC"), saturation()]))
    assert code(answer) == "AA"
    other = parse_message(answer, validation_level=2)
    assert other.err.err_4.value == "W"
    assert "not charted" in said[0]
    bad = listener.answer(oru([beat(unit="9^X^MDC")], control="2"))
    assert code(bad) == "AE"


def test_values_of_another_device_than_the_senders_are_not_taken_for_its_own():
    listener, _ = made(Clinic())
    answer = listener.answer(oru([beat(device="FFEE^EUI-64")]))
    assert code(answer) == "AR"
    central, _ = made(Clinic(), names=("AA01", "AA02"))
    assert code(central.answer(oru([beat(device="AA02^EUI-64")]))) == "AA"
    assert [len(gateway.spool) for gateway in central.gateways.values()] == [0, 1]
    both = central.answer(oru([beat(device="AA01"), saturation(device="AA02")], control="3"))
    assert code(both) == "AE"


def test_over_the_wire_messages_are_answered_in_order_and_bad_framing_ends_only_its_own_connection():
    clinic = Clinic()
    listener, words = made(clinic)

    async def run() -> list[str]:
        stopped, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(listen(listener, "127.0.0.1", 0, stopped=stopped, ready=port.set_result))
        address = ("127.0.0.1", await port)
        _, rude = await asyncio.open_connection(*address)
        rude.write(b"GET / HTTP/1.1\r\n\r\n\x1c\r")
        await rude.drain()
        reader, writer = await hl7.mllp.open_hl7_connection(*address, encoding="utf-8")
        answers = []
        for number in range(5):
            writer.writeblock(oru([beat(str(70 + number))], control=f"c{number}").encode())
            answers.append((await asyncio.wait_for(reader.readblock(), 10)).decode())
        writer.writeblock(b"MSH|^~\\&|\xff\xfe")
        answers.append((await asyncio.wait_for(reader.readblock(), 10)).decode())
        writer.close()
        for _ in range(200):
            if sum(len(body["samples"]) for body in clinic.bodies) == 5:
                break
            await asyncio.sleep(0.02)
        stopped.set()
        await asyncio.wait_for(task, 10)
        rude.close()
        return answers

    answers = asyncio.run(run())
    told = [parse_message(answer, validation_level=2) for answer in answers]
    assert [(one.msa.msa_1.value, one.msa.msa_2.value) for one in told[:5]] == [("AA", f"c{n}") for n in range(5)]
    assert told[5].msa.msa_1.value == "AR"
    assert [item["value"] for body in clinic.bodies for item in body["samples"]] == [70.0, 71.0, 72.0, 73.0, 74.0]
    assert any("not MLLP" in word for word in words)


def at(second: int) -> str:
    """Seconds from 09:30:00 in the zone of the test's monitor."""
    begin = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
    return f"{begin + dt.timedelta(seconds=second):%Y%m%d%H%M%S}+0100"


class Steady:
    """The gateway's clock, in step with the listener's."""

    def __init__(self, at_s: float = 0.0) -> None:
        self.at_s = at_s

    def __call__(self) -> float:
        return dt.datetime(2026, 3, 1, 8, 30, tzinfo=dt.UTC).timestamp() + self.at_s


def timed(spool: Spool | None = None) -> tuple[Listener, Gateway, Steady]:
    """A listener of one monitor whose clocks the test moves."""
    clock = Steady()
    gateway = Gateway("http://clinic", "secret", "monitor-1", spool=spool, clock=clock)
    now = lambda: dt.datetime.fromtimestamp(clock(), dt.UTC)  # noqa: E731
    return Listener({"0011223344556677": gateway}, lambda word: None, now=now), gateway, clock


def measured(gateway: Gateway, signal: str = "HR") -> list[tuple[float, float | None]]:
    """Each value that waits, with the second it was measured."""
    begin_s = Steady()()
    entries = [entry.sample for entry in gateway.spool.head(10**6) if entry.sample.signal == signal]
    return [(round(sample.t_s - begin_s, 1), sample.value) for sample in entries]


@pytest.mark.parametrize("stamped", [lambda second: at(10), at], ids=["with its own time", "with each message's"])
def test_a_cuff_reading_that_the_monitor_repeats_in_every_message_is_charted_once(stamped):
    listener, gateway, clock = timed()
    for second in range(12, 60):
        clock.at_s = second
        text = oru([beat(), *pressure(at=stamped(second))], sent=at(second), control=str(second))
        assert code(listener.answer(text)) == "AA"
    assert [value for _, value in measured(gateway, "NIBP_SYS")] == [128.0]
    assert len(measured(gateway, "NIBP_DIA")) == 1
    assert len(measured(gateway)) == 48, "what is measured all the time is charted all the time"


def test_the_next_cuff_reading_is_charted_also_where_one_or_both_of_its_numbers_are_the_same():
    listener, gateway, clock = timed()
    readings = [(0, 128, 78), (150, 128, 78), (300, 131, 78), (450, 131, 78)]
    for second, systolic, diastolic in readings:
        clock.at_s = second
        text = oru(pressure(systolic, diastolic, at=at(second)), sent=at(second), control=str(second))
        assert code(listener.answer(text)) == "AA"
    assert measured(gateway, "NIBP_SYS") == [(0, 128.0), (150, 128.0), (300, 131.0), (450, 131.0)]
    assert measured(gateway, "NIBP_DIA") == [(0, 78.0), (150, 78.0), (300, 78.0), (450, 78.0)]


def test_what_waited_while_nobody_listened_keeps_the_time_it_was_measured(tmp_path):
    listener, gateway, clock = timed(Spool(tmp_path / "spool"))
    for second in range(20):
        clock.at_s = second
        listener.answer(oru([beat("70")], sent=at(second), control=str(second)))
    gateway.close()
    # The listener is down for five minutes; the sender keeps its messages and sends them fifty a second.
    listener, gateway, clock = timed(Spool(tmp_path / "spool"))
    gateway.spool.taken(gateway.spool.head(99))
    for second in range(20, 330):
        clock.at_s = max(320.0 + second * 0.02, second)
        listener.answer(oru([beat(str(second))], sent=at(second), control=str(second)))
    late = [second - value for second, value in measured(gateway) if value is not None]
    assert len(late) == 310
    assert max(map(abs, late)) <= 7.0, "the last few seconds of the queue came while it was sent"
    assert gateway.device_ahead_s == pytest.approx(0.0, abs=7.0), "no clock was wrong"


def test_a_clock_that_is_set_back_is_followed_once_its_messages_agree():
    listener, gateway, clock = timed()
    for second in range(60):
        clock.at_s = second
        set_back = 3600 if second >= 20 else 0
        listener.answer(oru([beat(str(40 + second))], sent=at(second - set_back), control=str(second)))
    found = measured(gateway)
    assert [second for second, _ in found[:20]] == [float(second) for second in range(20)]
    assert found[-1] == (59.0, 99.0)
    assert gateway.device_ahead_s == -3600.0
    assert sum(second < 0 for second, _ in found) < 15


def listening(listener, texts: list[str], enough) -> list[str]:
    """Send some messages over the wire, and listen on until it is enough or the listener ends."""

    async def run() -> list[str]:
        stopped, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(listen(listener, "127.0.0.1", 0, stopped=stopped, ready=port.set_result))
        reader, writer = await hl7.mllp.open_hl7_connection("127.0.0.1", await port, encoding="utf-8")
        answers = []
        for text in texts:
            writer.writeblock(text.encode())
            answers.append((await asyncio.wait_for(reader.readblock(), 10)).decode())
        writer.close()
        for _ in range(500):
            if enough() or task.done():
                break
            await asyncio.sleep(0.02)
        stopped.set()
        await asyncio.wait_for(task, 10)
        return answers

    return asyncio.run(run())


def stationed(known: set[str]) -> tuple[Listener, list[dict], list[str]]:
    """Two monitors, and a clinic that knows the tokens of some."""
    taken: list[dict] = []
    words: list[str] = []

    def clinic(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["device"] not in known:
            return httpx.Response(401, json={"error": {"what": "no active device has this token"}})
        taken.append(body)
        return httpx.Response(200, json={"batch": body["batch"]})

    gateways = {
        name: Gateway("http://clinic", "t", device, client=httpx.Client(transport=httpx.MockTransport(clinic)))
        for name, device in (("AA01", "monitor-1"), ("AA02", "monitor-2"))
    }
    return Listener(gateways, words.append, now=lambda: NOW), taken, words


def test_a_device_that_the_clinic_no_longer_knows_silences_no_other():
    listener, taken, words = stationed({"monitor-2"})
    texts = [
        oru([beat("71")], sender="AA01", control="1"),
        oru([beat("72")], sender="AA02", control="2"),
        oru([beat("73")], sender="AA02", control="3"),
    ]
    answers = listening(listener, texts, lambda: sum(len(body["samples"]) for body in taken) == 2 and words)
    assert [code(answer) for answer in answers] == ["AA"] * 3
    assert [item["value"] for body in taken for item in body["samples"]] == [72.0, 73.0]
    assert any("monitor-1: " in word and "no active device has this token" in word for word in words)
    assert len(listener.gateways["AA01"].spool) == 1, "kept for when it is known again"


def test_where_the_clinic_knows_no_device_the_listener_ends_with_its_words():
    listener, _, _ = stationed(set())
    texts = [oru([beat()], sender=sender, control=sender) for sender in ("AA01", "AA02")]
    with pytest.raises(GatewayRefusedError, match="no active device"):
        listening(listener, texts, lambda: False)


def test_the_file_of_devices_is_secret_and_each_name_stands_once(tmp_path):
    path = tmp_path / "devices.yaml"
    path.write_text("devices:\n  - {sends_as: A, device: m-1, token: t1}\n  - {sends_as: B, device: m-2, token: t2}\n")
    path.chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        read_stations(path)
    path.chmod(0o600)
    assert [station.device for station in read_stations(path)] == ["m-1", "m-2"]
    path.write_text("devices:\n  - {sends_as: A, device: m-1, token: t1}\n  - {sends_as: A, device: m-2, token: t2}\n")
    with pytest.raises(InputError, match="two devices with one sends_as"):
        read_stations(path)
