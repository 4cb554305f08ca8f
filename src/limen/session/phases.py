"""The phases of a session by its plan and by what was given: a pump that runs, a wait between two devices, recovery.

A dose given at once has no length: it is a mark on the way, and what follows it is the next wait or recovery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from limen.session.state import SessionState

Status = Literal["done", "now", "coming"]

# A dose of the plan that is not given so long after its time is no longer waited for (a rule of this project): who
# withholds the second device must not be reminded of it for hours. It can still be given.
WAITED_FOR_S = 900.0

_WORDS = {
    "planned": "Not started",
    "started": "Before the dose",
    "running": "Infusion",
    "paused": "Paused",
    "stopped": "Stopped",
    "recovery": "Recovery",
    "discharged": "Discharged",
    "ended": "Ended",
}
_UNDER_THE_TONGUE = {"sl", "buccal"}


@dataclass(frozen=True, slots=True)
class Stay:
    """How long the patient stays at least, and from which second it counts."""

    stay_min: float
    from_first: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of the session.

    Attributes
    ----------
    planned_min : float or None
        How long it is to last, as far as it is known; ``None`` where no rule says.
    from_t_s : float or None
        When it began; ``None`` while it is to come.
    """

    kind: Literal["infusion", "wait", "recovery"]
    label: str
    planned_min: float | None
    from_t_s: float | None
    status: Status


@dataclass(frozen=True, slots=True)
class Mark:
    """A dose given at once: a device, an injection, a tablet. ``due_t_s`` is known once the dose before it was given.

    Attributes
    ----------
    before : int
        How many phases lie before it.
    """

    label: str
    before: int
    due_t_s: float | None
    given_t_s: float | None


@dataclass(frozen=True, slots=True)
class Phases:
    """The way of one session and where it stands.

    Attributes
    ----------
    words : str
        Where it stands, for a screen.
    next_dose : Mark or None
        A dose of the plan that is waited for now.
    """

    words: str
    phases: tuple[Phase, ...]
    marks: tuple[Mark, ...]
    next_dose: Mark | None

    @property
    def now(self) -> Phase | None:
        """The phase that runs, if one does."""
        return next((phase for phase in self.phases if phase.status == "now"), None)

    def to_json(self) -> dict[str, Any]:
        """As a page draws it."""
        now = self.now
        return {
            "words": self.words,
            "from_t_s": None if now is None else now.from_t_s,
            "planned_s": None if now is None or now.planned_min is None else 60.0 * now.planned_min,
            "phases": [
                {"kind": one.kind, "label": one.label, "planned_min": one.planned_min, "status": one.status}
                for one in self.phases
            ],
            "marks": [
                {"label": one.label, "before": one.before, "due_t_s": one.due_t_s, "given_t_s": one.given_t_s}
                for one in self.marks
            ],
        }


def phases_of(steps: Sequence[Mapping[str, Any]], route: str | None, state: SessionState, stay: Stay | None) -> Phases:
    """The phases of a session as it stands at ``state.at_t_s``.

    Parameters
    ----------
    steps : sequence of mapping
        ``dose.steps`` of the signed plan: ``kind``, ``at_min``, ``duration_min``.
    route : str or None
        Of the plan; it names an injection.
    stay : Stay or None
        The minimum stay that the rules of discharge ask for.

    Examples
    --------
    >>> from limen.session.events import parse_events
    >>> from limen.session.header import SessionHeader
    >>> from limen.session.state import fold
    >>> devices = [{"kind": "device", "at_min": 5.0 * number, "duration_min": 0.0} for number in range(2)]
    >>> events = parse_events([{"t_s": 0, "kind": "session.started"},
    ...     {"t_s": 60, "kind": "dose.given", "dose_mg": 28, "route": "in"}])
    >>> way = phases_of(devices, "in", fold(SessionHeader(), events, at_t_s=100), Stay(120, from_first=True))
    >>> way.words, way.next_dose.label, way.next_dose.due_t_s
    ('Device 1 of 2 given', 'Device 2 of 2', 360.0)
    >>> [(one.kind, one.planned_min, one.status) for one in way.phases]
    [('wait', 5.0, 'now'), ('recovery', 115.0, 'coming')]
    """
    at_once = sorted((step for step in steps if step["kind"] != "infusion"), key=lambda step: float(step["at_min"]))
    pumped = [step for step in steps if step["kind"] == "infusion"] or (
        [{"kind": "infusion", "at_min": 0.0, "duration_min": None}] if state.infusions else []
    )
    marks = _marks(at_once, route, state, pumped=bool(pumped))
    over = state.phase in ("discharged", "ended")
    waited = next((mark for mark in marks if mark.given_t_s is None), None)
    late = waited is not None and waited.due_t_s is not None and state.at_t_s > waited.due_t_s + WAITED_FOR_S
    next_dose = waited if waited is not None and waited.due_t_s is not None and not (late or over) else None
    ways = [_infusion(pumped, state)] if pumped else _waits(at_once, marks, state, waits=next_dose is not None)
    waiting = any(phase.status == "now" for phase in ways)
    unpumped = bool(pumped) and not state.infusions and state.dose_start_t_s is not None
    recovery = _recovery(state, stay, ways, begun=not waiting and not unpumped and not over)
    return Phases(_words(state, marks, unpumped, waiting), (*ways, recovery), marks, next_dose)


