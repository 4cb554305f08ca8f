"""One figure as data: what paper and screen draw of it is the same, in numbers, words, limits and axes."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from django.template import Context, Template

from limen.care.leaving import leaving_after
from limen.clinic.web.charts.figure import DrawnLane, lay_out
from limen.errors import InputError
from limen.pharmacology.attainment import attainment
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.figure_paper import FigurePaper, render_figures
from limen.reports.figures import (
    Figure,
    Lane,
    Panel,
    Points,
    Wall,
    attainment_figure,
    belief_lane,
    beliefs_figure,
    check_figure,
    forecast_figure,
    leaving_figure,
    members_figure,
    session_figure,
    update_figure,
)
from limen.reports.paper import pdf
from limen.reports.plots.figure import draw, known
from limen.session.replay import replay

PERSON = PatientProfile(age_years=42, weight_kg=70)
DOSES = [Dose(35, "iv", 0, 40)]
HOURS = np.linspace(0.0, 4.0, 41)
SESSION: dict[str, Any] = {
    "session": {"protocol": "TRD-IV"},
    "events": [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
        {"t_s": 300, "kind": "observation.recorded", "sbp_mmHg": 131, "dbp_mmHg": 80, "moaas": 5, "by": "D. Kessel"},
    ],
    "samples": [{"t_s": t, "signal": "SPO2", "value": 91 if t == 400 else 97} for t in range(600)],
}
CURVE = 100.0 * HOURS * np.exp(-HOURS)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    leaving = leaving_after("racemic", ["iv"])
    return forecast(DOSES, PERSON, every_min=4, n=40, rng=np.random.default_rng(1), leaving=leaving).to_json()


@pytest.fixture(scope="module")
def every(made: dict[str, Any]) -> dict[str, Figure]:
    """One of each kind."""
    rng = np.random.default_rng(1)
    band = {"p05": [0.0, 2.0, 1.0], "p50": [0.0, 5.0, 3.0], "p95": [0.0, 9.0, 6.0]}
    seen = Points(
        np.array([1.0, 2.0]), np.array([30.0, 20.0]), "seen: means", np.array([20.0, 9]), np.array([40.0, 30])
    )
    found: dict[str, Figure | None] = {
        "forecast": forecast_figure(
            made, walls={"sbp_change_mmHg": [Wall("hold 180, MON-1", 52.0, "mmHg")]}, ends_at_h=40 / 60
        ),
        "models": members_figure(made),
        "leaving": leaving_figure(made["ready_to_leave_h"]),
        "attainment": attainment_figure(
            attainment(DOSES, PERSON, "ketamine_plasma_ng_per_mL", 100, 250, n=20, every_min=4, rng=rng)
        ),
        "check": check_figure(
            [Panel("With spread", "ng/mL", HOURS, CURVE, seen, 0.5 * CURVE, 2 * CURVE)], title="Check"
        ),
        "beliefs": beliefs_figure(
            [belief_lane("CL", "L/h", rng.normal(100, 10, 500), rng.normal(110, 3, 500))], title="After"
        ),
        "update": update_figure(
            {
                "model": "ensemble",
                "time_h": [0.0, 1.0, 2.0],
                "outputs": {"sbp_change_mmHg": band | {"prior": band}},
                "observations": [{"t_min": 30, "compared": {"output": "sbp_change_mmHg", "value": 4.0}}],
                "learned": {"because": "nothing was learned"},
            }
        ),
        "session": session_figure(replay(SESSION).note, started_at="2026-11-19T08:00:00+00:00", zone="Europe/Berlin"),
    }
    assert None not in found.values()
    return {kind: figure for kind, figure in found.items() if figure is not None}


KINDS = ("forecast", "models", "leaving", "attainment", "check", "beliefs", "update", "session")


def paper(figure: Figure) -> str:
    return " ".join(" ".join(ElementTree.fromstring(draw(figure).svg).itertext()).split())  # noqa: S314  # our own text


def screen(figure: Figure) -> str:
    page = Template("{% load limen_ui %}{% figure f True %}").render(Context({"f": figure}))
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&#x27;", "'").replace("&amp;", "&").split())


def read_back(lane: Lane, drawn: DrawnLane, path: str) -> list[tuple[float, float]]:
    """The numbers that a path on the screen stands for, in the lane's own units."""
    points = [tuple(float(part) for part in point.split()) for point in re.findall(r"[ML]([\d.-]+ [\d.-]+)", path)]
    wide, tall = lane.x.high - lane.x.low, lane.y.high - lane.y.low
    return [(lane.x.low + x / 1000 * wide, lane.y.low + (1 - y / drawn.height_px) * tall) for x, y in points]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_words_stand_on_paper_and_on_the_screen(kind: str, every: dict[str, Figure]) -> None:
    figure = every[kind]
    on_paper, on_screen = paper(figure), screen(figure)
    for text in [lane.title for lane in figure.lanes]:
        assert text in on_paper
        assert text in on_screen
    told = " ".join(figure.caption).split()
    assert " ".join(told) in on_paper
    assert " ".join(told) in on_screen
    for name in [wall.name for lane in figure.lanes for wall in lane.walls] + [item.name for item in figure.moments]:
        assert name in on_paper
        assert name in on_screen


