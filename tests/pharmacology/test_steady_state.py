"""Doses given since ever, and emptied bodies, against long runs of explicit doses that know nothing of series."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from limen.cli.main import main
from limen.errors import InputError
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.kinetics import LinearSystem, Pulse, Solution
from limen.pharmacology.nonmem import Subject, read_records, write_records
from limen.pharmacology.regimen import Schedule
from limen.pharmacology.simulate import simulate
from limen.pharmacology.steady_state import SteadyDose, inputs

PATIENT = PatientProfile(age_years=42, weight_kg=70)
HEADER = "ID,TIME,AMT,RATE,II,ADDL,SS,EVID,CMT,DV\n"


def two_compartments(*, equal=False):
    """Central, peripheral and an effect site; with ``equal`` two rates meet and there are no modes."""
    rates = np.array([[-0.05, 0.02, 0.0], [0.03, -0.02, 0.0], [0.08, 0.0, -0.08]])
    if equal:
        rates = np.array([[-0.04, 0.0, 0.0], [0.04, -0.04, 0.0], [0.0, 0.01, -0.02]])
    return LinearSystem(rates[None], np.array([1.0, 0.0, 0.0]), np.eye(3)[None])


def by_long_run(system, dose, interval_min, lag_min, time_min, doses=400):
    """The same by that many doses before, each moved from one change of input to the next by scipy's exponential."""
    matrix = system.rates_per_min[0]
    size = len(matrix)
    begins = dose.start_min + lag_min - interval_min * np.arange(doses, -1, -1)
    edges = sorted({*begins.tolist(), *(begins + dose.duration_min).tolist(), *time_min.tolist()})
    rate = dose.amount_mg / dose.duration_min if dose.duration_min else 0.0
    state, out, now = np.zeros(size), [], edges[0]
    cache = {}
    for edge in edges:
        middle = 0.5 * (now + edge)
        running = int(((begins <= middle) & (middle < begins + dose.duration_min)).sum()) if dose.duration_min else 0
        key = (round(edge - now, 9), running)
        if key not in cache:
            whole = np.zeros((size + 1, size + 1))
            whole[:size, :size], whole[0, size] = matrix, running * rate
            cache[key] = expm(whole * (edge - now))
        state = (cache[key] @ np.append(state, 1.0))[:size]
        if not dose.duration_min:
            state[0] += dose.amount_mg * int((begins == edge).sum())
        if edge in time_min:
            out.append(state)
        now = edge
    return np.array(out).T


@settings(max_examples=25, deadline=None)
@given(
    st.floats(20, 600),
    st.one_of(st.just(0.0), st.floats(0.5, 2000)),
    st.one_of(st.just(0.0), st.floats(0.5, 900)),
    st.booleans(),
)
def test_the_closed_form_is_a_long_run_of_doses(interval_min, duration_min, lag_min, equal):
    system = two_compartments(equal=equal)
    dose = Dose(30, "iv", 100.0, duration_min)
    pulse = Pulse(0, np.full(1, 30.0), np.full(1, 100.0 + lag_min), np.full(1, duration_min) if duration_min else None)
    jump, later = inputs(system, pulse, SteadyDose(dose, interval_min))
    time_min = 100.0 + np.array([0.0, 1.0, 7.0, 33.0, 150.0, 700.0, 3000.0])
    # A dose that falls on one of these times but for rounding may count before it or after it.
    begins = 100.0 + lag_min - interval_min * np.arange(400)
    apart = np.abs(begins[:, None] - time_min)
    assume(not ((apart > 0) & (apart < 1e-6)).any())
    solution = Solution(system, Schedule.of([]), later, [jump])
    assert solution.modal.all() != equal
    found = solution.values(time_min)[0]
    expected = by_long_run(system, dose, interval_min, lag_min, time_min)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * expected.max())


def test_areas_hold_what_was_there_and_what_follows():
    # The area of a compartment is the integral of its curve, whatever was in it at the start.
    system = two_compartments()
    pulse = Pulse(0, np.full(1, 30.0), np.full(1, 40.0), np.full(1, 250.0))
    jump, later = inputs(system, pulse, SteadyDose(Dose(30, "iv", 40.0, 250.0), 100.0))
    solution = Solution(system, Schedule.of([]), later, [jump])
    time_min = np.linspace(40.0, 900.0, 86_001)
    values = solution.values(time_min)[0]
    area = np.trapezoid(values, time_min, axis=1)
    np.testing.assert_allclose(solution.auc(np.array([900.0]))[0, :, 0], area, rtol=1e-6)


