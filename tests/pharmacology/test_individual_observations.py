"""What was seen: read as meant, or refused with the place that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from limen.errors import InputError
from limen.evidence import sources
from limen.pharmacology.individual.noise import error_of, noise
from limen.pharmacology.individual.observations import concentration, heart_rate, observations_from_json, pressure
from limen.pharmacology.models import get

SAMPLE = {"kind": "concentration", "analyte": "S_ketamine", "matrix": "venous", "t_min": 40, "value_ng_per_mL": 82}
CUFF = {"kind": "pressure", "t_min": 15, "sbp_mmHg": 141, "baseline_sbp_mmHg": 128}


def test_a_document_is_read() -> None:
    seen, unknown = observations_from_json({"observations": [SAMPLE, CUFF | {"arm": "left"}], "nurse": "A"})
    assert [item.output for item in seen] == ["S_ketamine_venous_ng_per_mL", "sbp_change_mmHg"]
    assert [item.value for item in seen] == [82.0, 13.0]
    assert unknown == ("nurse", "observations[1].arm")


def test_a_unit_is_converted() -> None:
    entry = {key: value for key, value in SAMPLE.items() if key != "value_ng_per_mL"} | {"value": 0.082, "unit": "mg/L"}
    seen, _ = observations_from_json({"observations": [entry]})
    assert seen[0].value == pytest.approx(82.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value_ng_per_mL": float("nan")}, r"observations\[0\]\.value_ng_per_mL: nan is not a finite number"),
        ({"value_ng_per_mL": float("inf")}, "not a finite number"),
        ({"value_ng_per_mL": -3}, "-3"),
        ({"value_ng_per_mL": 0}, "a concentration of 0"),
        ({"value_ng_per_mL": True}, "True is not a number"),
        ({"value_ng_per_mL": "82"}, "'82' is not a number"),
        ({"value_ng_per_mL": None}, "value_ng_per_mL is missing"),
        ({"t_min": -1}, r"observations\[0\]\.t_min: -1"),
        ({"t_min": float("nan")}, "t_min"),
        ({"analyte": "ketamin"}, "unknown analyte 'ketamin'"),
        ({"matrix": "capillary"}, "unknown matrix 'capillary'"),
        ({"kind": "temperature"}, "unknown kind 'temperature'"),
        ({"kind": None}, "unknown kind None"),
        ({"value": 82, "unit": "smidgens"}, "unknown unit 'smidgens'"),
        ({"value": 82, "unit": "mmHg"}, "does not measure the same"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as problem:
        observations_from_json({"observations": [SAMPLE | change]})
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("document", [{}, {"observations": "none"}, {"observations": [3]}, {"observations": None}])
def test_a_document_without_a_list_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        observations_from_json(document)


def test_what_has_not_come_yet_is_refused() -> None:
    with pytest.raises(InputError, match="t_min 40 has not come yet"):
        observations_from_json({"observations": [SAMPLE], "now_min": 30})
    with pytest.raises(InputError, match="has not come yet"):
        observations_from_json({"observations": [SAMPLE], "now_min": 90}, now_min=39.9)
    assert observations_from_json({"observations": [SAMPLE], "now_min": 40})[0][0].t_min == 40


@pytest.mark.parametrize("sbp_mmHg", [0, 39, 301, float("nan")])
def test_a_pressure_that_cannot_be(sbp_mmHg: float) -> None:
    with pytest.raises(InputError, match="sbp_mmHg"):
        pressure(10, sbp_mmHg, 128)


def test_changes_share_the_error_of_their_baseline() -> None:
    model = get("domino")
    first, second, other = pressure(10, 140, 128), pressure(20, 145, 128), pressure(20, 145, 120)
    assert error_of(first, model).group == error_of(second, model).group != error_of(other, model).group
    assert heart_rate(10, 80, 72).value == 8.0


def test_another_matrix_adds_one_error_for_all_samples() -> None:
    venous = concentration("ketamine", "venous", 40, 150)
    assert error_of(venous, get("fanta-otto-2021")).shared is None
    arterial = error_of(venous, get("kamp-2020")).shared
    assert arterial is not None
    assert arterial.value == 0.34


def test_errors_of_papers_come_from_their_model_files() -> None:
    """Otto: share; Perez-Ruixo: logarithm; Simons: share and nmol/mL, of 223.70 g/mol."""
    otto = error_of(concentration("S_ketamine", "venous", 40, 82), get("fanta-otto-2021"))
    assert (otto.own_size("proportional"), otto.published) == (0.236, True)
    assert error_of(concentration("S_ketamine", "plasma", 40, 82), get("perez-ruixo-2021")).own_size("log") == 0.276
    simons = error_of(concentration("S_norketamine", "arterial", 40, 50), get("simons-2022"))
    assert simons.own_size("proportional") == 0.102
    assert simons.own_size("additive") == pytest.approx(0.058 * 223.70, rel=1e-5)
    assert not error_of(concentration("ketamine", "plasma", 40, 82), get("domino")).published


def test_every_assumed_error_says_that_it_is_one() -> None:
    known = noise()
    assumed = [known.concentration, known.other_matrix, known.another_day]
    assumed += [spread for change in known.changes for spread in (change.reading, change.shared) if spread is not None]
    assert {str(spread.verification) for spread in assumed} == {"P"}
    assert {spread.source for spread in assumed} <= set(sources())


def test_the_chair_s_dissociation_scale_is_a_share_of_the_maximum() -> None:
    seen, unknown = observations_from_json({"observations": [{"kind": "dissociation", "t_min": 30, "score": 2}]})
    assert (seen[0].output, seen[0].value, unknown) == ("dissociation_pct", 50.0, ())
    with pytest.raises(InputError, match="0 to 4"):
        observations_from_json({"observations": [{"kind": "dissociation", "t_min": 30, "score": 5}]})


@pytest.mark.parametrize("moaas", [-1, 6, 2.5, "alert", None])
def test_a_sedation_rating_is_a_whole_number(moaas: Any) -> None:
    with pytest.raises(InputError, match="moaas"):
        observations_from_json({"observations": [{"kind": "sedation", "t_min": 30, "moaas": moaas}]})


def test_an_earlier_session_names_its_doses() -> None:
    peak = {"kind": "earlier_peak", "dose": "35 mg iv over 40 min", "sbp_mmHg": 150, "baseline_sbp_mmHg": 128}
    ready = {"kind": "earlier_recovery", "dose": ["35 mg iv over 40 min"], "ready_min": 110}
    seen, unknown = observations_from_json({"observations": [peak, ready]})
    assert unknown == ()
    assert [item.session for item in seen] == [("35 mg iv over 40 min",)] * 2
    assert [(item.measure, item.value) for item in seen] == [("peak", 22.0), ("ready", 110.0)]
    for wrong, words in (
        (peak | {"dose": None}, "doses of the earlier session are missing"),
        ({"kind": "earlier_peak", "dose": "35 mg iv"}, "no peak given"),
        (ready | {"ready_min": 0}, "ready_min"),
    ):
        with pytest.raises(InputError, match=words):
            observations_from_json({"observations": [wrong]})
