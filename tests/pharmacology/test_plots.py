"""Pictures other than the forecast: what they compute, and that everything is named."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology.attainment import attainment, shares_pct
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.plots import (
    Belief,
    Line,
    Panel,
    Picture,
    Points,
    RatioRow,
    UpdatedLane,
    members_picture,
    model_comparison,
    of_individual,
    posterior_against_prior,
    predictive_check,
    ratio_chart,
    target_attainment,
    updated_forecast,
)
from limen.reports.plots.beliefs import interval
from limen.reports.plots.page import spaced

HOURS = np.linspace(0.0, 4.0, 41)
CURVE = 100.0 * HOURS * np.exp(-HOURS)


def words_of(picture: Picture) -> str:
    return " ".join(" ".join(ElementTree.fromstring(picture.svg).itertext()).split())  # noqa: S314  # our own text


def test_every_model_is_named_with_its_blood_and_its_own_dashes() -> None:
    lines = [Line("one-1990", "arterial", HOURS, CURVE), Line("two-2001", "venous", HOURS, 0.7 * CURVE, "S alone")]
    picture = model_comparison(lines, title="Two models", y_label="ketamine, ng/mL", marks=[(1.0, 30.0, "seen: 30")])
    words = words_of(picture)
    for part in ("one-1990, arterial: peak 37", "two-2001, venous, S alone: peak 26", "seen: 30", "ketamine, ng/mL"):
        assert part in words
    assert "stroke-dasharray" in picture.svg


def test_a_predictive_check_names_band_median_and_points() -> None:
    seen = Points(
        np.array([1.0, 3.0]), np.array([30.0, 20.0]), "seen: means", np.array([20.0, 10.0]), np.array([40.0, 30.0])
    )
    words = words_of(
        predictive_check(
            [
                Panel("With spread", "ng/mL", HOURS, CURVE, seen, 0.5 * CURVE, 2 * CURVE),
                Panel("None", "ng/mL", HOURS, CURVE, seen),
            ],
            title="Check",
        )
    )
    assert words.count("seen: means") == 2
    assert words.count("median") == 1
    assert words.count("typical") == 1
    assert words.count("90 of 100 patients") == 1


def test_a_posterior_that_did_not_tighten_says_so() -> None:
    rng = np.random.default_rng(5)
    prior = rng.normal(100.0, 10.0, 4000)
    same, narrow = rng.normal(100.0, 10.0, 4000), rng.normal(110.0, 3.0, 4000)
    words = words_of(
        posterior_against_prior([Belief("V1", "L", prior, same), Belief("CL", "L/h", prior, narrow)], title="After")
    )
    assert words.count("did not tighten") == 1
    assert "of the width before" in words


def test_weights_move_the_interval() -> None:
    samples = np.arange(1.0, 101.0)
    assert interval(samples) == (5.0, 50.0, 95.0)
    weight = np.where(samples <= 10, 1.0, 0.0)
    assert interval(samples, weight) == (1.0, 5.0, 10.0)


def test_shares_of_patients_add_up_and_the_ends_are_inside() -> None:
    values = np.array([[1.0, 2.0], [2.0, 6.0], [7.0, 6.1], [5.0, 0.0]])
    below, inside, above = shares_pct(values, 2.0, 6.0, "ng/mL")
    assert below.tolist() == [25.0, 25.0]
    assert inside.tolist() == [50.0, 50.0]
    assert above.tolist() == [25.0, 25.0]
    with pytest.raises(InputError, match="6 to 2 ng/mL"):
        shares_pct(values, 6.0, 2.0, "ng/mL")


def test_a_patient_whose_model_may_not_be_believed_is_not_counted() -> None:
    values = np.array([[np.nan, 5.0], [5.0, 9.0], [np.nan, 5.0]])
    below, inside, _ = shares_pct(values, 2.0, 6.0, "ng/mL", np.array([1.0, 2.0, 1.0]))
    assert inside.tolist() == [100.0, 50.0]
    assert below.tolist() == [0.0, 0.0]
    assert np.isnan(shares_pct(np.full((2, 1), np.nan), 2.0, 6.0, "ng/mL")[1]).all()


def test_attainment_counts_the_patients_that_the_ensemble_makes() -> None:
    """The band that holds 90 of 100 patients, asked back as a window, holds 90 of 100."""
    doses, person = [Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70)
    name = "ketamine_plasma_ng_per_mL"
    made = forecast(doses, person, until_min=80, every_min=2, n=300, rng=np.random.default_rng(3))
    band = made.outputs[name].between_patients
    assert band is not None
    place = 30
    found = attainment(
        doses,
        person,
        name,
        float(band.p05[place]),
        float(band.p95[place]),
        until_min=80,
        n=300,
        rng=np.random.default_rng(3),
    )
    assert found.inside_pct[place] == pytest.approx(90, abs=1.0)
    words = words_of(target_attainment(found))
    assert "inside:" in words
    assert f"{len(made.members)} models, 300 virtual patients each" in words


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"output": "shoe_size"}, "no 'shoe_size'"), ({"n": 0}, "population of 0"), ({"unit": "mg/L"}, "unit 'mg/L'")],
)
def test_a_window_that_cannot_be_asked_is_refused(changes: dict[str, object], says: str) -> None:
    asked = {"output": "dissociation_pct", "low": 10.0, "high": 50.0, "unit": None, "n": 5} | changes
    with pytest.raises(InputError, match=says):
        attainment(
            [Dose(35, "iv", 0, 40)],
            PatientProfile(age_years=42, weight_kg=70),
            until_min=60,
            rng=np.random.default_rng(1),
            **asked,  # type: ignore[arg-type]
        )


def test_every_member_of_an_ensemble_is_drawn() -> None:
    made = forecast([Dose(35, "iv", 0, 40)], PatientProfile(age_years=42, weight_kg=70), until_min=60)
    words = words_of(members_picture(made, "35 mg iv over 40 min"))
    assert all(f"{member.id}, {member.matrix}: peak" in words for member in made.members)
    alone = dataclasses.replace(made, members=())
    with pytest.raises(InputError, match="only an ensemble"):
        members_picture(alone, "35 mg")


def test_a_ratio_beyond_the_sheet_keeps_its_number() -> None:
    rows = [
        RatioRow("24 children", [(33.0, False, True)]),
        RatioRow("1 adults", [(1.2, True, True), (0.9, True, False)]),
    ]
    words = words_of(ratio_chart(rows, fold_ratio=2.0, title="All"))
    assert "33" in words
    assert "24 children" in words


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    placed = spaced([1.0, 1.05, 1.1, 9.0], 1.0)
    assert placed[3] == 9.0
    assert np.diff(sorted(placed)).min() == pytest.approx(1.0)
    assert placed[0] < placed[1] < placed[2]
    assert np.mean(placed[:3]) == pytest.approx(1.05)


def test_a_picture_has_a_sentence_for_those_who_hear_it() -> None:
    title = 'One "quoted" model & its blood'
    root = ElementTree.fromstring(  # noqa: S314  # our own text
        model_comparison([Line("one-1990", "venous", HOURS, CURVE)], title=title, y_label="ng/mL").svg
    )
    assert root.get("role") == "img"
    assert root.get("aria-label") == title


def test_the_same_picture_twice_is_the_same() -> None:
    lines = [Line("one-1990", "arterial", HOURS, CURVE)]
    first, second = (model_comparison(lines, title="One", y_label="ng/mL") for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png


def test_an_individual_forecast_shows_before_and_after_and_what_was_seen() -> None:
    band = {"p05": [0.0, 2.0, 1.0], "p50": [0.0, 5.0, 3.0], "p95": [0.0, 9.0, 6.0]}
    entry = {
        "model": "ensemble",
        "time_h": [0.0, 1.0, 2.0],
        "outputs": {"sbp_change_mmHg": band | {"prior": band}, "S_ketamine_plasma_ng_per_mL": band | {"prior": band}},
        "observations": [
            {"t_min": 30, "compared": {"output": "sbp_change_mmHg", "value": 4.0}},
            {"t_min": 60, "compared": {"output": "S_ketamine_venous_ng_per_mL", "value": 6.0}},
            {"t_min": None, "compared": {"output": "sbp_change_mmHg", "value": 7.0}},
        ],
        "learned": {"because": "nothing was learned"},
    }
    words = words_of(of_individual(entry))
    for part in ("Rise in systolic pressure, mmHg", "S-ketamine in plasma", "before", "after", "nothing was learned"):
        assert part in words


def test_an_observation_without_a_lane_is_not_drawn_into_another() -> None:
    flat = (np.zeros(3), np.ones(3), np.full(3, 2.0))
    time_h = np.array([0.0, 1.0, 2.0])
    lanes = [UpdatedLane("sbp_change_mmHg", time_h, flat, flat, np.array([]), np.array([]))]
    empty = updated_forecast(lanes, title="One").svg
    seen = [UpdatedLane("sbp_change_mmHg", time_h, flat, flat, np.array([1.0]), np.array([1.5]))]
    assert len(updated_forecast(seen, title="One").svg) > len(empty)
