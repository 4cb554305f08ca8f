"""Deteriorations and faults on demand: their stated courses, their recovery, and how they are asked for."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from limen.cli.main import main
from limen.devices.training import Script, ask, script_of
from limen.errors import InputError
from limen.simulator import Fault, Illness, VirtualChair, VirtualPatient, Vitals, deteriorations, find_deterioration
from limen.simulator.patient import Artefacts
from limen.simulator.rooms import furnish
from limen.simulator.trouble import parse_trouble

REST = Vitals(128, 78, 72, 98, 14)
QUIET = Artefacts(gap_probability=0, zero_probability=0, spike_probability=0)


def chair(seed: int = 1, **settings: object) -> VirtualChair:
    return VirtualChair(VirtualPatient(REST), np.random.default_rng(seed), artefacts=QUIET, **settings)


def seen(made: VirtualChair, until_s: float, signal: str) -> dict[float, float | None]:
    return {sample.t_s: sample.value for sample in made.run(until_s) if sample.signal == signal}


def test_every_deterioration_of_the_list_is_there_and_crosses_no_bound_of_the_possible():
    assert {entry.id for entry in deteriorations()} >= {
        "apnoea", "hypertensive-crisis", "laryngospasm", "emergence-agitation", "vomiting", "bradycardia",
        "anaphylaxis", "arrest",
    }  # fmt: skip
    for entry in deteriorations():
        illness = Illness(entry, 10.0)
        made = chair(illnesses=[illness])
        for t_s in np.arange(0.0, illness.end_s + entry.recovers_s + 2, 5.0):
            for name, value in made.truth(float(t_s)).items():
                assert value is None or 0 <= value <= 250, (entry.id, name, t_s)


def test_apnoea_follows_its_stated_course_and_recovers():
    illness = Illness(find_deterioration("apnoea"), 100.0)
    made = chair(illnesses=[illness])
    # As the file says: breathing gone in 10 s; saturation from 98 towards 78 from second 45 on, over 120 s.
    assert made.truth(99.0)["rr_per_min"] == 14
    assert made.truth(105.0)["rr_per_min"] == pytest.approx(7)
    assert made.truth(110.0)["rr_per_min"] == 0
    assert made.truth(145.0)["spo2_pct"] == 98
    assert made.truth(205.0)["spo2_pct"] == pytest.approx(88)
    assert made.truth(265.0)["spo2_pct"] == pytest.approx(78)
    assert made.truth(280.0 + 30)["spo2_pct"] == pytest.approx(88)
    assert made.truth(280.0 + 60)["spo2_pct"] == 98


def test_treatment_ends_it_early_from_where_it_stands():
    made = chair(illnesses=[Illness(find_deterioration("apnoea"), 100.0, for_s=105.0)])
    assert made.truth(204.9)["spo2_pct"] == pytest.approx(88, abs=0.1)
    assert made.truth(235.0)["spo2_pct"] == pytest.approx(93)


def test_in_arrest_the_sensors_have_nothing_and_nothing_looks_alive():
    made = chair(illnesses=[Illness(find_deterioration("arrest"), 10.0)])
    samples = [sample for sample in made.run(120) if sample.t_s >= 60]
    assert {sample.value for sample in samples if sample.signal in ("HR", "RR")} == {0.0}
    assert {sample.value for sample in samples if sample.signal == "SPO2"} == {None}


@pytest.mark.parametrize(
    ("fault", "signal", "values"),
    [
        (Fault("probe-off", 5, 8), "SPO2", {0.0}),
        (Fault("lead-off", 5, 8), "HR", {None}),
        (Fault("gap", 5, 8, "RR"), "RR", {None}),
    ],
)
def test_a_sensors_fault_is_on_its_sensor_and_no_other(fault, signal, values):
    plain, faulty = seen(chair(), 20, "NIBP_SYS"), seen(chair(faults=[fault]), 20, "NIBP_SYS")
    assert plain == faulty
    during = {value for t_s, value in seen(chair(faults=[fault]), 20, signal).items() if 5 <= t_s < 8}
    assert during == values


def test_a_frozen_monitor_repeats_its_last_value():
    values = seen(chair(faults=[Fault("frozen", 10, 60, "HR")]), 80, "HR")
    assert {values[t_s] for t_s in range(10, 60)} == {values[9]}
    assert len({values[t_s] for t_s in range(60, 80)}) > 1


def test_dropouts_lose_some_and_keep_some():
    kept = seen(chair(faults=[Fault("dropouts", 0, 400)]), 399, "HR")
    assert 120 < len(kept) < 280


@pytest.mark.parametrize("kind", ["duplicate", "reorder"])
def test_a_fault_of_the_way_loses_nothing(kind):
    plain = list(chair().run(60))
    made = chair(faults=[Fault(kind, 10, 40)])
    arrived = list(made.run(60))
    assert set(arrived) == set(plain)
    assert (len(arrived) > len(plain)) == (kind == "duplicate")
    times = [sample.t_s for sample in arrived if sample.signal == "HR"]
    assert (times == sorted(times)) == (kind == "duplicate")


def test_a_clock_that_jumps_moves_no_sample():
    made = chair(faults=[Fault("clock-jump", 5, 10, amount_s=-3600)])
    ahead = []
    for _ in range(12):
        made.step()
        ahead.append(made.clock_ahead_s())
    assert ahead == [0] * 5 + [-3600] * 5 + [0] * 2


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("kind=flu", "unknown deterioration 'flu'"),
        ("at=10min", "names no kind"),
        ("kind=apnoea,kind=arrest", "cannot read"),
        ("kind=apnoea,colour=red", "cannot read"),
        ("kind=zero,signal=BIS", "unknown signal"),
        ("kind=apnoea,at=soon", "cannot read the duration"),
        ("kind=apnoea,chair=0", "chair '0'"),
    ],
)
def test_trouble_that_is_not_understood_is_refused_in_words(text, wrong):
    with pytest.raises(InputError, match=wrong):
        parse_trouble(text)


def test_trouble_is_for_its_chair_only_and_patients_differ():
    first, second = furnish(2, seed=5, troubles=[parse_trouble("chair=2,at=5s,kind=probe-off")])
    assert (len(first.faults), len(second.faults)) == (0, 1)
    assert first.patient.sensitivity_ratio != second.patient.sensitivity_ratio
    with pytest.raises(InputError, match="chair 3"):
        furnish(2, seed=5, troubles=[parse_trouble("chair=3,kind=apnoea")])


def test_a_trainer_makes_trouble_at_a_chair_that_runs(tmp_path):
    script = Script(script_of(tmp_path, "virtual-chair-1"))
    made = chair()
    for _ in range(30):
        made.step()
    assert script.befall(made) == []
    ask(tmp_path, "virtual-chair-1", {"kind": "probe-off", "for": "5 s"})
    script.path.open("a").write('{"kind": "apn')  # half a line: the rest comes
    assert script.befall(made) == ["probe-off begins"]
    assert script.befall(made) == []
    values = seen(made, 40, "SPO2")
    assert [t_s for t_s, value in values.items() if value == 0.0] == [30, 31, 32, 33, 34]
    script.path.open("a").write('oea"}\nnonsense\n')
    told = script.befall(made)
    assert told[0] == "apnoea begins"
    assert "not understood" in told[1]
    with pytest.raises(InputError, match="allowed: virtual-chair-1"):
        ask(tmp_path, "virtual-chair-9", {"kind": "apnoea"})


def test_the_command_line_simulates_the_same_from_the_same_seed(capsys, monkeypatch):
    def lines(*more: str) -> list[dict]:
        monkeypatch.setattr(sys, "argv", ["limen", "device", "simulate", "--chairs", "2", "--until", "20 s", *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert lines("--seed", "4") == lines("--seed", "4") != lines("--seed", "5")
    faulty = lines("--fault", "chair=2,at=10s,kind=probe-off")
    off = {(row["chair"], row["t_s"]) for row in faulty if row["signal"] == "SPO2" and row["value"] == 0.0}
    assert off == {(2, float(second)) for second in range(10, 21)}
