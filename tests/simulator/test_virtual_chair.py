"""The virtual chair: deterministic, honest about faults, and moved by the effect site as its source says."""

from __future__ import annotations

import numpy as np
import pytest

from limen.errors import InputError
from limen.simulator import Fault, VirtualChair, VirtualPatient, Vitals
from limen.simulator.patient import Artefacts, draw_patient

REST = Vitals(128, 78, 72, 98, 14)
QUIET = Artefacts(gap_probability=0, zero_probability=0, spike_probability=0)


def chair(seed: int = 1, **settings: object) -> VirtualChair:
    return VirtualChair(VirtualPatient(REST), np.random.default_rng(seed), artefacts=QUIET, **settings)


def test_the_same_seed_gives_the_same_samples_and_another_seed_does_not():
    first = list(chair(7).run(600))
    assert first == list(chair(7).run(600))
    assert first != list(chair(8).run(600))


def test_one_sample_a_second_for_each_continuous_signal_and_the_cuff_on_its_schedule():
    samples = list(chair(cuff_s=300).run(600))
    for signal in ("HR", "SPO2", "RR"):
        assert [s.t_s for s in samples if s.signal == signal] == list(range(601))
    assert [s.t_s for s in samples if s.signal == "NIBP_SYS"] == [0, 300, 600]


def test_the_patient_moves_by_the_published_mean_at_the_reference_concentration():
    # 741 infusions of 0.5 mg/kg over 40 min: +7.4/+6.0 mmHg and +1.9 /min at the peak.
    moved = VirtualPatient(REST).at(80.0)
    assert moved.sbp_mmHg - REST.sbp_mmHg == pytest.approx(7.4)
    assert moved.dbp_mmHg - REST.dbp_mmHg == pytest.approx(6.0)
    assert moved.hr_per_min - REST.hr_per_min == pytest.approx(1.9)
    assert moved.spo2_pct == REST.spo2_pct


def test_the_monitor_wanders_around_the_truth():
    seen = np.array([s.value for s in chair().run(7200) if s.signal == "HR"])
    assert seen.mean() == pytest.approx(72, abs=1.0)
    assert 1.0 < seen.std() < 3.0


def test_spread_between_patients_is_log_normal_around_the_mean_patient():
    rng = np.random.default_rng(3)
    drawn = [draw_patient(rng, REST).sensitivity_ratio for _ in range(4000)]
    assert np.median(drawn) == pytest.approx(1.0, rel=0.05)
    assert np.log(drawn).std() == pytest.approx(0.5, rel=0.05)


def test_a_silent_device_sends_nothing_and_comes_back():
    samples = list(chair(faults=[Fault("silent", 10, 20)]).run(30))
    assert {s.t_s for s in samples} == {*range(10), *range(20, 31)}


def test_a_sensor_that_is_off_sends_zero_for_its_own_signal_only():
    samples = list(chair(faults=[Fault("zero", 5, 8, "SPO2")]).run(10))
    assert [s.value for s in samples if s.signal == "SPO2" and 5 <= s.t_s < 8] == [0.0, 0.0, 0.0]
    assert all(s.value > 50 for s in samples if s.signal == "HR")


def test_a_gap_answers_without_a_value():
    samples = list(chair(faults=[Fault("gap", 5, 6, "HR")]).run(10))
    assert [s.value for s in samples if s.signal == "HR" and s.t_s == 5] == [None]


def test_a_fault_does_not_shift_the_rest_of_the_stream():
    plain = {(s.t_s, s.signal): s.value for s in chair().run(60)}
    faulty = {(s.t_s, s.signal): s.value for s in chair(faults=[Fault("silent", 10, 20)]).run(60)}
    assert {key: plain[key] for key in faulty} == faulty


@pytest.mark.parametrize("bad", [{"kind": "flat", "start_s": 0}, {"kind": "zero", "start_s": 0, "signal": "BIS"}])
def test_an_unknown_fault_is_refused(bad):
    with pytest.raises(InputError, match="unknown"):
        Fault(**bad)