@pytest.mark.parametrize("kind", KINDS)
def test_the_axes_are_the_same_on_paper_and_on_the_screen(kind: str, every: dict[str, Figure]) -> None:
    figure = every[kind]
    laid, picture = lay_out(figure), draw(figure)
    assert laid is not None
    assert [text.get_text() for text in picture.figure.axes[-1].get_xticklabels()] == list(figure.lanes[-1].x.said)
    for lane, drawn, axes in zip(figure.lanes, laid.lanes, picture.figure.axes, strict=True):
        assert tuple(axes.get_xlim()) == pytest.approx((lane.x.low, lane.x.high))
        marks = tuple(axes.get_xticks())
        assert marks == pytest.approx(tuple(lane.x.marks))
        assert [tick.x_pct for tick in drawn.places] == pytest.approx(
            [100 * (mark - lane.x.low) / (lane.x.high - lane.x.low) for mark in marks], abs=0.01
        )
        # lanes that share a time axis print its labels once, under the last
        assert [label.get_text() for label in axes.get_xticklabels()] in ([tick.label for tick in drawn.places], [])
        if lane.measured:
            assert tuple(axes.get_yticks()) == pytest.approx(tuple(lane.y.marks))
            assert [tick.label for tick in drawn.ticks] == list(lane.y.said)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "beliefs"])
def test_the_curves_are_the_same_numbers_on_paper_and_on_the_screen(kind: str, every: dict[str, Figure]) -> None:
    figure = every[kind]
    laid, picture = lay_out(figure), draw(figure)
    assert laid is not None
    for lane, drawn, axes in zip(figure.lanes, laid.lanes, picture.figure.axes, strict=True):
        printed = [line.get_ydata() for line in axes.get_lines()]
        for trace, path in zip(lane.traces, drawn.traces, strict=True):
            values = known(trace.values)
            assert any(len(found) == len(values) and np.array_equal(found, values) for found in printed)
            for at, value in read_back(lane, drawn, path.path):
                # a pixel's tenth on the screen
                assert np.interp(at, lane.places, values) == pytest.approx(
                    value, abs=0.004 * (lane.y.high - lane.y.low)
                )


@pytest.mark.parametrize("kind", KINDS)
def test_every_lane_has_a_sentence_and_a_table(kind: str, every: dict[str, Figure]) -> None:
    laid = lay_out(every[kind])
    assert laid is not None
    for lane in laid.lanes:
        assert lane.sentence.endswith(".")
        assert lane.table.rows
        assert {len(row) for row in lane.table.rows} == {len(lane.table.heads)}


def test_the_key_names_what_is_drawn(every: dict[str, Figure]) -> None:
    laid = lay_out(every["forecast"])
    assert laid is not None
    assert [role for role, _ in laid.key] == ["typical", "models", "patients"]


def test_a_digest_is_of_what_is_drawn(every: dict[str, Figure], made: dict[str, Any]) -> None:
    figure = every["models"]
    assert figure.digest == members_figure(made).digest  # type: ignore[union-attr]
    (lane,) = figure.lanes
    moved = dataclasses.replace(figure, lanes=(dataclasses.replace(lane, title="another"),))
    assert moved.digest != figure.digest


def test_the_share_that_is_ready_only_grows_and_ends_where_the_forecast_says(made: dict[str, Any]) -> None:
    ready = made["ready_to_leave_h"]
    share = ready["share_ready"]["effects_pct"]
    assert min(np.diff(share)) >= -1e-9
    assert share[0] == 0
    half = next(hour for hour, pct in zip(ready["share_ready"]["time_h"], share, strict=True) if pct >= 50)
    assert half == pytest.approx(ready["forecast"]["p50"], abs=0.05)
    assert ready["forecast"]["p50"] < ready["forecast"]["p90"] <= ready["forecast"]["p95"]


def test_an_ensemble_of_one_has_nothing_to_compare(made: dict[str, Any]) -> None:
    assert members_figure(made | {"members": made["members"][:1]}) is None
    assert leaving_figure({"share_ready": None}) is None


@pytest.mark.slow
def test_paper_holds_the_drawing_itself_and_reads_no_name_as_markup(every: dict[str, Figure]) -> None:
    hostile = '#import "x": $a$ \\"'
    figure = every["models"]
    paper = FigurePaper("Clinic", hostile, (("Patient", hostile), ("Record", "7")), "", [("Models", figure)])
    source = render_figures(paper)
    record = json.loads(json.loads(source.split("json(bytes(", 1)[1].split("))\n", 1)[0]))
    assert record["title"] == hostile
    assert record["figures"][0]["svg"] == draw(figure).svg
    assert "simons-2022" in record["figures"][0]["alt"]
    assert pdf(source).startswith(b"%PDF")
    assert pdf(source) == pdf(render_figures(paper))


def test_no_paper_without_two_identifiers_or_a_figure(every: dict[str, Figure]) -> None:
    with pytest.raises(InputError, match="two identifiers"):
        render_figures(FigurePaper("Clinic", "x", (("Patient", "a"),), "", [("Models", every["models"])]))
    with pytest.raises(InputError, match="without a figure"):
        render_figures(FigurePaper("Clinic", "x", (("Patient", "a"), ("Record", "7")), "", []))