@pytest.mark.parametrize(("ss", "carried"), [(1, 0.0), (2, 1.0)])
@pytest.mark.parametrize("line", ["500,0", "500,1000", "500,10"])
def test_records_agree_with_an_ode_solver(ss, carried, line):
    # Clements 250: one dose at 0, the steady state of another at 6 h (bolus, half an hour, fifty hours) every 12 h.
    amount, rate_mg_per_h = (float(item) for item in line.split(","))
    duration_min = amount / rate_mg_per_h * 60 if rate_mg_per_h else 0.0
    (subject,) = read_records(f"{HEADER}1,0,100,0,0,0,0,1,1,.\n1,6,{line},12,1,{ss},1,1,.\n", {1: "iv"})
    result = simulate(
        "clements-250", subject.doses, PATIENT, until_min=2400, every_min=20.0, steady=subject.steady,
        resets_min=subject.resets_min,
    )  # fmt: skip
    assert {flag.code for flag in result.flags} >= {"steady-state"}
    alone = simulate("clements-250", [Dose(1e-3, "iv")], PATIENT, until_min=2400, every_min=20.0)
    # Of the model only its published numbers are used here: k10 etc. by its own parameters.
    from limen.pharmacology.models import get
    from limen.pharmacology.patient_values import patient_values

    found = patient_values(get("clements-250").arms[0].parameters, PATIENT, {}, 1)
    v1, cl, v2, q2 = (float(found[name][0]) for name in ("V1", "CL", "V2", "Q2"))

    def run(begins, mg, over, until, first):
        edges = sorted({first, until, *begins, *(begin + over for begin in begins)})
        edges = [edge for edge in edges if first <= edge <= until]
        state, times, curve = np.zeros(2), [], []
        for start, end in itertools.pairwise(edges):
            if not over:
                state[0] += mg / v1 * sum(abs(begin - start) < 1e-9 for begin in begins)
            rate = (mg / over) * sum(begin <= start < begin + over for begin in begins) if over else 0.0

            def slope(_, y, rate=rate):
                to_second = q2 / 60 * (y[0] - y[1])
                return [(rate - cl / 60 * y[0] - to_second) / v1, to_second / v2]

            asked = result.time_h * 60
            asked = asked[(asked >= start - 1e-9) & (asked < end - 1e-9)]
            solved = solve_ivp(slope, (start, end), state, "DOP853", [*asked, end], rtol=1e-11, atol=1e-14)
            times += asked.tolist()
            curve += (1000 * solved.y[0, :-1]).tolist()
            state = solved.y[:, -1].copy()
        return np.interp(result.time_h[:-1] * 60, times, curve, left=0.0)

    ever = [360.0 + 720.0 * place for place in range(-80, 2)]
    expected = run(ever, amount, duration_min, 2400.0, ever[0]) * (result.time_h[:-1] >= 6 - 1e-12)
    before = run([0.0], 100.0, 0.0, 2400.0, 0.0)
    expected += before * np.where(result.time_h[:-1] >= 6 - 1e-12, carried, 1.0)
    curve = result.outputs["ketamine_plasma_ng_per_mL"].typical[:-1]
    assert alone.outputs.keys() == result.outputs.keys()
    np.testing.assert_allclose(curve, expected, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("model", ["fanta-otto-2021", "perez-ruixo-2021", "simons-2022", "domino"])
def test_every_kind_of_model_is_at_its_steady_state(model):
    # A steady dose repeats: the same curve one interval later, if the next dose is given then.
    ever = SteadyDose(Dose(35, "iv", 0, 40), 720.0)
    result = simulate(
        model, [Dose(35, "iv", 720, 40)], PATIENT, until_min=1440, every_min=10.0, steady=[ever], wanted_effects=(),
    )  # fmt: skip
    for name, curve in result.outputs.items():
        first, second = curve.typical[:72], curve.typical[72:144]
        np.testing.assert_allclose(second, first, rtol=1e-8, atol=1e-9 * first.max(), err_msg=name)


def test_what_is_swallowed_is_at_its_steady_state_too():
    ever = SteadyDose(Dose(84, "in"), 1440.0)
    result = simulate(
        "perez-ruixo-2021", [Dose(84, "in", 1440)], PATIENT, until_min=2880, every_min=30.0, steady=[ever],
        product="esketamine-nasal", wanted_effects=(),
    )  # fmt: skip
    for curve in result.outputs.values():
        np.testing.assert_allclose(curve.typical[48:96], curve.typical[:48], rtol=1e-7, atol=1e-8)


def test_virtual_patients_each_have_their_own_steady_state():
    ever = SteadyDose(Dose(35, "iv", 0, 2000), 720.0)
    result = simulate(
        "fanta-otto-2021", [Dose(35, "iv", 720, 2000)], PATIENT, until_min=1440, every_min=60.0, steady=[ever], n=50,
        rng=np.random.default_rng(1), wanted_effects=(),
    )  # fmt: skip
    for curve in result.outputs.values():
        np.testing.assert_allclose(
            curve.between_patients.p95[12:24], curve.between_patients.p95[:12], rtol=1e-7, atol=1e-9
        )


def test_an_emptied_body_starts_anew():
    text = f"{HEADER}1,0,100,50,0,0,0,1,1,.\n1,1,.,.,.,.,.,3,.,.\n1,2,20,0,6,3,0,1,1,.\n1,9,30,0,0,0,0,4,1,.\n"
    (subject,) = read_records(text, {1: "iv"})
    assert subject.resets_min == (60.0, 540.0)
    # Of the doses at 2, 8, 14 and 20 h the last two were still to come when the body was emptied at 9 h.
    assert [(dose.start_min, dose.amount_mg) for dose in subject.doses] == [(0, 100), (120, 20), (480, 20), (540, 30)]
    result = simulate(
        "domino", subject.doses, PATIENT, until_min=1500, every_min=5.0, resets_min=subject.resets_min,
        wanted_effects=(),
    )  # fmt: skip
    name = "ketamine_plasma_ng_per_mL"
    found, minutes = result.outputs[name].typical, result.time_h * 60

    def alone(*doses):
        return simulate("domino", doses, PATIENT, until_min=1500, every_min=5.0, wanted_effects=())

    first, second, third = alone(Dose(100, "iv", 0, 120)), alone(*subject.doses[1:3]), alone(subject.doses[3])
    expected = np.select(
        [minutes < 60, minutes < 540], [first.outputs[name].typical, second.outputs[name].typical],
        third.outputs[name].typical,
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert (found[(minutes >= 60) & (minutes < 120)] == 0).all()
    area = result.summary[name].typical.auc_0_end_ng_h_per_mL[0]

    def until(result, doses, minutes):
        part = simulate("domino", doses, PATIENT, until_min=minutes, every_min=5.0, wanted_effects=())
        return part.summary[name].typical.auc_0_end_ng_h_per_mL[0]

    parts = until(first, [Dose(100, "iv", 0, 120)], 60), until(second, subject.doses[1:3], 540)
    assert area == pytest.approx(sum(parts) + third.summary[name].typical.auc_0_end_ng_h_per_mL[0], rel=1e-9)
    # The infusion rose until the body was emptied: its peak is just before, not at a point of the grid.
    assert result.summary[name].typical.peak[0] >= first.outputs[name].typical[minutes <= 60].max() * (1 - 1e-12)


def test_a_steady_state_after_which_doses_go_on_is_written_and_read():
    text = (
        f"{HEADER}1,0,10,0,0,5,0,1,1,.\n".replace(",0,5,", ",2,5,") + "1,5,35,52.5,12,2,1,1,1,.\n1,6,5,0,4,0,2,1,1,.\n"
    )
    (subject,) = read_records(text, {1: "iv"})
    # SS 1 cancels the doses still to come at 6, 8 and 10 h.
    assert [dose.start_min for dose in subject.doses] == [0, 120, 240, 300 + 720, 300 + 1440]
    assert [(item.dose.start_min, item.interval_min, item.resets) for item in subject.steady] == [
        (300, 720, True),
        (360, 240, False),
    ]
    (again,) = read_records(write_records([subject], {"iv": 1}), {1: "iv"})
    assert again == subject
    emptied = Subject("1", (Dose(5, "iv", 60),), resets_min=(60.0,))
    assert read_records(write_records([emptied], {"iv": 1}), {1: "iv"}) == (emptied,)


def test_a_clearance_that_grows_has_no_steady_state():
    from limen.pharmacology import models

    grows = [
        model for model in models.list_models() if any(m.clearance_growth for a in model.arms for m in a.metabolites())
    ]
    assert grows
    for model in grows:
        with pytest.raises(InputError, match="grows with the time since the first dose"):
            simulate(model, [], PATIENT, until_min=60, steady=[SteadyDose(Dose(10, "iv"), 60.0)], product=model.product)


@pytest.mark.parametrize("interval", [0.0, -1.0, np.nan, np.inf])
def test_refuses_an_interval_that_is_none(interval):
    with pytest.raises(InputError, match="interval"):
        SteadyDose(Dose(10, "iv"), interval)


def test_the_command_runs_records(monkeypatch, capsys, tmp_path):
    patient, records = tmp_path / "patient.json", tmp_path / "records.csv"
    patient.write_text('{"age_years": 42, "weight_kg": 70}', encoding="utf-8")
    records.write_text(f"{HEADER}7,0,35,52.5,12,1,1,1,1,.\n8,0,10,0,0,0,0,1,1,.\n", encoding="utf-8")

    def limen(*words):
        ask = ["limen", "simulate", "--model", "clements-250", "--patient", str(patient), "--until", "24 h", "--json"]
        monkeypatch.setattr("sys.argv", [*ask, "--every", "1 h", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr()

    code, shown = limen("--records", str(records), "--cmt", "1=iv", "--id", "7")
    assert code == 0
    found = json.loads(shown.out)
    curve = found["outputs"]["ketamine_plasma_ng_per_mL"]["typical"]
    assert curve[0] > 0
    np.testing.assert_allclose(curve[12:24], curve[:12], rtol=1e-9)
    code, shown = limen("--records", str(records), "--cmt", "1=iv")
    assert code == 2
    assert "7, 8" in shown.err
    code, shown = limen("--records", str(records), "--cmt", "1=iv", "--id", "7", "--dose", "35 mg iv")
    assert code == 2
    code, shown = limen()
    assert code == 2
    assert "--records" in shown.err
