"""``limen target``, ``limen compare`` and ``limen change-route``: JSON with both sides, one line for what is wrong."""

from __future__ import annotations

import pytest

from contracts.documents import PATIENT
from contracts.door import given, limen, refused

EFFECT = "ketamine_effect_site_ng_per_mL"
AIM = ("target", "--patient", "-", "--output", EFFECT, "--until", "60 min", "--concentration-mg-per-mL", "1")


def test_target_shows_what_was_asked_and_what_is_reached() -> None:
    found = given(*AIM, "--level", "100", "--most-total-mg", "60", "--population", "30", stdin=PATIENT)
    assert found["advises"] is True
    assert found["asked"] == {
        "output": EFFECT,
        "level": 100,
        "unit": "ng/mL",
        "statistic": "typical",
        "from_h": pytest.approx(1 / 3),
        "until_h": 1,
    }
    assert found["reached"] is True
    assert found["achieved"]["typical"] == pytest.approx(100, rel=0.1)
    assert found["achieved"]["p05"] < found["achieved"]["typical"] < found["achieved"]["p95"]
    assert found["dose_mg"] == pytest.approx(sum(step["dose_mg"] for step in found["steps"]))
    assert found["dose_mg"] <= 60
    assert [limit["name"] for limit in found["limits"]] == ["largest total"]


def test_a_target_out_of_reach_names_its_limit() -> None:
    found = given(*AIM, "--level", "300", "--ceiling", "ketamine_plasma_ng_per_mL=80", stdin=PATIENT)
    assert found["reached"] is False
    assert found["binding"] == ["ceiling on ketamine_plasma_ng_per_mL"]
    assert found["limits"][0]["used"] <= 80


def test_one_dose_by_another_route_tells_for_how_many_it_is_enough() -> None:
    found = given(
        *("target", "--patient", "-", "--output", "S_ketamine_plasma_ng_per_mL", "--level", "70", "--until", "120 min"),
        *("--product", "esketamine-nasal", "--route", "in", "--most-total-mg", "84", "--population", "30"),
        stdin=PATIENT,
    )
    assert found["advises"] is True
    assert [item["devices"] for item in found["doses"]] == [1, 2, 3]
    shares = [item["reached_probability"] for item in found["doses"]]
    assert shares == sorted(shares)
    # means of the published exposures: 43.8, 72.5 and 101 ng/mL after 28, 56 and 84 mg
    assert (found["devices"], found["dose_mg"]) == (2, 56)
    assert found["limits"][0]["used"] == 56


def test_a_pump_needs_a_strength_and_one_dose_a_largest() -> None:
    without = [item for item in AIM if item not in ("--concentration-mg-per-mL", "1")]
    assert "no strength" in refused(*without, "--level", "100", stdin=PATIENT)
    assert "no largest dose" in refused(*without, "--level", "100", "--route", "im", "--step-mg", "5", stdin=PATIENT)
    assert "unknown route" in refused(*without, "--level", "100", "--route", "ear", stdin=PATIENT)


def test_compare_and_change_route() -> None:
    found = given(
        *("compare", "35 mg iv over 40 min", "35 mg iv over 20 min; 5 mg iv at 30 min"),
        *("--patient", "-", "--until", "4 h", "--every", "5 min", "--population", "20", "--escort"),
        stdin=PATIENT,
    )
    peak = found["outputs"]["ketamine_plasma_ng_per_mL"]["peak"]
    assert peak["p_a_greater"] == 0
    assert peak["difference"]["typical"] < 0
    # DIS-5: 60 min from the end of an infusion with an escort.
    assert found["ready_to_leave_h"]["a"]["p05"] >= 100 / 60 - 1e-9
    changed = given(
        "change-route", "35 mg iv over 40 min", "--to", "po", "--patient", "-", "--population", "50", stdin=PATIENT
    )
    dose = changed["dose_mg"]
    assert 35 < dose["p05"] < dose["typical"] < dose["p95"]


@pytest.mark.parametrize(
    "way",
    [
        (*AIM, "--level", "100"),
        ("compare", "35 mg iv over 40 min", "20 mg iv over 40 min", "--patient", "-", "--until", "3 h"),
        ("change-route", "35 mg iv over 40 min", "--to", "in", "--patient", "-"),
    ],
    ids=lambda way: way[0],
)
def test_in_words(way: tuple[str, ...]) -> None:
    import json

    done = limen(*way, "--population", "20", stdin=json.dumps(PATIENT))
    assert (done.code, done.err) == (0, "")
    assert "ng" in done.out or "mg" in done.out


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ((*AIM, "--level", "0"), ("target", "over 0")),
        ((*AIM, "--level", "nan"), ("target",)),
        ((*AIM, "--level", "100", "--statistic", "mean"), ("mean", "p95")),
        ((*AIM, "--level", "100", "--ceiling", "80"), ("--ceiling", "NAME=NUMBER")),
        ((*AIM, "--level", "100", "--ceiling", "x@p33=80"), ("p33",)),
        ((*AIM, "--level", "100", "--weight", "herd-2007=1"), ("herd-2007",)),
        ((*AIM, "--level", "100", "--most-total-mg", "-1"), ("largest total",)),
        ((*AIM, "--level", "100", "--seed", "-1"), ("--seed",)),
        ((*AIM, "--level", "100", "--setting", "moon"), ("moon", "clinic")),
        (("compare", "lots", "5 mg iv", "--patient", "-", "--until", "1 h"), ("A", "lots")),
        (
            ("compare", "5 mg iv", "5 mg iv", "--patient", "-", "--until", "1 h", "--over", "x=1"),
            ("x is not forecast",),
        ),
        (("change-route", "5 mg iv", "--to", "nose", "--patient", "-"), ("nose", "iv")),
        (
            ("change-route", "56 mg in", "--to", "po", "--product", "esketamine-nasal", "--patient", "-"),
            ("own product",),
        ),
        (("change-route", "5 mg iv", "--to", "po", "--match", "colour", "--patient", "-"), ("colour", "auc")),
    ],
    ids=lambda item: " ".join(item[-2:]),
)
def test_what_is_wrong_is_one_line(way: tuple[str, ...], says: tuple[str, ...]) -> None:
    line = refused(*way, stdin=PATIENT)
    for word in says:
        assert word in line
