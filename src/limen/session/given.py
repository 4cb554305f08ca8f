"""What went into the patient, as doses that a model takes."""

from __future__ import annotations

from limen.pharmacology.regimen import Dose
from limen.session.state import SessionState


def given_doses(state: SessionState) -> tuple[Dose, ...]:
    """What was given, and what the pump will give if nobody touches it; minutes from the first of it.

    Examples
    --------
    >>> from limen.session.events import parse_events
    >>> from limen.session.header import SessionHeader
    >>> from limen.session.state import fold
    >>> events = parse_events([{"t_s": 0, "kind": "session.started"},
    ...     {"t_s": 60, "kind": "infusion.started", "dose_mg": 40, "duration_min": 40},
    ...     {"t_s": 660, "kind": "infusion.paused"}, {"t_s": 960, "kind": "infusion.resumed"}])
    >>> state = fold(SessionHeader(), events, at_t_s=1000)
    >>> [(dose.amount_mg, dose.start_min, dose.duration_min) for dose in given_doses(state)]
    [(10.0, 0.0, 10.0), (30.0, 15.0, 30.0)]
    """
    begin_s = state.dose_start_t_s
    if begin_s is None:
        return ()
    parts: list[Dose] = []
    for run in state.infusions:
        left = run.dose_mg
        for segment in run.segments:
            if segment.rate_mg_per_h <= 0.0:
                continue
            full_s = left / segment.rate_mg_per_h * 3600.0
            end_s = segment.end_t_s if segment.end_t_s is not None else segment.start_t_s + full_s
            amount = min(left, segment.rate_mg_per_h * (end_s - segment.start_t_s) / 3600.0)
            if amount > 0.0:
                minutes = amount / segment.rate_mg_per_h * 60.0
                parts.append(Dose(amount, run.route, (segment.start_t_s - begin_s) / 60.0, minutes))
                left -= amount
    parts += [Dose(dose.dose_mg, dose.route, (dose.t_s - begin_s) / 60.0, 0.0) for dose in state.doses]
    return tuple(sorted(parts, key=lambda dose: dose.start_min))
