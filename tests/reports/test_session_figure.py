"""The figure of a session: each reading, gap, limit, dose and alarm where it belongs, and nothing that was not seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from limen.reports.figures import Figure, Lane, session_figure
from limen.reports.figures.clock import Clock
from limen.reports.plots.figure import draw
from limen.session.replay import replay

STARTED = "2026-11-19T08:00:00+00:00"


def record(*events: dict[str, Any], samples: list[dict[str, Any]] | None = None, **header: Any) -> dict[str, Any]:
    start = [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 40, "duration_min": 40},
    ]
    return {"session": {"protocol": "TRD-IV", **header}, "events": [*start, *events], "samples": samples or []}


def drawn(value: dict[str, Any]) -> Figure:
    figure = session_figure(replay(value).note, started_at=STARTED, zone="Europe/Berlin")
    assert figure is not None
    return figure


def lane(figure: Figure, key: str) -> Lane:
    return next(lane for lane in figure.lanes if lane.key == key)


def every_second(
    until: int, value: float = 97.0, *, but: dict[int, float | None] | None = None
) -> list[dict[str, Any]]:
    changed = but or {}
    return [{"t_s": t, "signal": "SPO2", "value": changed.get(t, value)} for t in range(until)]


def test_one_low_second_of_three_hours_is_in_the_figure() -> None:
    figure = drawn(record(samples=every_second(10800, but={7000: 84.0})))
    saturation = lane(figure, "saturation")
    (reached,) = [band for band in saturation.bands if band.role == "reached"]
    assert min(value for value in reached.low if value is not None) == 84
    assert "from 84 at 10:56" in saturation.told  # in the minute that holds second 7000
    assert len(saturation.places) <= 201


def test_a_silence_is_a_gap_and_never_a_line_across() -> None:
    samples = [sample for sample in every_second(3600) if not 1000 <= sample["t_s"] < 1300]
    saturation = lane(drawn(record(samples=samples)), "saturation")
    # the last reading before it at 999 s, the first after it at 1300 s
    assert (999 / 3600, 1300 / 3600) in saturation.gaps
    inside = [
        value
        for at, value in zip(saturation.places, saturation.traces[0].values, strict=True)
        if 1020 <= at * 3600 <= 1280
    ]
    assert inside
    assert set(inside) == {None}
    assert "no value from 09:16:39 to 09:21:40" in saturation.told


def test_a_zero_is_no_reading() -> None:
    saturation = lane(drawn(record(samples=every_second(900, but=dict.fromkeys(range(300, 400), 0.0)))), "saturation")
    assert (299 / 3600, 400 / 3600) in saturation.gaps
    assert min(value for value in saturation.bands[0].low if value is not None) == 97


def test_what_a_person_wrote_stands_apart_from_the_monitor() -> None:
    seen = {"t_s": 300, "kind": "observation.recorded", "sbp_mmHg": 131, "dbp_mmHg": 80, "by": "D. Kessel"}
    cuff = [{"t_s": 600, "signal": "NIBP_SYS", "value": 140}, {"t_s": 600, "signal": "NIBP_DIA", "value": 85}]
    pressure = lane(drawn(record(seen, samples=cuff)), "pressure")
    assert [(one.words, one.by_hand, one.values) for one in pressure.seen] == [
        ("systolic, monitor", False, (140.0,)),
        ("systolic, written", True, (131.0,)),
        ("diastolic, monitor", False, (85.0,)),
        ("diastolic, written", True, (80.0,)),
    ]
    assert pressure.numbers is not None
    assert ("09:05", "systolic", "131", "written by D. Kessel") in pressure.numbers.rows
    assert ("09:10", "systolic", "140", "monitor") in pressure.numbers.rows


def test_a_value_taken_back_is_not_drawn() -> None:
    wrong = {"t_s": 300, "kind": "observation.recorded", "id": "w", "sbp_mmHg": 231, "dbp_mmHg": 80}
    back = {"t_s": 330, "kind": "entry.corrected", "entry": "w", "changes": None, "reason": "wrong chair"}
    assert "pressure" not in [one.key for one in drawn(record(wrong, back)).lanes]


def test_the_dose_follows_pauses_and_doses_at_once() -> None:
    value = record(
        {"t_s": 660, "kind": "infusion.paused"},
        {"t_s": 1260, "kind": "infusion.resumed"},
        {"t_s": 1860, "kind": "infusion.stopped", "reason": "enough"},
        {"t_s": 2000, "kind": "dose.given", "dose_mg": 5, "route": "iv"},
        {"t_s": 2400, "kind": "session.ended"},
    )
    given = lane(drawn(value), "given")
    # 1 mg a minute: ten minutes, a pause of ten, ten more, then 5 mg at once
    spots = {round(at * 3600): amount for at, amount in zip(given.places, given.traces[0].values, strict=True)}
    assert (spots[60], spots[660], spots[1260], spots[1860], spots[2000], spots[2400]) == pytest.approx(
        (0, 10, 10, 20, 25, 25)
    )


def test_own_limits_stand_only_while_they_held() -> None:
    changed = {"t_s": 1800, "kind": "limits.changed", "limits": {"SPO2": {"low": 94}}}
    saturation = lane(drawn(record(changed, samples=every_second(3600))), "saturation")
    # MON-4 asks for a pause under 92 % until the patient's own limit replaces it.
    assert [(wall.name, wall.value, wall.spans) for wall in saturation.walls] == [
        ("MON-4", 92.0, ((0.0, 0.5),)),
        ("own limit", 94.0, ((0.5, 3599 / 3600),)),
    ]


def test_the_band_is_that_of_the_forecast_known_then() -> None:
    def forecast(t_s: float, low: float) -> dict[str, Any]:
        band = {"t_s": [0, 1800], "low": [low, low], "high": [low + 40, low + 40]}
        return {"t_s": t_s, "kind": "forecast.updated", "bands": {"HR": band}}

    samples = [{"t_s": t, "signal": "HR", "value": 70} for t in range(3600)]
    heart = lane(drawn(record(forecast(600, 50), forecast(1200, 60), samples=samples)), "heart")
    (band,) = [band for band in heart.bands if band.role == "expected"]
    at = {round(place * 3600): low for place, low in zip(heart.places, band.low, strict=True)}
    assert {low for t_s, low in at.items() if t_s < 600} == {None}
    assert {low for t_s, low in at.items() if 600 <= t_s < 1200} == {50.0}
    assert {low for t_s, low in at.items() if 1200 <= t_s <= 1800} == {60.0}
    assert {low for t_s, low in at.items() if t_s > 1800} == {None}


def test_alarms_are_bars_of_the_patient_or_of_the_equipment() -> None:
    falls = every_second(900, but={**dict.fromkeys(range(300, 360), 91.0), 600: 0.0})
    bars = lane(drawn(record(samples=falls)), "alarms").bars
    assert [(bar.row, bar.hollow) for bar in bars] == [(1, False), (0, True)]
    assert round(bars[0].low * 3600) == 300


def test_the_same_record_draws_the_same_bytes_also_from_its_json() -> None:
    value = record(samples=every_second(900))
    note = replay(value).note
    first = session_figure(note, started_at=STARTED, zone="Europe/Berlin")
    again = session_figure(json.loads(json.dumps(note)), started_at=STARTED, zone="Europe/Berlin")
    assert first is not None
    assert again is not None
    assert first.digest == again.digest
    assert draw(first).svg == draw(again).svg


def test_an_empty_session_and_a_note_of_an_earlier_version_have_no_figure() -> None:
    assert session_figure(replay({"session": {"protocol": "TRD-IV"}, "events": []}).note) is None
    older = {name: part for name, part in replay(record()).note.items() if name != "trends"}
    assert session_figure(older) is None


def test_events_have_numbers_that_the_caption_tells() -> None:
    figure = drawn(record({"t_s": 660, "kind": "infusion.paused", "reason": "nausea"}))
    assert [mark.name for mark in lane(figure, "events").marks] == ["1", "2"]
    assert figure.caption[0] == "1 09:01 infusion started, 40 mg; 2 09:11 infusion paused: nausea."


@pytest.mark.parametrize(
    ("t_s", "words"),
    [(0, "01:30"), (1800, "03:00"), (-5400, "00:00"), (-9000, "28 Mar 23:00")],
)
def test_the_clock_is_that_on_the_wall_when_summer_time_begins(t_s: float, words: str) -> None:
    # In Berlin 02:00 is 03:00 on 29 March 2026.
    assert Clock("2026-03-29T00:30:00+00:00", "Europe/Berlin").at(t_s) == words
