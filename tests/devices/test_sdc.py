"""An SDC device on this machine: what it reports is charted once, in our units, for its patient."""

from __future__ import annotations

import builtins
import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import httpx
import pytest

from devices.sdc_monitor import monitor
from limen.devices.gateway import Gateway
from limen.devices.sdc import Channel, Consumer, channel_of, follow, load_library
from limen.errors import InputError

MDC = "urn:oid:1.2.840.10004.1.1.1.0.0.1"


def made(wall: Callable[[], float] = time.time) -> tuple[Consumer, list[dict], list[str]]:
    bodies: list[dict] = []
    words: list[str] = []

    def clinic(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"batch": bodies[-1]["batch"]})

    client = httpx.Client(transport=httpx.MockTransport(clinic))
    clock = None if wall is time.time else wall
    return (
        Consumer(Gateway("http://clinic", "t", "monitor-1", client=client, clock=clock), words.append, wall=wall),
        bodies,
        words,
    )


def state(value: float | None, at_s: float, validity: str = "Vld", mode: str = "Real") -> SimpleNamespace:
    quality = SimpleNamespace(Validity=validity, Mode=mode)
    return SimpleNamespace(MetricValue=SimpleNamespace(Value=value, DeterminationTime=at_s, MetricQuality=quality))


def waiting(consumer: Consumer) -> list[tuple[str, float | None]]:
    return [(entry.sample.signal, entry.sample.value) for entry in consumer.gateway.spool.head(999)]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("147842", None, "264864"), "HR"),
        (("150456", MDC, "262688", MDC), "SPO2"),
        (("150033", None, "266016"), "another measurement than the cuff's"),
        (("150021", None, "999999"), "unit '999999' is not in the table"),
        (("147842", None, "266016"), "does not measure the same"),
        (("147842", "urn:private", "264864"), None),
        (("1", None, "264864"), None),
        ((None, None, None), None),
    ],
)
def test_codes_become_channels_or_a_reason(codes, expected):
    found = channel_of(*codes)
    if expected is None:
        assert found is None
    elif isinstance(found, Channel):
        assert found.metric.signal == expected
    else:
        assert expected in str(found)


@pytest.mark.parametrize("validity", ["Qst", "Inv", "Ong", "Calib", "Oflw", "Uflw", "NA"])
def test_a_value_that_its_device_does_not_call_valid_is_no_value(validity):
    consumer, _, _ = made()
    consumer.channels = {"hr": channel_of("147842", None, "264864")}  # type: ignore[dict-item]
    consumer.take({"hr": state(72, 1.0, validity)})
    assert waiting(consumer) == [("HR", None)]


@pytest.mark.parametrize(("mode", "expected"), [("Real", 72.0), ("Test", None), ("Demo", None)])
def test_a_valid_number_that_was_made_to_test_or_show_the_device_is_no_value(mode, expected):
    consumer, _, _ = made()
    consumer.channels = {"hr": channel_of("147842", None, "264864")}  # type: ignore[dict-item]
    consumer.take({"hr": state(72, 1.0, mode=mode)})
    assert waiting(consumer) == [("HR", expected)]


def test_a_reading_that_is_reported_again_is_taken_once_and_a_new_one_of_the_same_value_twice():
    consumer, _, _ = made(lambda: 100.0)
    consumer.channels = {"hr": channel_of("147842", None, "264864")}  # type: ignore[dict-item]
    for at_s in (99.9, 99.9, 100.9):
        consumer.take({"hr": state(72, at_s)})
    assert waiting(consumer) == [("HR", 72.0), ("HR", 72.0)]


def test_a_clock_that_is_off_is_measured_and_ages_nothing():
    now = {"s": 1000.0}
    consumer, _, _ = made(lambda: now["s"])
    consumer.channels = {"hr": channel_of("147842", None, "264864")}  # type: ignore[dict-item]
    for _ in range(20):
        now["s"] += 1
        consumer.take({"hr": state(72, now["s"] - 75.0)})
    assert consumer.gateway.device_ahead_s == -75.0
    times = [entry.sample.t_s for entry in consumer.gateway.spool.head(99)]
    assert abs(consumer.gateway.now_s() - times[-1]) < 1.0
    now["s"] += 1
    consumer.take({"hr": state(60, now["s"] - 75.0 - 8.0)})  # this one lags by 8 s more than the others
    assert times[-1] - consumer.gateway.spool.head(99)[-1].sample.t_s == pytest.approx(8.0, abs=1.0)


