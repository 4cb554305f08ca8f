"""What was seen of a patient in sessions: the highest cuff reading and the strongest dissociation of each earlier one,
and every reading of the session that a plan is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from limen.clinic.courses.models import Plan
from limen.clinic.sessions.models import Sample, Session
from limen.clinic.sessions.record import state_of
from limen.clinic.sites.zones import local
from limen.pharmacology.regimen import Dose
from limen.session.given import given_doses
from limen.session.state import SessionState

# The newest say most of the patient as he is; each further one costs a run of every model.
_MOST_SESSIONS = 3
_OVER = (Session.Status.ENDED, Session.Status.DISCHARGED)
# A cuff this long after the dose no longer tells of it.
_AFTER_S = 5400.0
# Outside these a cuff has no reading: zero, a bubble, a line being flushed.
_CUFF_MMHG = (40.0, 300.0)


@dataclass(frozen=True, slots=True)
class Earlier:
    """One thing seen, as ``limen individualise`` reads it, and as a reader is told."""

    observation: dict[str, Any]
    words: str
    of_this: bool = False

    def to_json(self) -> dict[str, Any]:
        """What a kept figure is known by."""
        return dict(self.observation)


def earlier_of(plan: Plan) -> tuple[Earlier, ...]:
    """What the patient's own sessions of this product showed, newest first; empty where none did."""
    sessions = (
        Session.objects.filter(
            site=plan.site, patient=plan.course.patient, course__product=plan.course.product, started_at__isnull=False
        )
        .select_related("course", "site", "plan")
        .order_by("-started_at")
    )
    now = [item for session in sessions.filter(plan=plan)[:1] for item in _of_this(session)]
    before = [
        item
        for session in sessions.filter(status__in=_OVER).exclude(plan=plan)[:_MOST_SESSIONS]
        for item in _of_earlier(session)
    ]
    return (*now, *before)


def seen_words(seen: Sequence[Earlier]) -> list[str]:
    """What was seen, as a caption tells it: readings of this session in one clause, earlier sessions one by one."""
    now = [item.words for item in seen if item.of_this]
    told = [f"in this session {', '.join(now)}"] if now else []
    return [*told, *(item.words for item in seen if not item.of_this)]


def _of_this(session: Session) -> Iterator[Earlier]:
    state = state_of(session)
    if state.dose_start_t_s is None:
        return
    start_s, baseline_mmHg = state.dose_start_t_s, _baseline(session)
    for t_s, seen_mmHg in _cuffs(session, start_s, None):
        if baseline_mmHg is not None:
            minute = (t_s - start_s) / 60.0
            entry = {"kind": "pressure", "t_min": minute, "sbp_mmHg": seen_mmHg, "baseline_sbp_mmHg": baseline_mmHg}
            yield Earlier(entry, f"systolic {seen_mmHg:g} at {minute:.0f} min", of_this=True)
    for t_s, score in _ratings(state, start_s):
        minute = (t_s - start_s) / 60.0
        yield Earlier(
            {"kind": "dissociation", "t_min": minute, "score": score},
            f"dissociation {score:g} at {minute:.0f} min",
            of_this=True,
        )


def _of_earlier(session: Session) -> Iterator[Earlier]:
    state = state_of(session)
    if state.dose_start_t_s is None or state.end_t_s is None:
        return
    start_s = state.dose_start_t_s
    doses = [_words(dose) for dose in given_doses(state)]
    if not doses:
        return
    day = local(session.started_at, session.site).strftime("%d %b %Y").lstrip("0") if session.started_at else "earlier"
    baseline_mmHg = _baseline(session)
    cuffs = _cuffs(session, start_s, state.end_t_s + _AFTER_S)
    if cuffs and baseline_mmHg is not None:
        highest_mmHg = max(seen_mmHg for _, seen_mmHg in cuffs)
        yield Earlier(
            {
                "kind": "earlier_peak",
                "dose": doses,
                "sbp_mmHg": highest_mmHg,
                "baseline_sbp_mmHg": baseline_mmHg,
            },
            f"systolic up to {highest_mmHg:g} from {baseline_mmHg:g} mmHg on {day}",
        )
    ratings = _ratings(state, start_s)
    if ratings:
        strongest = max(score for _, score in ratings)
        yield Earlier(
            {"kind": "earlier_peak", "dose": doses, "score": strongest},
            f"dissociation up to {strongest:g} of 4 on {day}",
        )


def _words(dose: Dose) -> str:
    """In the grammar of a dose."""
    over = f" over {dose.duration_min:.6g} min" if dose.duration_min > 0 else ""
    at = f" at {dose.start_min:.6g} min" if dose.start_min > 0 else ""
    return f"{dose.amount_mg:.6g} mg {dose.route}{over}{at}"


def _baseline(session: Session) -> float | None:
    found = (session.header.get("baseline") or {}).get("sbp_mmHg")
    return None if found is None else float(found)


def _cuffs(session: Session, from_s: float, until_s: float | None) -> list[tuple[float, float]]:
    low_mmHg, high_mmHg = _CUFF_MMHG
    rows = Sample.objects.filter(
        session=session, signal="NIBP_SYS", t_s__gte=from_s, value__gte=low_mmHg, value__lte=high_mmHg
    )
    if until_s is not None:
        rows = rows.filter(t_s__lte=until_s)
    return [(t_s, float(value)) for t_s, value in rows.order_by("t_s").values_list("t_s", "value") if value is not None]


def _ratings(state: SessionState, from_s: float) -> list[tuple[float, float]]:
    return [
        (item.t_s, float(item.dissociation))
        for item in state.observations
        if item.dissociation is not None and item.t_s >= from_s
    ]
