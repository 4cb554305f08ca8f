"""The rule by which a prediction passes, on made-up cases on each side of each edge."""

from __future__ import annotations

import pytest

from limen.pharmacology.validation.rule import Predicted, judge, ratio_of
from limen.pharmacology.validation.schema import Observed, Spread


def seen(**more: object) -> Observed:
    return Observed.model_validate(
        {"measure": "cmax", "of": "ketamine", "unit": "ng/mL", "statistic": "mean", "value": 100} | more
    )


@pytest.mark.parametrize(("said", "passed"), [(50, True), (49.9, False), (200, True), (200.1, False), (-100, False)])
def test_a_typical_patient_passes_within_two_fold(said: float, passed: bool) -> None:
    assert judge(seen(), Predicted(said, said, "ng/mL")).passed is passed


@pytest.mark.parametrize(
    ("low", "high", "passed"), [(90, 110, True), (101, 300, False), (10, 99, False), (100, 101, True)]
)
def test_patients_decide_where_there_are_patients(low: float, high: float, passed: bool) -> None:
    """Even where the median is far within two-fold."""
    assert judge(seen(), Predicted(105, 105, "ng/mL", low, high)).passed is passed


@pytest.mark.parametrize(("said", "passed"), [(40, True), (50, True), (39.9, False), (51, False)])
def test_a_range_holds_the_median(said: float, passed: bool) -> None:
    inside = seen(value=None, low=40, high=50, statistic="range")
    assert judge(inside, Predicted(said, said, "ng/mL", 0, 1000)).passed is passed
    assert ratio_of(inside, Predicted(said, said, "ng/mL")) is None


def test_a_bound_has_a_side() -> None:
    bound = seen(statistic="below")
    assert judge(bound, Predicted(99, 99, "ng/mL")).passed
    assert not judge(bound, Predicted(100, 100, "ng/mL")).passed


@pytest.mark.parametrize(("said", "passed"), [(-9.8, True), (-4.0, True), (0.5, False), (-12.2, False)])
def test_a_trial_difference_is_held_against_its_own_error(said: float, passed: bool) -> None:
    """-6 with a standard error of 3 reaches from -11.88 to -0.12."""
    trial = seen(value=-6, statistic="difference", spread={"kind": "se", "value": 3}, unit="points")
    assert judge(trial, Predicted(said, said, "points", -100, 100)).passed is passed


def test_a_printed_interval_comes_before_two_fold() -> None:
    trial = seen(value=-4, statistic="difference", spread={"kind": "ci95", "low": -7.31, "high": -0.64})
    assert judge(trial, Predicted(-7.3, -7.3, "points")).passed
    assert not judge(trial, Predicted(-7.4, -7.4, "points")).passed


def test_the_ratio_is_predicted_over_seen() -> None:
    assert ratio_of(seen(), Predicted(120, 130, "ng/mL")) == pytest.approx(1.3)
    assert ratio_of(seen(value=-5, statistic="difference"), Predicted(5, 5, "points")) is None


@pytest.mark.parametrize(
    "spread", [{"kind": "sd", "low": 1, "high": 2}, {"kind": "ci95", "value": 3}, {"kind": "iqr", "low": 2, "high": 1}]
)
def test_a_spread_says_what_it_is(spread: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"spread|go with|below"):
        Spread.model_validate(spread)


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": None},
        {"statistic": "range"},
        {"low": 1, "high": 2},
        {"measure": "value-at"},
        {"at": "2 h"},
        {"measure": "auc-ratio"},
    ],
)
def test_an_observation_that_is_not_whole_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"has|goes with"):
        seen(**wrong)
