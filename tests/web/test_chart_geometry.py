"""Where curves, bands, walls and gaps stand on the page: expected places worked out by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from limen.clinic.web.charts.doses import track, vial
from limen.clinic.web.charts.figure import DrawnFigure, lay_out
from limen.clinic.web.charts.geometry import Frame, band_between
from limen.clinic.web.charts.trajectory import trajectory
from limen.pharmacology.wording import parts
from limen.reports.figures import Wall, forecast_figure, said
from limen.reports.figures.axes import Axis, clock_span, plain, round_axis
from limen.reports.figures.words import thin

NAME = "ketamine_plasma_ng_per_mL"


def frame() -> Frame:
    return Frame(x=Axis(low=0, high=4, unit="h"), y=Axis(low=0, high=100, unit="ng/mL"), height_px=200)


def forecast(**changes: Any) -> dict[str, Any]:
    return {
        "time_h": [0.0, 1.0, 2.0],
        "outputs": {NAME: {"typical": [0, 100, 50], "p05": [0, 50, 25], "p95": [0, 200, 100]}},
        "members": [
            {"id": "a", "weight": 0.5, "typical": {NAME: [0, 80, 60]}},
            {"id": "b", "weight": 0.5, "typical": {NAME: [0, 120, 40]}},
        ],
        "flags": [{"code": "between-patient", "message": "spread of one model given to all"}],
        **changes,
    }


def test_a_curve_runs_from_corner_to_corner() -> None:
    # 4 h is 1000 units wide and 100 ng/mL is 200 px high: (1, 25) stands at 250, 150; the top is 0.
    assert frame().line([0, 1, 4], [0, 25, 100]) == "M0 200L250 150L1000 0"


def test_a_missing_value_breaks_the_curve() -> None:
    assert frame().line([0, 1, 2, 3], [0, None, 50, 50]) == "M0 200M500 100L750 100"


def test_a_band_goes_out_along_the_top_and_back_along_the_bottom() -> None:
    assert frame().band([0, 4], [0, 50], [50, 100]) == "M0 100L1000 0L1000 100L0 200Z"


def test_a_value_in_another_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="mmHg on an axis of ng/mL"):
        frame().y.fraction(value=1, unit="mmHg")


@pytest.mark.parametrize(
    ("amounts", "low", "high"),
    [([0, 387], 0, 400), ([-3, 16], -5, 20), ([0.02, 0.07], 0, 0.08), ([], 0, 1), ([5, 5], 0, 6)],
)
def test_axes_end_on_round_numbers_around_all_values(amounts: list[float], low: float, high: float) -> None:
    # a quarter of the range, rounded up to 1, 2 or 5 times a power of ten, is the step
    axis = round_axis(amounts, "x", from_zero=True)
    assert (axis.low, axis.high) == pytest.approx((low, high))
    assert axis.low in axis.marks
    assert 0 in axis.marks


def test_thinning_keeps_ends_and_peaks() -> None:
    index = thin(10_001, [777], at_most=100)
    assert {0, 777, 10_000} <= set(index)
    assert len(index) <= 101


def chart_of(data: dict[str, Any], **options: Any) -> DrawnFigure:
    chart = lay_out(forecast_figure(data, **options))
    assert chart is not None
    return chart


def test_forecast_bands_hold_what_they_name() -> None:
    chart = chart_of(forecast(), ends_at_h=0.5)
    (lane,) = chart.lanes
    # the axis is 0 to 200 over 150 px: 100 stands at 75, 120 at 60, 80 at 90
    assert lane.traces[0].path == "M0 150L500 75L1000 112.5"
    patients, models = lane.bands
    assert (patients.role, models.role) == ("patients", "models")
    assert patients.area == "M0 150L500 0L1000 75L1000 131.2L500 112.5L0 150Z"
    assert models.edges == "M0 150L500 90L1000 120M0 150L500 60L1000 105"
    assert [moment.x_pct for moment in lane.moments] == [25.0]
    assert chart.models == ("a", "b")


def test_a_member_of_no_weight_widens_nothing() -> None:
    data = forecast()
    data["members"].append({"id": "c", "weight": 0, "typical": {NAME: [0, 900, 900]}})
    assert chart_of(data).lanes[0].bands[1].edges.endswith("M0 150L500 60L1000 105")


def test_without_a_population_no_band_is_drawn() -> None:
    chart = chart_of(forecast(outputs={NAME: {"typical": [0, 1, 2]}}, members=[]))
    assert chart.lanes[0].bands == ()
    assert chart.key == (("typical", "typical"),)


def test_a_wall_beyond_the_curves_is_still_drawn_inside() -> None:
    chart = chart_of(forecast(), walls={NAME: [Wall("own limit", 400, "ng/mL")]})
    (wall,) = chart.lanes[0].walls
    assert (wall.y_px, wall.name) == (0.0, "own limit")
    assert "limit own limit at 400" in chart.lanes[0].sentence


def test_a_withheld_stretch_is_a_gap_and_nothing_is_joined_across_it() -> None:
    curve = {"typical": [0, None, None, 50, 20], "p05": [0, 10, 10, 25, 10], "p95": [0, None, None, None, 40]}
    data = {"time_h": [0.0, 1.0, 2.0, 3.0, 4.0], "outputs": {NAME: curve}, "members": []}
    (lane,) = chart_of(data).lanes
    (gap,) = lane.gaps
    assert (gap.left_pct, gap.wide_pct) == (0.0, 100.0)
    # where any part is missing nothing is drawn: single places at both ends are left, and no line between them
    assert lane.traces[0].path.count("L") == 0
    assert lane.bands[0].area == ""
    assert "no value from 0:00 to 4:00" in lane.sentence
    (told,) = said(forecast_figure(data))
    assert told == "Ketamine in plasma is not given from 0:00 to 4:00: past what was studied"


def test_a_band_is_broken_where_it_is_not_known() -> None:
    low, high = ["0 9", "1 9", None, "3 9", "4 9"], ["0 1", "1 1", "2 1", "3 1", "4 1"]
    assert band_between(low, high) == "M0 1L1 1L1 9L0 9ZM3 1L4 1L4 9L3 9Z"


def test_the_sentence_says_peak_time_and_both_spreads() -> None:
    chart = chart_of(forecast())
    assert chart.lanes[0].sentence == (
        "Ketamine in plasma: forecast typical peak 100 ng/mL at 1:00, "
        "nine in ten patients between 50 and 200 then, models between 80 and 120."
    )
    assert chart.lanes[0].table.rows[1] == ("1:00", "100", "80–120", "50–200")


@pytest.mark.parametrize("data", [{}, {"time_h": [0.0]}, {"time_h": [0.0, 1.0], "outputs": {}}])
def test_nothing_to_draw_is_said_not_drawn(data: dict[str, Any]) -> None:
    assert lay_out(forecast_figure(data)) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("S_ketamine_effect_site_ng_per_mL", ("S-ketamine at the effect site", "ng/mL")),
        ("R_ketamine_venous_ng_per_mL", ("R-ketamine in venous plasma", "ng/mL")),
        ("sbp_change_mmHg", ("Rise in systolic pressure", "mmHg")),
        ("hr_change_per_min", ("Rise in heart rate", "/min")),
        ("dissociation_pct", ("External perception (dissociation)", "%")),
    ],
)
def test_outputs_are_named_in_words(name: str, words: tuple[str, str]) -> None:
    assert parts(name) == words


def test_spans_read_as_a_clock() -> None:
    assert [clock_span(minutes) for minutes in (0, 40, 59.6, 125)] == ["0:00", "0:40", "1:00", "2:05"]


def test_track_places_walls_in_proportion() -> None:
    # the largest is 104, so the line ends at 104 * 7/6 = 121.33
    picture = track(used=60, asked=78, walls=[{"name": "hard", "value": 104, "hard": True}])
    assert picture.used_pct == pytest.approx(60 / 121.3333 * 100, abs=0.01)
    assert picture.asked_pct == pytest.approx(78 / 121.3333 * 100, abs=0.01)
    assert picture.walls[0].x_pct == pytest.approx(600 / 7, abs=0.01)
    assert picture.sentence == "used 60.0 mg, asked 78.0 mg, hard limit hard at 104.0 mg."


def test_track_names_that_would_collide_stand_in_two_rows() -> None:
    names = (("60.0 first", 60), ("70.0 soft", 70), ("x", 104))
    walls = [{"name": name, "value": value} for name, value in names]
    first, second, far = (wall.name_y_px for wall in track(used=60, walls=walls).walls)
    assert first == far < second


def test_track_without_a_dose_has_no_knob() -> None:
    assert track(used=None, walls=[{"name": "hard", "value": 50, "hard": True}]).used_pct is None


def test_vial_is_to_scale() -> None:
    picture = vial(drawn_mg=60.5, total_mg=200)
    assert picture is not None
    assert picture.drawn_height_px == pytest.approx(60 * 60.5 / 200, abs=0.01)
    assert picture.drawn_height_px + picture.rest_height_px == pytest.approx(60)
    assert picture.drawn_y_px + picture.drawn_height_px == pytest.approx(picture.rest_y_px, abs=0.01)


@pytest.mark.parametrize(("drawn", "total"), [(250, 200), (10, 0), (-1, 200)])
def test_no_vial_is_drawn_where_none_would_be_true(drawn: float, total: float) -> None:
    assert vial(drawn_mg=drawn, total_mg=total) is None


def test_trajectory_draws_two_sessions_of_the_same_minute() -> None:
    same = {"at": "2026-11-02T10:15:00+00:00", "number": 1}
    picture = trajectory(
        {
            "instrument": "PHQ-9",
            "max": 27,
            "points": [{"at": "2026-11-01", "total": 27}],
            "sessions": [{**same, "dose_mg": "35.0"}, {**same, "dose_mg": "40.0"}],
        }
    )
    assert picture is not None
    assert len(picture.doses) == 2


def test_trajectory_leaves_a_hole_with_bounds_where_an_answer_is_missing() -> None:
    picture = trajectory(
        {
            "instrument": "PHQ-9",
            "max": 27,
            "points": [
                {"at": "2026-11-01", "total": 27},
                {"at": "2026-11-11", "total": None, "low": 9, "high": 18},
                {"at": "2026-11-21", "total": 0},
            ],
            "sessions": [{"at": "2026-11-02", "dose_mg": "35.0"}],
        }
    )
    assert picture is not None
    assert len(re.findall("M", picture.line)) == 2  # two pieces, not one line across
    (gap,) = picture.gaps
    # 20 days and 3 % margin each side: the axis is 21.2 days, the hole runs from day 5 to day 15
    assert gap.x_pct == pytest.approx((5 + 0.6) / 21.2 * 100, abs=0.01)
    assert gap.width_pct == pytest.approx(10 / 21.2 * 100, abs=0.02)
    # 18 of 27 on 220 px stands at 73.3; 9 at 146.7
    assert (gap.y_px, gap.height_px) == (pytest.approx(73.3), pytest.approx(73.4, abs=0.1))
    assert gap.label == "not complete: 9 to 18"
    assert picture.doses[0].label == "35.0 mg"
    assert picture.sentence == "PHQ-9 27 on 1 Nov 2026, 0 on 21 Nov 2026; 1 session; 1 of 3 not complete."


def test_a_total_of_zero_is_an_answer() -> None:
    picture = trajectory({"instrument": "PHQ-9", "max": 27, "points": [{"at": "2026-11-01", "total": 0}]})
    assert picture is not None
    assert (len(picture.dots), len(picture.gaps)) == (1, 0)


def test_no_points_no_chart() -> None:
    assert trajectory({"instrument": "PHQ-9", "max": 27, "points": []}) is None


def test_plain_numbers_do_not_pass_for_booleans() -> None:
    with pytest.raises(TypeError):
        plain(True)


def test_the_forecasts_own_spread_between_models_is_used_where_members_name_their_matrix() -> None:
    curve = {"typical": [0, 100, 50], "between_models": {"low": [0, 50, 25], "high": [0, 200, 100]}}
    given = forecast(outputs={NAME: curve}, members=[])
    assert chart_of(given).lanes[0].bands[0].area == "M0 150L500 0L1000 75L1000 131.2L500 112.5L0 150Z"
    assert said(forecast_figure(given)) == ["Ketamine in plasma peaks at 50–200 ng/mL near 1:00"]
    assert said(forecast_figure({})) == []


def test_a_course_without_a_gap_does_not_speak_of_gaps() -> None:
    points = [{"at": "2026-11-01", "total": 24}, {"at": "2026-11-21", "total": 9}]
    picture = trajectory({"instrument": "PHQ-9", "max": 27, "points": points})
    assert picture is not None
    assert picture.sentence == "PHQ-9 24 on 1 Nov 2026, 9 on 21 Nov 2026; 0 sessions."