def _marks(
    at_once: Sequence[Mapping[str, Any]], route: str | None, state: SessionState, *, pumped: bool
) -> tuple[Mark, ...]:
    given = [dose.t_s for dose in state.doses]
    count = max(len(at_once), len(given))
    found: list[Mark] = []
    for number in range(count):
        step = at_once[number] if number < len(at_once) else None
        due_t_s = None
        if step is not None and 0 < number <= len(given):
            gap_min = float(step["at_min"]) - float(at_once[number - 1]["at_min"])
            due_t_s = given[number - 1] + 60.0 * gap_min
        label = _label(step["kind"] if step is not None else "bolus", route, number + 1, count)
        at = given[number] if number < len(given) else None
        found.append(Mark(label, 0 if pumped else min(number, max(0, len(at_once) - 1)), due_t_s, at))
    return tuple(found)


def _label(kind: str, route: str | None, number: int, count: int) -> str:
    name = {"device": "Device", "oral": "Dose by mouth"}.get(kind, "Injection" if route in ("im", "sc") else "Dose")
    if kind == "oral" and route in _UNDER_THE_TONGUE:
        name = "Dose under the tongue"
    return f"{name} {number} of {count}" if count > 1 else name


def _infusion(pumped: Sequence[Mapping[str, Any]], state: SessionState) -> Phase:
    known = [step for step in pumped if step["duration_min"] is not None]
    planned_min = max((float(step["at_min"]) + float(step["duration_min"]) for step in known), default=None)
    if not state.infusions:
        return Phase("infusion", "Infusion", planned_min, None, "coming")
    start = state.infusions[0].start_t_s
    end = state.infusions[-1].end_t_s
    if end is None:
        end = state.infusions[-1].expected_end_t_s(state.at_t_s)
    if end is not None:
        planned_min = (end - start) / 60.0
    status: Status = "now" if state.phase in ("running", "paused") else "done"
    return Phase("infusion", "Infusion", planned_min, start, status)


def _waits(
    at_once: Sequence[Mapping[str, Any]], marks: Sequence[Mark], state: SessionState, *, waits: bool
) -> list[Phase]:
    """The waits between doses at once, each from the dose that was given to the next."""
    found: list[Phase] = []
    for number in range(1, len(at_once)):
        before, mark = marks[number - 1].given_t_s, marks[number].given_t_s
        gap_min = float(at_once[number]["at_min"]) - float(at_once[number - 1]["at_min"])
        status: Status = "coming"
        if before is not None and mark is None:
            status = "now" if waits else "done"
        elif before is not None and mark is not None:
            status, gap_min = "done", (mark - before) / 60.0
        elif state.phase in ("discharged", "ended"):
            status = "done"
        found.append(Phase("wait", f"Before {marks[number].label.lower()}", gap_min, before, status))
    return found


def _recovery(state: SessionState, stay: Stay | None, ways: Sequence[Phase], *, begun: bool) -> Phase:
    begin = state.end_t_s if begun else None
    planned_min = None if stay is None else stay.stay_min
    if stay is not None and stay.from_first:
        # counted from the first dose: what the waits took is gone already
        took_min = sum(way.planned_min or 0.0 for way in ways)
        if begin is not None and state.dose_start_t_s is not None:
            took_min = (begin - state.dose_start_t_s) / 60.0
        planned_min = max(0.0, stay.stay_min - took_min)
    over = state.phase in ("discharged", "ended")
    status: Status = "done" if over else "now" if begin is not None else "coming"
    return Phase("recovery", "Recovery", planned_min, begin, status)


def _words(state: SessionState, marks: Sequence[Mark], unpumped: bool, waiting: bool) -> str:
    if state.phase != "recovery":
        return _WORDS[state.phase]
    given = [mark for mark in marks if mark.given_t_s is not None]
    if unpumped and given:
        return f"{given[-1].label} given, pump not started"
    if waiting and not state.infusions:
        return f"{given[-1].label} given"
    if len(given) < len(marks) and not state.infusions:
        return f"Recovery, {len(given)} of {len(marks)} given"
    return _WORDS["recovery"]
