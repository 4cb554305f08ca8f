"""More patients than memory holds: the same percentiles as all at once, whatever the chunk."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from limen.cli.main import main
from limen.errors import InputError
from limen.pharmacology import Dose, PatientProfile, population
from limen.pharmacology.models import get
from limen.pharmacology.populations.closed_form import curves
from limen.pharmacology.populations.large_population import population_quantiles
from limen.pharmacology.populations.quantiles import QuantileSketch
from limen.pharmacology.regimen import Schedule
from limen.pharmacology.response import Grid, respond
from limen.pharmacology.simulate import simulate, variability_of

DOSE = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
N = 700
ERROR = QuantileSketch(1).error_fraction
FLOOR = QuantileSketch(1).floor


def counted(model="fanta-otto-2021", n=N, **more):
    more = {"until_min": 120, "every_min": 2.0, "seed": population.seed_of(np.random.default_rng(3))} | more
    return population_quantiles(model, DOSE, PATIENT, n=n, **more)


@pytest.fixture(scope="module")
def whole():
    return counted()


def test_agrees_with_all_patients_in_memory_within_the_stated_bound(whole):
    rng = np.random.default_rng(3)
    exact = simulate("fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=2.0, n=N, rng=rng)
    assert set(whole.outputs) == set(exact.outputs)
    for name, curve in exact.outputs.items():
        np.testing.assert_array_equal(whole.outputs[name].typical, curve.typical)
        for level in ("p05", "p50", "p95"):
            expected = getattr(curve.between_patients, level)
            found = getattr(whole.outputs[name].between_patients, level)
            assert (np.abs(found - expected) <= np.maximum(ERROR * np.abs(expected), FLOOR) + 1e-9).all(), name


def test_peaks_and_areas_agree_too(whole):
    rng = np.random.default_rng(3)
    exact = simulate("fanta-otto-2021", DOSE, PATIENT, until_min=120, every_min=2.0, n=N, rng=rng)
    for name, summary in exact.summary.items():
        for measure, cell in summary.to_json().items():
            found = whole.summary[name].to_json()[measure]
            assert (found is None) == (cell is None), (name, measure)
            for level in cell or {}:
                assert found[level] == pytest.approx(cell[level], rel=ERROR * 1.001, abs=FLOOR), (name, measure, level)


@pytest.mark.parametrize("chunk", [1, 13, 256, 5000])
def test_the_chunk_does_not_change_the_answer(chunk):
    small, other = counted(n=300), counted(n=300, chunk=chunk)
    for name, curve in small.outputs.items():
        for level in ("p05", "p50", "p95"):
            found = getattr(other.outputs[name].between_patients, level)
            np.testing.assert_array_equal(found, getattr(curve.between_patients, level), err_msg=name)


def test_says_the_bound_and_the_number(whole):
    flag = next(flag for flag in whole.flags if flag.code == "counted-percentiles")
    assert "700 virtual patients" in flag.message
    assert "0.2 %" in flag.message
    assert whole.patients == N


def test_finer_bins_state_a_smaller_bound():
    assert "0.012 %" in counted(n=30, bits=12).flags[-1].message


def test_effects_can_be_left_out():
    found = counted(n=30, outputs="concentrations")
    assert set(found.outputs) == {
        "S_ketamine_venous_ng_per_mL", "S_norketamine_venous_ng_per_mL", "S_ketamine_effect_site_ng_per_mL",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "product"), [("fanta-otto-2021", "racemic"), ("fanta-otto-2021", "s-ketamine"), ("domino", "racemic")]
)
def test_the_closed_form_counts_the_same_patients(model, product):
    by_vein = counted(model, n=120, outputs="dosed", product=product, bits=12)
    whole = counted(model, n=120, outputs="concentrations", product=product, bits=12)
    assert {name for name in whole.outputs if "norketamine" not in name} == set(by_vein.outputs)
    for name, curve in by_vein.outputs.items():
        for level in ("p05", "p50", "p95"):
            expected = getattr(whole.outputs[name].between_patients, level)
            found = getattr(curve.between_patients, level)
            # A rounding error may move a patient to the next bin.
            np.testing.assert_allclose(found, expected, rtol=2.5 * 2.0**-13, atol=1e-3)
        cells = by_vein.summary[name].to_json()
        assert cells["cmax"]["p50"] == pytest.approx(whole.summary[name].to_json()["cmax"]["p50"], rel=1e-3)
        assert cells["auc_0_end_ng_h_per_mL"] is None


@pytest.mark.parametrize("model", ["fanta-otto-2021", "domino"])
def test_the_closed_form_agrees_with_the_numpy_engine_to_1e_10(model):
    chosen, schedule = get(model), Schedule.of([*DOSE, Dose(10, "iv", 61.5)])
    grid = Grid.of(240, 1.0, schedule)
    draws = np.concatenate([np.zeros((1, len(population.COLUMNS))), population.patients(1, 0, 100)])
    variability, _ = variability_of(chosen)
    doses = [*DOSE, Dose(10, "iv", 61.5)]
    expected = respond(chosen, doses, "racemic", PATIENT, grid, schedule, draws, variability=variability).values
    found = curves(chosen, "racemic", PATIENT, schedule, grid.solved_min, draws, variability=variability)
    for name, values in found.items():
        peak = expected[name].max(axis=1, keepdims=True)
        assert (np.abs(values - expected[name]) <= 1e-10 * np.maximum(expected[name], 1e-4 * peak)).all(), name


def test_a_nasal_dose_is_counted_by_the_whole_engine():
    doses = [Dose(56, "in")]
    found = population_quantiles(
        "perez-ruixo-2021", doses, PATIENT, until_min=60, every_min=10, n=20, seed=1, outputs="dosed"
    )
    assert "S_ketamine_plasma_ng_per_mL" in found.outputs


def test_refuses_outputs_that_are_none():
    with pytest.raises(InputError, match="outputs"):
        counted(n=3, outputs="everything")


def test_tells_how_far_it_is():
    told = []
    counted(n=100, chunk=30, progress=lambda done, of: told.append((done, of)))
    assert told == [(30, 100), (60, 100), (90, 100), (100, 100)]


@pytest.mark.parametrize(("n", "chunk"), [(0, None), (-1, None), (10, 0)])
def test_refuses_no_patients(n, chunk):
    with pytest.raises(InputError, match="patients"):
        counted(n=n, chunk=chunk)


def test_the_command_counts_what_does_not_fit_in_memory(tmp_path, monkeypatch, capsys):
    patient = tmp_path / "patient.json"
    patient.write_text('{"weight_kg": 70, "age_years": 42}')
    monkeypatch.setattr("limen.pharmacology.response.MAX_PATIENT_POINTS", 10_000)
    words = ["--dose", "35 mg iv over 40 min", "--until", "2 h", "--every", "2 min", "--population", "300", "--json"]
    monkeypatch.setattr("sys.argv", ["limen", "simulate", "--model", "kamp-2020", "--patient", str(patient), *words])
    with pytest.raises(SystemExit) as end:
        main()
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert end.value.code == 0
    assert found["patients"] == 300
    assert "counted-percentiles" in {flag["code"] for flag in found["flags"]}
    curve = found["outputs"]["ketamine_arterial_ng_per_mL"]
    assert curve["p05"][20] < curve["p50"][20] < curve["p95"][20]
    assert shown.err == ""


@pytest.mark.soak
def test_memory_does_not_grow_from_a_hundred_thousand_to_four_million_patients():
    code = (
        "import resource, sys\n"
        "from limen.pharmacology import Dose, PatientProfile\n"
        "from limen.pharmacology.populations.large_population import population_quantiles\n"
        "population_quantiles('kamp-2020', [Dose(35, 'iv', 0, 40)], PatientProfile(weight_kg=70, age_years=42),"
        " until_min=240, n=int(sys.argv[1]), seed=1, outputs='dosed')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    small, large = (
        int(subprocess.run([sys.executable, "-c", code, n], check=True, capture_output=True, text=True).stdout)
        for n in ("100000", "4000000")
    )
    # The curves of four million patients would take 15 GB.
    assert large < 1.2 * small


@pytest.mark.slow
def test_two_hundred_thousand_patients_are_a_sample_of_the_model_s_own_spread():
    # By vein into one arm: the peak's logarithm is spread as the paper's covariance says, within sampling and bins.
    found = population_quantiles(
        "clements-250", [Dose(35, "iv")], PATIENT, until_min=60, every_min=20.0, n=200_000, seed=8, outputs="dosed"
    )
    cell = found.summary["ketamine_plasma_ng_per_mL"].to_json()["cmax"]
    # After a bolus the peak is dose over the central volume, whose logarithm is normal.
    variability, _ = variability_of(get("clements-250"))
    spread = next(
        block.omega_log_variance[block.effects.index("V1")][block.effects.index("V1")] for block in variability
    )
    typical = found.outputs["ketamine_plasma_ng_per_mL"].typical[0]
    for level, z in (("p05", -1.6449), ("p50", 0.0), ("p95", 1.6449)):
        assert cell[level] == pytest.approx(typical * np.exp(z * spread**0.5), rel=0.006)


@pytest.mark.soak
def test_memory_and_percentiles_hold_over_ten_million_patients_of_the_command(tmp_path):
    patient = tmp_path / "patient.json"
    patient.write_text('{"age_years": 42, "weight_kg": 70}', encoding="utf-8")
    words = [
        "simulate", "--model", "fanta-otto-2021", "--patient", str(patient), "--dose", "0.5 mg/kg iv over 40 min",
        "--until", "4 h", "--every", "30 min", "--seed", "1", "--outputs", "dosed", "--json",
    ]  # fmt: skip
    code = (
        "import resource, sys\n"
        "from limen.cli.main import main\n"
        "try:\n    main()\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )

    def run(n):
        ask = [sys.executable, "-c", code, *words, "--population", str(n)]
        done = subprocess.run(ask, check=True, capture_output=True, text=True)
        return json.loads(done.stdout), int(done.stderr.split()[-1])

    (small, small_kb), (large, large_kb) = run(200_000), run(20_000_000)
    assert large["patients"] == 20_000_000
    assert large_kb < 1.3 * small_kb
    one, other = (found["outputs"]["S_ketamine_venous_ng_per_mL"] for found in (small, large))
    for level in ("p05", "p50", "p95"):
        np.testing.assert_allclose(one[level][1:], other[level][1:], rtol=0.01)
