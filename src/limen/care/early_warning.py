"""Small changes that count together, and a pressure beside how pressures usually run: to look at, never an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limen.care.figures import figure
from limen.evidence.marks import Verification, weakest
from limen.knowledge.bedside import Call, EarlyWarning, PressureCourse, bedside


@dataclass(frozen=True, slots=True)
class Warned:
    """The parts of a score that were read, on one set of values.

    Attributes
    ----------
    points : mapping of str to int
        By value; 0 where it lies in no band that was read.
    missing : tuple of str
        Values that are not known: the sum may be higher.
    total_points : int
        Of what is known. It is no NEWS2 total.
    calls : tuple of Call
        What the clinic's own rules ask for.
    """

    points: Mapping[str, int]
    missing: tuple[str, ...]
    total_points: int
    calls: tuple[Call, ...]
    sources: tuple[str, ...]
    verification: Verification

    def to_json(self) -> dict[str, Any]:
        """For the note and the screens."""
        return {
            "points": dict(self.points),
            "missing": list(self.missing),
            "total_points": self.total_points,
            "calls": [{"id": call.id, "title": call.title, "do": call.do} for call in self.calls],
            "sources": list(self.sources),
            "verification": self.verification.value,
        }


def early_warning(values: Mapping[str, float | None], rules: EarlyWarning | None = None) -> Warned:
    """The points of one set of values, and whether they call for a look.

    Parameters
    ----------
    values : mapping of str to float or None
        ``rr_per_min spo2_pct sbp_mmHg hr_per_min``; an absent or ``None`` value is missing, never 0 points.

    Examples
    --------
    >>> found = early_warning({"rr_per_min": 10, "spo2_pct": 93, "sbp_mmHg": 118, "hr_per_min": None})
    >>> found.total_points, found.missing, [call.id for call in found.calls]
    (3, ('hr_per_min',), ['two-changes'])
    """
    used = rules or bedside().early_warning
    points: dict[str, int] = {}
    missing: list[str] = []
    for key in dict.fromkeys(band.key for band in used.parts):
        value = values.get(key)
        if value is None:
            missing.append(key)
        else:
            whole = int(figure(value, ""))
            points[key] = next((band.points for band in used.parts if band.key == key and band.holds(whole)), 0)
    changed = [given for given in points.values() if given > 0]
    total = sum(changed)
    calls = tuple(call for call in used.calls if _called(call, changed, total))
    return Warned(
        points=points,
        missing=tuple(missing),
        total_points=total,
        calls=calls,
        sources=used.sources,
        verification=weakest([used.verification, *(call.verification for call in calls)]),
    )


def _called(call: Call, changed: list[int], total: int) -> bool:
    if call.single_points is not None:
        return any(given >= call.single_points for given in changed)
    return len(changed) >= (call.changes or 0) and total >= (call.total_points or 0)


@dataclass(frozen=True, slots=True)
class Beside:
    """A rise of the pressure beside the mean rises that were read.

    Attributes
    ----------
    sbp_rise_mmHg, dbp_rise_mmHg : float or None
        Over the value before the dose; ``None`` where that was not recorded.
    at_peak : bool
        Whether it was taken when most pressures peak.
    """

    sbp_rise_mmHg: float | None
    dbp_rise_mmHg: float | None
    at_peak: bool
    course: PressureCourse

    @property
    def words(self) -> str:
        """Both services side by side: they differ, and neither is this patient."""
        means = "; ".join(
            f"mean +{rise.sbp_mmHg:g}/+{rise.dbp_mmHg:g} at {rise.at_min:g} min" for rise in self.course.rises
        )
        if self.sbp_rise_mmHg is None or self.dbp_rise_mmHg is None:
            return f"rise not known: no pressure before the dose; elsewhere {means}"
        return f"{self.sbp_rise_mmHg:+g}/{self.dbp_rise_mmHg:+g} mmHg; elsewhere {means}"


def beside_course(
    minute_min: float, sbp_mmHg: float, dbp_mmHg: float, start_sbp_mmHg: float | None, start_dbp_mmHg: float | None
) -> Beside:
    """A pressure of one minute of the dose beside how pressures usually run (MON-9).

    Examples
    --------
    >>> beside_course(40, 150, 92, 128, 78).words
    '+22/+14 mmHg; elsewhere mean +16/+11 at 40 min; mean +3/+3 at 30 min'
    """
    course = bedside().course
    known = start_sbp_mmHg is not None and start_dbp_mmHg is not None
    return Beside(
        sbp_rise_mmHg=sbp_mmHg - start_sbp_mmHg if known and start_sbp_mmHg is not None else None,
        dbp_rise_mmHg=dbp_mmHg - start_dbp_mmHg if known and start_dbp_mmHg is not None else None,
        at_peak=course.peak_from_min <= minute_min <= course.peak_to_min,
        course=course,
    )
