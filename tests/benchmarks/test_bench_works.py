"""The benchmarks' machinery: registry, contract keys, peers that must agree. No test here measures time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limen.benchmarks import measure, names, peers, run
from limen.benchmarks.works import nonlinear, population
from limen.cli import bench
from limen.errors import InputError

CONTRACT = {"work", "n", "points", "median_s", "runs", "rate_mpt_per_s", "fill_mpt_per_s", "peak_rss_mb", "peers"}


def exact(count):
    """The population's answer for the first few patients, as peers give it."""
    plasma, effect = population.solve(population.Patients.of(count))
    return np.stack([plasma, effect], axis=1) / 1000


def test_the_works_of_the_contract_are_there():
    assert {"forecast-single", "population", "nonlinear", "quantiles", "screening", "planning"} <= set(names())


def test_the_full_chart_is_full():
    from limen.benchmarks.charts import FULL
    from limen.care.case_json import case_from_json
    from limen.care.screening import screen

    case = case_from_json(FULL)
    assert case.unknown_inputs == ()
    found = screen(case).to_json()
    # Hypertension, apnoea, thyroid hormone, a benzodiazepine and lamotrigine are in it, and each has its rule.
    assert {"INT-04", "INT-07", "INT-11", "INT-16", "INT-22"} <= {item["rule"] for item in found["findings"]}


def test_an_unknown_work_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"unknown work 'x'.*forecast-single"):
        run("x")


def test_a_report_has_the_contracts_keys_and_its_rates():
    found = measure.report("w", n=10, points=200, median_s=0.5, runs=3, fill_s=0.1, peers_s={"p": 2.0})
    assert set(found) >= CONTRACT
    assert found["rate_mpt_per_s"] == pytest.approx(0.004)
    assert found["fill_mpt_per_s"] == pytest.approx(0.02)


def test_medians_take_turns():
    called = []
    measure.medians_s({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 2)
    assert called == ["a", "b", "a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("module", "engine"),
    [("scipy", peers.by_scipy), ("roadrunner", peers.by_roadrunner), ("PyTCI", peers.by_pytci)],
)
def test_a_peer_does_the_same_work(module, engine):
    pytest.importorskip(module)
    found = peers.compare({"peer": (engine, 2)}, population.problem, exact(2), 2, rtol_ratio=1e-6)
    assert found.differences_ratio["peer"] <= 1e-6
    assert set(found.peers_s) == {"peer"}


@pytest.mark.slow
def test_diffrax_does_the_same_work():
    pytest.importorskip("diffrax")
    found = peers.compare({"peer": (peers.by_diffrax, 2)}, population.problem, exact(2), 2, rtol_ratio=1e-6)
    assert found.differences_ratio["peer"] <= 1e-6


def test_a_peer_solves_the_nonlinear_effect_too():
    ours = nonlinear.solve(1)[:, None]
    found = peers.compare({"scipy": (peers.by_scipy, 1)}, nonlinear.problem, ours, 1, rtol_ratio=1e-6)
    assert found.differences_ratio["scipy"] <= 1e-6


def test_a_peer_that_differs_stops_the_run():
    with pytest.raises(AssertionError, match=r"peer is .* from ours"):
        peers.compare({"peer": (peers.by_scipy, 1)}, population.problem, 1.01 * exact(1), 1, rtol_ratio=1e-6)


def test_a_peer_that_is_not_installed_is_named():
    def absent(problem):
        raise ModuleNotFoundError("No module named 'nobody'", name="nobody")

    found = peers.compare({"peer": (absent, 1)}, population.problem, exact(1), 1, rtol_ratio=1e-6)
    assert found.skipped == {"peer": "not installed: nobody"}
    assert found.peers_s == {}


def test_formulas_that_are_no_formulas_are_refused():
    problem = population.problem(1)
    strange = peers.Problem({"c1": "c1 ** 2"}, {"c1": 0.0}, problem.patients, 1.0, 40.0, problem.time_min, ("c1",))
    pytest.importorskip("roadrunner")
    with pytest.raises((TypeError, KeyError)):
        peers.by_roadrunner(strange)


def test_lines_name_the_work_its_speed_and_who_was_left_out():
    result = measure.report("w", n=10, points=200, median_s=0.5, runs=3, fill_s=None, peers_s={"p": 2.0})
    lines = bench._lines(result | {"peers_skipped": {"q": "not installed: q"}})
    assert "500 ms" in lines[0]
    assert "4 times" in lines[1]
    assert "not installed: q" in lines[2]


def test_the_command_prints_one_object_a_line(monkeypatch, capsys):
    from limen.cli.main import main

    monkeypatch.setattr(bench, "_measured", lambda name: {"work": name})
    monkeypatch.setattr("sys.argv", ["limen", "bench", "quantiles", "population", "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert [json.loads(line)["work"] for line in capsys.readouterr().out.splitlines()] == ["quantiles", "population"]


def test_the_command_refuses_an_unknown_work_before_measuring(monkeypatch, capsys):
    from limen.cli.main import main

    monkeypatch.setattr("sys.argv", ["limen", "bench", "population", "nothing"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "unknown work 'nothing'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_work_runs_in_a_process_of_its_own():
    found = bench._measured("import-time")
    assert set(found) >= CONTRACT
    assert found["heavy"] == []
