"""Virtual patients with bodies and ages of their own: each must be the person he would be alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limen.cli.main import main
from limen.errors import InputError
from limen.pharmacology import Dose, PatientProfile, population
from limen.pharmacology.forecast import forecast
from limen.pharmacology.models import get
from limen.pharmacology.populations.crowd import Crowd
from limen.pharmacology.populations.demographics import people
from limen.pharmacology.populations.large_ensemble import ensemble_quantiles
from limen.pharmacology.populations.large_population import population_quantiles
from limen.pharmacology.populations.quantiles import QuantileSketch
from limen.pharmacology.regimen import Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import simulate, variability_of

DOSE = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
TRIALS = "esketamine-trials"
ERROR, FLOOR = QuantileSketch(1).error_fraction, QuantileSketch(1).floor


def seed_of(state):
    return population.seed_of(np.random.default_rng(state))


@pytest.mark.parametrize("per_kg", [True, False])
@pytest.mark.parametrize(
    ("model", "product", "dose"),
    [
        ("fanta-otto-2021", "racemic", Dose(35, "iv", 0, 40)),
        ("perez-ruixo-2021", "esketamine-nasal", Dose(56, "in")),
        ("simons-2022", "s-ketamine", Dose(20, "iv", 0, 30)),
        ("hijazi-2003", "racemic", Dose(35, "iv", 0, 40)),
    ],
)
def test_each_is_who_he_would_be_alone(model, product, dose, per_kg):
    # One patient at a time, of his own weight and age, with his own milligrams: nothing of it is done by rows.
    n, chosen = 5, get(model)
    schedule = Schedule.of([dose])
    grid = Grid.of(240, 10, schedule)
    draws = np.concatenate([np.zeros((1, len(population.COLUMNS))), population.patients(9, 0, n)])
    variability, _ = variability_of(chosen)
    cohort = Crowd(TRIALS, per_kg).cohort(PATIENT, 9, 0, n)
    together = respond(
        chosen, [dose], product, PATIENT, grid, schedule, draws, variability=variability, cohort=cohort
    )  # fmt: skip
    for row, person in enumerate(people(9, 0, n).profiles(), start=1):
        mine = Dose(dose.amount_mg * (person.weight_kg / 70 if per_kg else 1), dose.route, 0, dose.duration_min)
        if model == "perez-ruixo-2021" and per_kg:
            # The device gives whole doses; linear kinetics give the ratio.
            mine = dose
        alone = respond(
            chosen, [mine], product, person, grid, Schedule.of([mine]), draws[[0, row]], variability=variability,
            wanted_effects=(),
        )  # fmt: skip
        ratio = person.weight_kg / 70 if mine is dose and per_kg else 1.0
        for name, values in alone.values.items():
            found, expected = together.values[name][row], ratio * values[1]
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * expected.max(), err_msg=name)
            if (area := alone.measures[name].auc_0_end_ng_h_per_mL) is not None:
                mine_area = together.measures[name].auc_0_end_ng_h_per_mL
                assert mine_area[row] == pytest.approx(ratio * area[1], rel=1e-6)


def test_the_typical_patient_stays_the_one_given():
    alone = simulate("fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=5.0)
    crowd = simulate(
        "fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=5.0, n=50, rng=np.random.default_rng(1),
        people=Crowd(TRIALS, True),
    )  # fmt: skip
    for name, curve in alone.outputs.items():
        np.testing.assert_allclose(crowd.outputs[name].typical, curve.typical, rtol=1e-9, atol=1e-9)


def test_area_goes_with_weight_as_the_paper_scales_clearance():
    # Area to infinity is dose over clearance, and clearance goes with weight to the power 0.75 (Otto 2021).
    def areas(per_kg):
        result = simulate(
            "fanta-otto-2021", DOSE, PATIENT, until_min=7 * 1440, every_min=60.0, n=300, rng=np.random.default_rng(1),
            people=Crowd(TRIALS, per_kg), wanted_effects=(),
        )  # fmt: skip
        return result.summary["S_ketamine_venous_ng_per_mL"].patients.auc_0_end_ng_h_per_mL

    alone = simulate(
        "fanta-otto-2021", DOSE, PATIENT, until_min=7 * 1440, every_min=60.0, n=300, rng=np.random.default_rng(1),
        wanted_effects=(),
    ).summary["S_ketamine_venous_ng_per_mL"].patients.auc_0_end_ng_h_per_mL  # fmt: skip
    ratio = people(seed_of(1), 0, 300).weight_kg / 70
    np.testing.assert_allclose(areas(False), alone * ratio**-0.75, rtol=1e-3)
    np.testing.assert_allclose(areas(True), alone * ratio**0.25, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", ["all", "dosed"])
def test_counted_people_are_those_in_memory(outputs):
    crowd = Crowd(TRIALS, True)
    exact = simulate(
        "fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=5.0, n=400, rng=np.random.default_rng(3),
        people=crowd,
    )  # fmt: skip
    found = population_quantiles(
        "fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=5.0, n=400, seed=seed_of(3), chunk=77,
        outputs=outputs, people=crowd,
    )  # fmt: skip
    assert {flag.code for flag in found.flags} >= {"virtual-people", "people-outside-age", "counted-percentiles"}
    for name, curve in found.outputs.items():
        for level in ("p05", "p50", "p95"):
            expected = getattr(exact.outputs[name].between_patients, level)
            counted = getattr(curve.between_patients, level)
            np.testing.assert_array_equal(np.isnan(counted), np.isnan(expected))
            close = np.abs(counted - expected) <= np.maximum(ERROR * np.abs(expected), FLOOR) * 1.001
            assert (close | np.isnan(expected)).all(), name


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, {"domino": 2.0, "clements-250": 0.5, "simons-2022": 0.0}])
def test_a_counted_ensemble_is_the_one_in_memory(weights):
    doses = [Dose(20, "iv", 0, 2)]
    settings = {"until_min": 120, "every_min": 15.0, "member_weight": weights}
    exact = forecast(doses, PATIENT, n=300, rng=np.random.default_rng(3), **settings)
    found = ensemble_quantiles(doses, PATIENT, n=300, seed=seed_of(3), chunk=91, **settings)
    assert set(found.outputs) == set(exact.outputs)
    assert found.patients == 300
    for name, curve in exact.outputs.items():
        np.testing.assert_array_equal(found.outputs[name].typical, curve.typical)
        for kind in ("between_patients", "patients_alone"):
            for level in ("p05", "p50", "p95"):
                expected, counted = (getattr(getattr(one, kind), level) for one in (curve, found.outputs[name]))
                np.testing.assert_array_equal(np.isnan(counted), np.isnan(expected), err_msg=name)
                close = np.abs(counted - expected) <= np.maximum(ERROR * np.abs(expected), FLOOR) * 1.001
                assert (close | np.isnan(expected)).all(), (name, kind, level)
        cells, counted_cells = exact.summary[name].to_json(), found.summary[name].to_json()
        for measure, cell in cells.items():
            for level in ("p05", "p50", "p95"):
                expected = None if cell is None else cell[level]
                assert (expected is None) == (counted_cells[measure] is None or counted_cells[measure][level] is None)
                if expected is not None:
                    assert counted_cells[measure][level] == pytest.approx(expected, rel=1.01 * ERROR, abs=FLOOR)
        for measure, item in exact.disagreement.get(name, {}).items():
            shared = found.disagreement[name][measure].between_models_fraction
            # Nothing is said of a spread within a bin's floor, such as of a chance of one in a million.
            assert (shared is not None) or cells[measure]["p95"] < 1
            if shared is not None:
                assert shared == pytest.approx(item.between_models_fraction, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [1, 10, 10_000])
def test_the_chunk_does_not_change_the_ensemble(chunk):
    def counted(size):
        return ensemble_quantiles(
            DOSE, PATIENT, until_min=60, every_min=20.0, n=12, seed=5, chunk=size, people=Crowd(TRIALS, True)
        )

    small, other = counted(None), counted(chunk)
    for name, curve in small.outputs.items():
        for level in ("p05", "p50", "p95"):
            found = getattr(other.outputs[name].between_patients, level)
            np.testing.assert_array_equal(found, getattr(curve.between_patients, level), err_msg=name)


def test_refuses_what_has_no_meaning():
    with pytest.raises(InputError, match="esketamine-trials"):
        Crowd("martians", True)
    with pytest.raises(InputError, match="1 or more"):
        simulate("domino", DOSE, PATIENT, until_min=60, people=Crowd(TRIALS, True))
    with pytest.raises(InputError, match="weight"):
        Crowd(TRIALS, True).cohort(PatientProfile(age_years=42), 1, 0, 3)
    with pytest.raises(InputError, match="at most 100000000"):
        ensemble_quantiles(DOSE, PATIENT, n=100_000_001, seed=1)


def limen(monkeypatch, capsys, tmp_path, *words):
    patient = tmp_path / "patient.json"
    patient.write_text('{"age_years": 42, "weight_kg": 70}', encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["limen", "simulate", "--patient", str(patient), *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["kamp-2020", "ensemble"])
def test_the_command_counts_people_when_memory_does_not_hold_them(monkeypatch, capsys, tmp_path, model):
    monkeypatch.setattr("limen.pharmacology.response.MAX_PATIENT_POINTS", 500)
    code, shown = limen(
        monkeypatch, capsys, tmp_path, "--model", model, "--dose", "0.5 mg/kg iv over 40 min", "--until", "2 h",
        "--every", "30 min", "--population", "150", "--people", TRIALS, "--json",
    )  # fmt: skip
    found = json.loads(shown.out)
    assert code == 0
    assert found["patients"] == 150
    assert {"counted-percentiles", "virtual-people"} <= {flag["code"] for flag in found["flags"]}
    assert shown.err == ""


@pytest.mark.slow
def test_the_command_refuses_doses_of_two_kinds_and_people_without_a_number(monkeypatch, capsys, tmp_path):
    two = ("--dose", "0.5 mg/kg iv over 40 min", "--dose", "10 mg iv at 60 min", "--until", "2 h")
    code, shown = limen(
        monkeypatch, capsys, tmp_path, "--model", "domino", *two, "--people", TRIALS, "--population", "10"
    )
    assert code == 2
    assert "all by weight, or none" in shown.err
    code, shown = limen(monkeypatch, capsys, tmp_path, "--model", "domino", *two[:2], *two[4:], "--people", TRIALS)
    assert code == 2
    assert "--population" in shown.err
    code, shown = limen(monkeypatch, capsys, tmp_path, "--model", "domino", *two[:2], *two[4:], "--outputs", "dosed")
    assert code == 2
    assert "--population" in shown.err
