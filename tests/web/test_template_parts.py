"""The parts of our pages: what comes in is escaped, what is missing is said, no amount turns into another."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.template import Context, Template

from limen.clinic.web import decisions, words

EVIL = "<script>alert(1)</script>"


def rendered(source: str, **context: Any) -> str:
    return Template("{% load limen_ui %}" + source).render(Context(context))


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "rule": "SEL-03",
        "level": "hold",
        "title": "Resting pressure",
        "because": "148/92",
        "input": {"sbp_mmHg": 148.0},
        "threshold": "140/90 mmHg",
        "action": "Recheck",
        "sources": ["somewhere"],
        "verification": "M",
    } | changes


@pytest.mark.parametrize("place", ["rule", "title", "because", "threshold", "action", "sources", "level"])
def test_a_finding_escapes_whatever_comes_in(place: str) -> None:
    page = rendered("{% finding item %}", item=finding(**{place: [EVIL] if place == "sources" else EVIL}))
    assert "<script" not in page
    assert "&lt;script" in page.lower()


def test_names_and_values_seen_are_escaped() -> None:
    page = rendered("{% finding item %}", item=finding(input={EVIL: EVIL}))
    assert "<script" not in page


def test_a_forecast_escapes_model_names() -> None:
    curve = {"typical": [0, 1]}
    data = {"time_h": [0, 1], "outputs": {EVIL: curve}, "members": [{"id": EVIL, "typical": {}}]}
    page = rendered("{% forecast_chart data %}", data=data)
    assert "<script" not in page
    assert "&lt;script" in page.lower()


def test_a_finding_shows_seen_limit_do_and_mark() -> None:
    page = rendered("{% finding item %}", item=finding())
    for text in ("systolic pressure", "148\xa0mmHg", "140/90 mmHg", "Recheck", "HOLD", "mark--unverified"):
        assert text in page
    assert "needs the medical director" in page


def test_an_override_stands_beside_the_unchanged_finding() -> None:
    override = SimpleNamespace(user="Dr A", role="prescriber", created_at=None, reason="tolerated twice")
    page = rendered("{% finding item override %}", item=finding(), override=override)
    assert "HOLD" in page
    assert "148/92" in page
    assert "tolerated twice" in page


@pytest.mark.parametrize(
    ("code", "kind"),
    [("V", "verified"), ("V2", "second"), ("M", "unverified"), ("P", "rule"), ("D", "computed"), ("?", "unverified")],
)
def test_every_mark_has_a_shape_and_words(code: str, kind: str) -> None:
    page = rendered("{% mark code %}", code=code)
    assert f"mark--{kind}" in page
    assert words.mark(code)[1].split(":")[0] in page


@pytest.mark.parametrize("verdict", ["eligible", "caution", "hold", "excluded", "needs-data"])
def test_every_verdict_has_its_own_door(verdict: str) -> None:
    doors = {other: rendered("{% door v %}", v=other) for other in words.VERDICTS}
    assert f'aria-label="{verdict}"' in doors[verdict]
    shapes = {page.split("aria-label")[1].split(">", 1)[1] for page in doors.values()}
    assert len(shapes) == 5


def test_an_unknown_verdict_never_opens_a_door() -> None:
    assert rendered("{% door v %}", v="fine") == rendered("{% door v %}", v="needs-data")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("35", "35.0\xa0mg"),
        (35.0, "35.0\xa0mg"),
        ("0.04", "0.04\xa0mg"),
        (34.865, "34.87\xa0mg"),
        (0, "0.0\xa0mg"),
        (None, "not known"),
        ("", "not known"),
        ("abc", "not known"),
        (float("nan"), "not known"),
        (True, "not known"),
    ],
)
def test_mg_keeps_the_amount_and_says_what_is_missing(value: Any, text: str) -> None:
    assert rendered("{{ v|mg }}", v=value) == text


def test_asked_and_used_stand_side_by_side_with_the_wall() -> None:
    binding = {"rule": "SEL-23", "name": "first-infusion cap", "asked": 78.0, "used": 60.0, "limit": 60.0, "unit": "mg"}
    page = rendered("{% asked_used 78.0 60.0 'mg' limits %}", limits={"binding": binding})
    for text in ("78.0", "60.0", "SEL-23", "first-infusion cap", "held by a limit"):
        assert text in page


def test_a_refused_dose_names_the_wall_that_refuses_it_and_not_the_syringe() -> None:
    binding = {"rule": "TRD-IV", "name": "hard maximum", "kind": "hard", "asked": 350.0, "used": 52.5, "limit": 70.0}
    rounding = {"rule": "DOSE-ROUND", "name": "what the syringe can measure", "asked": 52.54, "used": 52.5}
    page = rendered("{% asked_used 350 used 'mg' limits %}", limits={"binding": binding, "rounding": rounding})
    for text in ("Refused by the hard maximum", "the limit is 70", "refused by a limit"):
        assert text in page
    assert "DOSE-ROUND" not in page


def test_a_dose_between_two_marks_is_said_to_be_rounded_down() -> None:
    rounding = {
        "rule": "DOSE-ROUND",
        "name": "what the syringe can measure",
        "kind": "rounding",
        "because": "0.815 mL of 50 mg/mL is measured as 0.81 mL",
        "asked": 40.75,
        "used": 40.5,
        "unit": "mg",
        "verification": "P",
    }
    page = rendered("{% asked_used 40.75 40.5 'mg' limits %}", limits={"binding": rounding, "rounding": rounding})
    for text in ("40.75", "40.5", "Rounded down to what the syringe can measure, DOSE-ROUND", "rounded to the syringe"):
        assert text in page
    assert "Held by" not in page


def test_a_plan_without_a_dose_shows_nothing_rather_than_zero() -> None:
    page = rendered("{% asked_used asked used %}", asked=78.0, used=None)
    assert "nothing" in page
    assert "0.0" not in page.replace("78.0", "")
    assert "knob" not in rendered("{% track used asked walls %}", used=None, asked=None, walls=[])


def test_a_vial_that_cannot_hold_the_dose_is_refused_in_words() -> None:
    page = rendered("{% vial 250 200 %}")
    assert "<svg" not in page
    assert "250.0\xa0mg does not come out of one vial" in page


def test_no_forecast_is_said() -> None:
    assert "No forecast" in rendered("{% forecast_chart data %}", data=None)


def test_a_chart_has_a_sentence_and_a_table_behind_it() -> None:
    data = {"time_h": [0, 1], "outputs": {"ketamine_plasma_ng_per_mL": {"typical": [0, 100]}}}
    page = rendered("{% forecast_chart data %}", data=data)
    assert 'aria-label="Ketamine in plasma: forecast typical peak 100 ng/mL at 1:00."' in page
    assert "<table" in page


class Example(forms.Form):
    sbp_mmHg = forms.FloatField(label="Systolic", help_text="At rest")
    test = forms.ChoiceField(choices=[("no", "no"), ("yes", "yes")], widget=forms.RadioSelect, required=False)


def test_a_field_has_label_unit_and_a_named_fault() -> None:
    form = Example({"sbp_mmHg": EVIL})
    page = rendered("{% field f %}", f=form["sbp_mmHg"])
    assert '<label for="id_sbp_mmHg">Systolic</label>' in page
    assert "mmHg</span>" in page
    assert 'aria-invalid="true"' in page
    assert "id_sbp_mmHg-hint id_sbp_mmHg-error" in page
    assert "<script" not in page


def test_choices_are_a_labelled_group_with_nothing_chosen() -> None:
    page = rendered("{% field f %}", f=Example()["test"])
    assert "<fieldset" in page
    assert "<legend" in page
    assert "checked" not in page


def test_choices_are_drawn_once() -> None:
    drawn: list[str] = []

    class Counted(forms.RadioSelect):
        def render(self, *args: Any, **kwargs: Any) -> Any:
            drawn.append("whole")
            return super().render(*args, **kwargs)

    class Asked(forms.Form):
        test = forms.ChoiceField(choices=[("no", "no"), ("yes", "yes")], widget=Counted, required=False)

    page = rendered("{% field f %}", f=Asked()["test"])
    assert page.count('type="radio"') == 2
    assert drawn == []


NOW = datetime(2026, 11, 19, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 19, 8, 6, tzinfo=UTC), "6\xa0min old"),
        (datetime(2026, 11, 19, 6, 0, tzinfo=UTC), "2:12\xa0h old"),
        (datetime(2026, 11, 18, 23, 59, tzinfo=UTC), "yesterday"),
        (datetime(2026, 9, 19, 8, 0, tzinfo=UTC), "2 months old"),
        (date(2019, 4, 2), "7 years old"),
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), "dated in the future"),
        (None, "no date on record"),
    ],
)
def test_an_age_is_never_just_now(at: datetime | date | None, text: str) -> None:
    assert words.age(at, NOW) == text


def test_a_missing_input_is_listed_once_with_all_its_rules_worst_first() -> None:
    rows = [
        {"rule": "BAS-02", "input": "labs.ggt_xULN", "why": "GGT not known", "level": "warn"},
        {"rule": "BAS-07", "input": "facts.escort", "why": "3 days old", "level": "hold"},
        {"rule": "SEL-26", "input": "facts.escort", "why": "3 days old", "level": "block"},
    ]
    escort, ggt = decisions.gaps(rows)
    assert (escort.rules, escort.level, escort.needed, escort.told) == (
        ("BAS-07", "SEL-26"),
        "block",
        True,
        "3 days old",
    )
    assert (ggt.rules, ggt.needed, ggt.told) == (("BAS-02",), False, "")


def test_a_gap_of_unknown_level_counts_as_one_that_stops() -> None:
    (gap,) = decisions.gaps([{"rule": "X", "input": "a", "why": "", "level": "new-level"}])
    assert decisions.gaps([{"rule": "Y", "input": "b", "why": "", "level": "info"}])[0].needed is False
    assert gap.needed is True


def test_what_was_not_understood_is_said() -> None:
    said = decisions.not_read({"unrecognised_medications": ["zzz"], "unknown_inputs": ["shoe_size"]})
    assert [rows for _, rows in said] == [["shoe_size"], ["zzz"]]


def test_walls_come_from_those_that_stand_for_this_patient() -> None:
    walls = [
        {"name": "cap", "kind": "soft", "bound": "most", "limit": 60.0, "unit": "mg"},
        {"name": "shortest", "kind": "hard", "bound": "least", "limit": 2.0, "unit": "min"},
    ]
    assert decisions.dose_walls({"soft_max_mg": 78.0, "walls": walls}) == [
        {"name": "60.0 cap", "value": 60.0, "hard": False}
    ]
