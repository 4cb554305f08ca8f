"""Who sits in an ensemble, what each counts, how far they differ, and whether this patient is one of theirs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology import models
from limen.pharmacology.ensemble import Panel, ensemble
from limen.pharmacology.forecast import forecast
from limen.pharmacology.members import solve
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import merged, ranked, ranked_percentiles, total_variance, weighted_percentiles
from limen.pharmacology.regimen import Dose

ADULT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = [Dose(35, "iv", 0, 40)]
PLASMA = "ketamine_plasma_ng_per_mL"


def told(**more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(json.dumps(forecast(INFUSION, ADULT, **more).to_json(), allow_nan=False))
    return entry


def test_every_member_is_on_file_covers_its_panel_and_has_a_reason() -> None:
    for panel in ensemble().panels:
        for rule in (*panel.members, *panel.left_out):
            model = models.get(rule.model)
            assert len(rule.why) > 20
            if rule in panel.members:
                assert panel.product in model.products


def test_equal_weights_are_the_rule_and_sum_to_one() -> None:
    for panel in ensemble().panels:
        weights = [seat.weight for seat in panel.seats()]
        assert sum(weights) == pytest.approx(1)
        assert max(weights) == min(weights)


def test_a_childs_age_seats_the_models_of_children() -> None:
    child = PatientProfile(age_years=6, weight_kg=20)
    members = forecast([Dose(20, "iv", 0, 1)], child).members
    assert "herd-2007" in {member.id for member in members}
    assert not {"domino", "clements-250", "fanta-otto-2021"} & {member.id for member in members}
    herd = next(member for member in members if member.id == "herd-2007")
    assert herd.domain is not None
    assert herd.domain.inside is True


def test_a_childs_muscle_is_left_to_the_one_model_that_studied_it() -> None:
    child = PatientProfile(age_years=6, weight_kg=20)
    found = forecast([Dose(80, "im")], child)
    assert [member.id for member in found.members] == ["hornik-2018"]
    assert {"single-model", "suspicious-clearance", "assumed-absorption"} <= {flag.code for flag in found.flags}
    # 41 % of the dose over a clearance of 38.9 L/h at 70 kg to the power 0.75 (abstract of Hornik 2018).
    area = forecast([Dose(80, "im")], child, until_min=2880, every_min=60).summary["ketamine_plasma_ng_per_mL"]
    expected = 1000 * 0.41 * 80 / (38.9 * (20 / 70) ** 0.75)
    assert area.typical.auc_0_end_ng_h_per_mL[0] == pytest.approx(expected, rel=2e-3)


def test_a_childs_skin_is_refused_with_the_routes_there_are() -> None:
    with pytest.raises(InputError, match=r"route 'sc' for racemic; allowed: iv, in, po, pr, im.*6 years"):
        forecast([Dose(80, "sc")], PatientProfile(age_years=6, weight_kg=20))


def test_hijazi_sits_in_intensive_care_alone() -> None:
    assert "hijazi-2003" not in {member["id"] for member in told()["members"]}
    assert "hijazi-2003" in {entry["id"] for entry in told()["left_out"]}
    assert "hijazi-2003" in {member["id"] for member in told(setting="intensive-care")["members"]}
    with pytest.raises(InputError, match="unknown setting 'ward'; allowed: clinic"):
        told(setting="ward")


def test_each_members_domain_stands_beside_it() -> None:
    old = forecast(INFUSION, PatientProfile(age_years=80, weight_kg=70)).to_json()
    domain = {member["id"]: member["domain"] for member in old["members"]}
    assert domain["domino"]["inside"] is False
    assert domain["domino"]["age"] == {
        "given": 80,
        "low": 18,
        "high": 65,
        "unit": "y",
        "verification": "P",
        "inside": False,
    }
    assert domain["domino"]["weight"]["inside"] is True
    # Whom Kamp pooled was not read: it cannot be told.
    assert domain["kamp-2020"]["inside"] is None


def test_a_weight_of_zero_shows_a_member_and_counts_it_nowhere() -> None:
    chosen = solve(INFUSION, ADULT, "racemic", 240)
    others = [seat.model.id for seat in chosen.seats if seat.model.id != "domino"]
    found = told(member_weight={"domino": 0}, n=200, rng=np.random.default_rng(2))
    assert {member["id"]: member["weight"] for member in found["members"]}["domino"] == 0
    # As if Domino were not on file: the same draws through the other members alone.
    singles = [row for row in found["members"] if row["id"] in others]
    mean = np.mean([next(iter(row["typical"].values())) for row in singles], axis=0)
    np.testing.assert_allclose(found["outputs"][PLASMA]["typical"], mean, rtol=1e-12)
    solved = solve(INFUSION, ADULT, "racemic", 240, n=200, rng=np.random.default_rng(2))
    pool = np.concatenate(
        [
            response.values[name][1:]
            for response, name in zip(solved.responses, solved.shared()[PLASMA], strict=True)
            if response.model.id != "domino"
        ]
    )
    np.testing.assert_allclose(
        found["outputs"][PLASMA]["p95"], np.percentile(solved.grid.shown(pool), 95, axis=0), rtol=1e-10
    )
    assert "unequal-weights" in {flag["code"] for flag in found["flags"]}


def test_given_weights_make_the_weighted_mean() -> None:
    solved = solve(INFUSION, ADULT, "racemic", 240)
    weights = {seat.model.id: 1.0 + place for place, seat in enumerate(solved.seats)}
    typical = np.stack(
        [response.values[name][0] for response, name in zip(solved.responses, solved.shared()[PLASMA], strict=True)]
    )
    by_hand = np.average(solved.grid.shown(typical), axis=0, weights=list(weights.values()))
    np.testing.assert_allclose(told(member_weight=weights)["outputs"][PLASMA]["typical"], by_hand, rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"herd-2007": 1.0}, "'herd-2007' is no member of racemic"),
        ({"domino": -1.0}, "domino: weight -1"),
        ({"domino": float("nan")}, "domino: weight nan"),
        ({rule.model: 0.0 for rule in ensemble().panel("racemic", ["iv"]).members}, "every weight is 0"),
    ],
)
def test_a_weight_that_cannot_be_is_refused(weights: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        told(member_weight=weights)


def test_one_model_alone_is_said_to_be_alone() -> None:
    others = {rule.model: 0.0 for rule in ensemble().panel("racemic", ["iv"]).members if not rule.settings}
    found = told(member_weight=others | {"domino": 1.0})
    assert "single-model" in {flag["code"] for flag in found["flags"]}
    assert "mixed-matrix" not in {flag["code"] for flag in found["flags"]}
    # How far models differ is not known: no band of no width stands for it.
    assert found["disagreement"] == {}
    assert "between_models" not in found["outputs"][PLASMA]
    assert "between_models" not in found["summary"][PLASMA]["cmax"]


def test_disagreement_names_the_lowest_and_the_highest() -> None:
    found = told(n=400, rng=np.random.default_rng(3))["disagreement"][PLASMA]["cmax"]
    assert found["ratio"] == pytest.approx(found["high"]["value"] / found["low"]["value"])
    peaks = {
        member["id"]: max(values)
        for member in told()["members"]
        for name, values in member["typical"].items()
        if "effect_site" not in name and name.endswith("_ng_per_mL")
    }
    assert found["low"]["id"] == min(peaks, key=peaks.__getitem__)
    assert found["high"]["id"] == max(peaks, key=peaks.__getitem__)
    assert found["high"]["value"] == pytest.approx(max(peaks.values()), rel=1e-6)
    assert 0 < found["between_models_fraction"] < 1
    assert found["between_models_fraction"] + found["between_patients_fraction"] == pytest.approx(1)
    assert told()["disagreement"][PLASMA]["cmax"]["between_models_fraction"] is None


def test_patients_alone_are_narrower_than_patients_of_all_models() -> None:
    """What is between models is in the one band and not in the other."""
    curve = told(n=400, rng=np.random.default_rng(3))["outputs"][PLASMA]
    at = 40
    alone = curve["patients_alone"]
    assert curve["p05"][at] < alone["p05"][at] < alone["p50"][at] < alone["p95"][at] < curve["p95"][at]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-50, 50, allow_nan=False), min_size=1, max_size=30),
    st.floats(0, 100),
)
def test_equal_weights_are_numpys_percentiles(values: list[float], level: float) -> None:
    rows = np.array(values)
    found = weighted_percentiles(rows, np.full(len(rows), 0.7), [level])
    np.testing.assert_allclose(found, [np.percentile(rows, level)], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0.01, 5)), min_size=2, max_size=20),
    st.floats(-60, 60),
)
def test_rows_of_weight_zero_are_not_there_and_percentiles_rise(pairs: list[tuple[float, float]], extra: float) -> None:
    values, weights = (np.array(column) for column in zip(*pairs, strict=True))
    levels = [0, 5, 50, 95, 100]
    found = weighted_percentiles(values, weights, levels)
    more = weighted_percentiles(np.append(values, extra), np.append(weights, 0.0), levels)
    np.testing.assert_allclose(more, found, atol=1e-9)
    assert (np.diff(found) >= -1e-9).all()
    assert values.min() - 1e-9 <= found[0]
    assert found[-1] <= values.max() + 1e-9


def test_a_heavy_row_pulls_the_median() -> None:
    """Nine parts in ten of the weight stand at 10: so does the median."""
    values = np.concatenate([np.zeros(1000), np.full(1000, 10.0)])
    weights = np.concatenate([np.full(1000, 0.1), np.full(1000, 0.9)])
    assert weighted_percentiles(values, weights, [50]) == pytest.approx([10.0])
    assert weighted_percentiles(values, weights, [5]) == pytest.approx([0.0])


def test_the_law_of_total_variance() -> None:
    rng = np.random.default_rng(4)
    parts = [rng.normal(mean, 2, 500) for mean in (1, 5, 6)]
    between, within = total_variance(parts, np.full(3, 1 / 3))
    assert between + within == pytest.approx(np.concatenate(parts).var())


def test_a_panel_that_names_a_model_twice_is_refused() -> None:
    rule = {"model": "domino", "why": "for a test", "verification": "P", "source": "limen"}
    with pytest.raises(ValueError, match="stands twice"):
        Panel.model_validate({"id": "x", "product": "racemic", "routes": ["iv"], "members": [rule, rule]})


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 6), st.integers(0, 10_000))
def test_ranked_columns_give_numpys_percentiles(models_n: int, rows: int, columns: int, seed: int) -> None:
    parts = [np.random.default_rng(seed + place).lognormal(size=(rows, columns)) for place in range(models_n)]
    whole = np.concatenate(parts)
    found = ranked_percentiles(merged([ranked(part) for part in parts]))
    for level, values in ((5, found.p05), (50, found.p50), (95, found.p95)):
        np.testing.assert_allclose(values, np.percentile(whole, level, axis=0), rtol=1e-10)


def test_the_bands_are_the_same_whichever_way_they_are_counted() -> None:
    """Equal weights take the ranked columns; given as numbers a hair apart they take the weighted percentiles."""
    seated = [seat.model.id for seat in solve(INFUSION, ADULT, "racemic", 60).seats]
    apart = {name: 1.0 + 1e-9 * place for place, name in enumerate(seated)}
    one, other = (
        told(until_min=60, every_min=5, n=60, rng=np.random.default_rng(4), member_weight=weights)["outputs"][PLASMA]
        for weights in (None, apart)
    )
    for key in ("p05", "p50", "p95"):
        np.testing.assert_allclose(one[key], other[key], rtol=1e-6)
        np.testing.assert_allclose(one["patients_alone"][key], other["patients_alone"][key], rtol=1e-6)


def test_what_holds_for_all_members_is_said_once() -> None:
    found = forecast([Dose(35, "po")], PatientProfile(age_years=42, weight_kg=70, sex="female"), until_min=120)
    said = [(flag.code, flag.message) for flag in found.flags]
    assert len(said) == len(set(said))
    assert "sex-disputed" in {code for code, _ in said}


def test_the_child_of_a_nasal_device_or_of_s_ketamine_elsewhere_has_no_panel() -> None:
    child = PatientProfile(age_years=6, weight_kg=20)
    with pytest.raises(InputError, match=r"setting: .*allowed: intensive-care"):
        forecast([Dose(10, "iv", 0, 10)], child, "s-ketamine")
    alone = forecast([Dose(10, "iv", 0, 10)], child, "s-ketamine", setting="intensive-care")
    assert [member.id for member in alone.members] == ["flint-2017"]
    assert "single-model" in {flag.code for flag in alone.flags}


def test_children_borrow_a_childs_spread() -> None:
    found = forecast(
        [Dose(20, "iv", 0, 1)], PatientProfile(age_years=6, weight_kg=20), n=20, rng=np.random.default_rng(1)
    )
    message = next(flag.message for flag in found.flags if flag.code == "assumed-variability")
    assert "that of herd-2007" in message
    assert "sherwin-2015" in message