@pytest.mark.parametrize("a_second", [1, 5])
def test_reports_that_waited_for_the_line_keep_their_times(a_second):
    now = {"s": 1000.0}
    consumer, _, _ = made(lambda: now["s"])
    consumer.channels = {"hr": channel_of("147842", None, "264864")}  # type: ignore[dict-item]
    for _ in range(20 * a_second):
        now["s"] += 1 / a_second
        consumer.take({"hr": state(72, now["s"])})
    last_s, before = now["s"], len(waiting(consumer))
    now["s"] += 60  # the line stands still, then brings a minute at once
    for number in range(1, 60 * a_second + 1):
        now["s"] += 0.002
        consumer.take({"hr": state(number / a_second, last_s + number / a_second)})
    found = [(entry.sample.t_s - last_s, entry.sample.value) for entry in consumer.gateway.spool.head(999)][before:]
    assert len(found) == 60 * a_second
    assert all(abs(t_s - (value or 0.0)) <= 3.7 for t_s, value in found)


def test_a_value_that_is_no_number_takes_no_other_of_its_report_with_it():
    consumer, _, words = made(lambda: 100.0)
    consumer.channels = {
        "hr": channel_of("147842", None, "264864"),  # type: ignore[dict-item]
        "spo2": channel_of("150456", None, "262688"),  # type: ignore[dict-item]
    }
    consumer.take({"hr": state(float("nan"), 99.0), "spo2": state(97, 99.0)})
    assert waiting(consumer) == [("HR", None), ("SPO2", 97.0)]
    assert "not charted: MDC_ECG_HEART_RATE" in words[0]


def test_a_clinic_that_is_down_is_said_once_and_not_five_times_a_second():
    consumer, _, words = made()
    consumer.gateway.offer([("HR", 70.0)])
    consumer.gateway._client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(503)))
    from limen.devices.sdc import _pass_on

    said = ""
    for _ in range(3):
        said = _pass_on(consumer, said, lambda: False, lambda s: None, for_s=0.4)
    assert words == ["monitor-1: the clinic answered 503, values are kept"]


def test_a_signal_that_two_metrics_give_alike_is_charted_by_rank_or_not_at_all():
    def metric(code: str, unit: str) -> SimpleNamespace:
        coded = {"CodingSystem": None}
        return SimpleNamespace(Type=SimpleNamespace(Code=code, **coded), Unit=SimpleNamespace(Code=unit, **coded))

    consumer, _, words = made()
    rr, chest, spo2 = metric("151594", "264928"), metric("151578", "264928"), metric("150456", "262688")
    consumer.describe({"co2": rr, "chest": chest, "left": spo2, "right": spo2})
    assert list(consumer.channels) == ["co2"]
    assert words == ["monitor-1, not charted: SPO2 is given 2 times"]


class PatientContextStateContainer:
    """As the library names it."""

    def __init__(self, patient: str, association: str = "Assoc") -> None:
        self.ContextAssociation = association
        self.Identification = [SimpleNamespace(Extension=patient)]


def test_a_patient_who_was_discharged_while_the_line_was_broken_is_claimed_no_more():
    consumer, _, _ = made()
    consumer.who({"a": PatientContextStateContainer("20401")}, whole=True)
    consumer.who({})  # a report that speaks of something else
    assert consumer.patient == "20401"
    consumer.who({"a": PatientContextStateContainer("20401", "Dis")}, whole=True)
    assert consumer.patient is None
    consumer.who({"a": PatientContextStateContainer("20401", "Dis"), "b": PatientContextStateContainer("20402")})
    assert consumer.patient == "20402"


def test_without_the_extra_one_line_names_it(monkeypatch):
    real = builtins.__import__

    def missing(name: str, *rest: object, **more: object) -> object:
        if name.startswith("sdc11073"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"no SDC") as problem:
        load_library()
    assert "limen[sdc]" in str(problem.value)


@pytest.mark.slow
def test_a_device_on_this_machine_is_followed():
    consumer, bodies, words = made()
    stop = threading.Event()

    def until(ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not ready():
            assert time.monotonic() < deadline, (words, bodies)
            time.sleep(0.05)

    def sent() -> dict[str, float | None]:
        return {item["signal"]: item["value"] for body in bodies for item in body["samples"]}

    with monitor() as device:
        runs = {"stopped": stop.is_set}
        thread = threading.Thread(target=follow, args=(consumer, device.address), kwargs=runs, daemon=True)
        thread.start()
        until(lambda: any("connected, 4 metrics charted" in word for word in words))
        device.admit("20401")
        until(lambda: consumer.patient == "20401")
        device.measure({"hr": 72, "spo2": 97, "temp": 98.6, "art": 110, "odd": 120, "volume": 0})
        until(lambda: len(sent()) == 4)
        assert sent() == {"HR": 72.0, "SPO2": 97.0, "TEMP": 37.0, "PUMP_VOLUME": 0.0}
        assert bodies[-1]["patient"] == "20401"
        device.measure({"spo2": 97}, validity="Inv")
        until(lambda: sent()["SPO2"] is None)
        device.measure({"spo2": 97})
        until(lambda: sent()["SPO2"] == 97.0)
        device.measure({"spo2": 98}, mode="Demo")
        until(lambda: sent()["SPO2"] is None)
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert sum("not charted" in word for word in words) == 2
