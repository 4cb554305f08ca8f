"""What a forecast rests on and where its limits stand: in words, with marks, from the rules, never from a literal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.template import Context, Template

from limen.clinic.courses.pressure import ceilings, walls
from limen.clinic.web.assumptions import assumptions, model_title
from limen.clinic.web.charts.figure import lay_out
from limen.clinic.web.templatetags.limen_ui import forecast_said, limits_by_output
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.figures import forecast_figure

RISE = "sbp_change_mmHg"


def rising(to_mmHg: float, low_mmHg: float | None = None, high_mmHg: float | None = None) -> dict[str, Any]:
    curve: dict[str, Any] = {"typical": [0.0, to_mmHg, 2.0]}
    if low_mmHg is not None and high_mmHg is not None:
        curve["between_models"] = {"low": [0.0, low_mmHg, 1.0], "high": [0.0, high_mmHg, 3.0]}
    return {"time_h": [0.0, 0.7, 2.0], "outputs": {RISE: curve}}


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """A forecast as a plan carries it."""
    person = PatientProfile(age_years=42, sex="female", weight_kg=58)
    made = forecast([Dose(29, "iv", 0, 40)], person, until_min=120, every_min=10, n=4, rng=np.random.default_rng(1))
    return made.to_json()


def drawn(source: str, **context: Any) -> str:
    return Template("{% load limen_ui %}" + source).render(Context(context))


# ---- the height a rise reaches


def test_a_rise_names_the_pressure_it_reaches() -> None:
    # 128 + 4 and 128 + 12
    (said,) = forecast_said(rising(8, 4, 12), {RISE: 128.0})
    assert said == "Rise in systolic pressure peaks at 4–12 mmHg near 0:42: forecast peak 132–140 mmHg from 128"
    (one,) = forecast_said(rising(8), {RISE: 128.0})
    assert one.endswith("forecast peak 136 mmHg from 128")


def test_without_a_baseline_no_height_is_named() -> None:
    assert "from" not in forecast_said(rising(8, 4, 12))[0]


# ---- limits as walls


def test_walls_stand_at_the_limit_less_the_baseline() -> None:
    # MON-1: hold from 180, warn from 160 and from a rise of 20 %; baseline 128
    stand = {wall["name"]: (wall["value"], wall["hard"]) for wall in walls(ceilings(128.0))}
    assert stand == {
        "hold 180, MON-1": (52.0, True),
        "warn 160, MON-1": (32.0, False),
        "warn +20 %, MON-1": (pytest.approx(25.6), False),
    }


def test_limits_come_from_the_monitoring_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    from limen.clinic.courses import pressure
    from limen.knowledge.monitoring import monitoring

    rules = monitoring()
    moved = tuple(
        limit.model_copy(update={"limit": 170.0}) if (limit.signal, limit.limit) == ("NIBP_SYS", 180) else limit
        for limit in rules.limits
    )
    monkeypatch.setattr(pressure, "monitoring", lambda: rules.model_copy(update={"limits": moved}))
    assert ("hold 170, MON-1", 42.0) in [(wall["name"], wall["value"]) for wall in walls(ceilings(128.0))]


def test_no_baseline_no_wall() -> None:
    assert ceilings(None) == []


def test_a_limit_reached_before_the_dose_is_no_wall_under_zero() -> None:
    standing = ceilings(165.0)
    assert [item.name for item in standing if item.reached] == ["warn 160, MON-1"]
    assert all(wall["value"] > 0 for wall in walls(standing))


def test_names_of_walls_that_meet_stand_on_two_sides() -> None:
    # from 150, a rise of 20 % and the limit at 180 are the same 30 mmHg
    chart = lay_out(forecast_figure(rising(8), walls=limits_by_output(walls(ceilings(150.0)))))
    assert chart is not None
    meeting = [wall for wall in chart.lanes[0].walls if "160" not in wall.name]
    assert meeting[0].y_px == meeting[1].y_px
    assert [wall.at_start for wall in meeting] == [False, True]


# ---- what the forecast assumes


def test_every_flag_is_kept_and_the_clinics_own_rules_come_first(real: dict[str, Any]) -> None:
    found = assumptions(real)
    assert sorted(item.code for item in found) == sorted(flag["code"] for flag in real["flags"])
    own = ["P" in item.marks for item in found]
    assert any(own)
    assert own == sorted(own, reverse=True)


def test_marks_are_drawn_and_code_names_are_words(real: dict[str, Any]) -> None:
    page = drawn("{% for item in f|assumptions %}<li>{% include 'partials/assumption.html' %}</li>{% endfor %}", f=real)
    for text in ("[P]", "[V]", "[V2]", "[M]", "sbp_change"):
        assert text not in page
    assert "Rise in systolic pressure: 0.09 mmHg per ng/mL" in page
    assert page.count("mark--rule") == sum(flag["message"].count("[P]") for flag in real["flags"])
    assert f'<abbr title="{model_title("kamp-2020")}">kamp-2020</abbr>' in page
    assert '<abbr title="clearance">CL</abbr>' in page


def test_nothing_of_a_sentence_is_lost(real: dict[str, Any]) -> None:
    for flag in real["flags"]:
        (item,) = assumptions({"outputs": {}, "members": real["members"], "flags": [flag]})
        told = "".join(f" [{part.text}]" if part.kind == "mark" else part.text for part in item.parts)
        assert told == flag["message"]


def test_models_are_listed_with_their_titles(real: dict[str, Any]) -> None:
    page = drawn("{% forecast_chart f %}", f=real)
    assert f"{len(real['members'])} published models" in page
    for member in real["members"]:
        assert f"<dt>{member['id']}</dt><dd>{model_title(member['id'])}</dd>" in page
    assert model_title("no-such-model") == "no-such-model"
