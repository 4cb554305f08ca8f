"""A course over days or weeks: what is forecast, under each rule, with what trials saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.pharmacology.courses.antidepressant import OUTPUT, AntidepressantCourse
from limen.pharmacology.courses.antidepressant_trials import antidepressant
from limen.pharmacology.courses.pain_relief import IN_RESPONDERS, OVER_PATIENTS, PainReliefCourse
from limen.pharmacology.courses.relapse import CONSTANT, Point, RelapseCourse, SourcedPoint, relapse
from limen.pharmacology.courses.relapse import OUTPUT as WELL
from limen.pharmacology.exposure import Curve
from limen.reports.plots import page
from limen.reports.plots.page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Seen:
    """One published value with its 95 % interval, if one was read."""

    at_days: float
    value: float
    unit: str
    label: str
    low: float | None = None
    high: float | None = None


def course_picture(
    title: str,
    y_label: str,
    time_days: Array,
    curves: Mapping[str, Curve],
    *,
    seen: Sequence[Seen] = (),
    caption: Sequence[str] = (),
) -> Picture:
    """Draw curves of one unit over days.

    Parameters
    ----------
    curves : mapping of label to Curve
        The first carries its band, if it has one; each has its own dashes and its name at its end.
    seen : sequence of Seen
        In ink, with their intervals; numbered, and told below.

    Returns
    -------
    Picture
    """
    with page.sheet(1, lane_in=3.2) as (figure, axes):
        lane = axes[0, 0]
        spread = next(iter(curves.values())).between_patients
        if spread is not None:
            lane.fill_between(time_days, spread.p05, spread.p95, color=page.PATIENT, linewidth=0)
        for place, curve in enumerate(curves.values()):
            lane.plot(time_days, curve.typical, color=page.SAID, linestyle=page.DASHES[place], linewidth=1.5)
        page.plain(lane, y_from_0=False)
        lane.axhline(0, color=page.INK_2, linewidth=0.8)
        lane.set_xlim(float(time_days[0]), float(time_days[-1]))
        inside = [one for one in seen if time_days[0] <= one.at_days <= time_days[-1]]
        for number, one in enumerate(inside, start=1):
            _mark(lane, one, number)
        _names(lane, curves)
        lane.set_ylabel(y_label)
        lane.set_xlabel("days from the start")
        page.headed(lane, title)
        told = "; ".join(f"({number}) {one.label}" for number, one in enumerate(inside, start=1))
        below = [*caption, *([f"Seen, with 95 % intervals where read: {told}."] if told else [])]
        return page.finished(figure, title, below)


def _mark(lane: Axes, one: Seen, number: int) -> None:
    if one.low is not None and one.high is not None:
        reach = [[one.value - one.low], [one.high - one.value]]
        lane.errorbar(one.at_days, one.value, yerr=reach, color=page.INK, linewidth=1.0, capsize=2)
    lane.plot([one.at_days], [one.value], marker="D", color=page.INK, markersize=5, linestyle="none", clip_on=False)
    lane.annotate(
        str(number), (one.at_days, one.value), xytext=(6, 4), textcoords="offset points", fontsize=8, color=page.INK
    )


def _names(lane: Axes, curves: Mapping[str, Curve]) -> None:
    """Names where there is room, each with a sample of its line."""
    for place, label in enumerate(curves):
        height = 0.96 - 0.07 * place
        lane.plot(
            [0.60, 0.67],
            [height, height],
            transform=lane.transAxes,
            color=page.SAID,
            linestyle=page.DASHES[place],
            linewidth=1.5,
        )
        lane.text(0.685, height, label, transform=lane.transAxes, va="center", fontsize=8, color=page.INK)


def antidepressant_picture(course: AntidepressantCourse, session_days: Sequence[float]) -> Picture:
    """MADRS difference from placebo, both rules for several sessions, and the trials with these sessions."""
    first = course.outputs[OUTPUT]
    curves = {"strongest session": first}
    if len(session_days) > 1:
        curves["sessions add"] = course.outputs[f"{OUTPUT}_if_sessions_add"]
    same = [row for row in course.trials if list(row.session_days) == [round(day, 6) for day in session_days]]
    seen = []
    for row in same:
        middle, half = row.difference_score, None if row.se_score is None else _Z95 * row.se_score
        ends = (None, None) if half is None else (middle - half, middle + half)
        seen.append(Seen(row.at_days, middle, "points", f"{row.trial}, {row.what}", *ends))
    band = " Pale: 90 of 100 draws between trials, not between patients." if first.between_patients else ""
    return course_picture(
        f"MADRS difference from placebo: {antidepressant().groups[course.group].title}",
        "points, less is better",
        course.time_days,
        curves,
        seen=seen,
        caption=[f"A forecast by dose group, not by concentration.{band} Some of it may be expectancy."],
    )


def relapse_picture(course: RelapseCourse) -> Picture:
    """Share still well under both tails, through the row it was read from."""
    row, tail = course.row, relapse().tail
    points: list[Point | SourcedPoint] = [*([row.relapsed_by] if row.relapsed_by else []), *row.also]
    if course.stage == tail.of:
        points.append(tail.well)
    seen = [
        Seen(point.at_days, 100.0 - point.relapsed_pct, "%", f"{point.relapsed_pct:g} % by day {point.at_days:g}")
        for point in points
    ]
    return course_picture(
        f"Still well: {row.title}",
        "% of responders",
        course.time_days,
        {"hazards differ between people": course.outputs[WELL], "one constant hazard": course.outputs[CONSTANT]},
        seen=seen,
        caption=[f"Relapse: {row.definition}. The tail is lent from one open series of 17 responders."],
    )


def pain_relief_picture(course: PainReliefCourse) -> Picture:
    """Relief in responders and over all patients."""
    band = " Pale: 90 of 100 virtual patients, were they responders." if course.patients else ""
    return course_picture(
        "Relief of CRPS-1 pain",
        "% of the most relief",
        course.time_days,
        {"in responders": course.outputs[IN_RESPONDERS], "mean over patients": course.outputs[OVER_PATIENTS]},
        caption=[f"Driven by {course.model}; the equation is an interpretation.{band} Not points of a pain scale."],
    )
