"""The monitoring form of nasal esketamine, filled from the events of one session; what is missing is named.

Nothing clinical is copied forward: a value comes from an event of this session, or from what the clinic wrote down for
this session (``recorded``), and says which. A question that no event answers is missing; it is never a no.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limen.care.adverse_events import judge
from limen.care.alarm_limits import Watch, span
from limen.care.alarm_state import Sample
from limen.care.discharge import readiness
from limen.knowledge.adverse_events import adverse_events
from limen.knowledge.naming import possible
from limen.knowledge.rems import FormField, MonitoringForm, monitoring_form
from limen.session.event_base import Recorded
from limen.session.events import DoseGiven, EmergencyStarted, EntryCorrected, Event, ObservationRecorded
from limen.session.harm import happened
from limen.session.harm_events import AdverseEventRecorded, RescueGiven
from limen.session.header import SessionHeader
from limen.session.readiness import discharge_facts, dose_route
from limen.session.state import SessionState, corrected, fold, in_order

_CLINICAL = {"DIS-1", "DIS-2", "DIS-3"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A value with the events it came from, or why there is none."""

    value: Any = None
    said: str = ""
    events: tuple[str, ...] = ()
    why: str = ""


def applies(header: SessionHeader, state: SessionState, form: MonitoringForm | None = None) -> bool:
    """Whether the form is owed for this session: by the product that was given."""
    product, _ = dose_route(header, state)
    return product in (form or monitoring_form()).products


def rems_form(
    header: SessionHeader,
    events: Sequence[Event],
    samples: Sequence[Sample],
    watch: Watch,
    recorded: Mapping[str, Any] | None = None,
    form: MonitoringForm | None = None,
) -> dict[str, Any]:
    """The form of one session.

    Parameters
    ----------
    events : sequence of Event
        As recorded, corrections included.
    recorded : mapping, optional
        Field to value: what the clinic wrote down for this session, and ``medicines``, the names asked on its day.

    Returns
    -------
    dict
        ``applies``, ``within_days``, ``groups`` of fields (value, words, events, why it is missing), ``missing`` and
        ``problems``.
    """
    used = form or monitoring_form()
    state = fold(header, events)
    filler = _Filler(header, state, _true(events), samples, watch, recorded or {}, used)
    answers: dict[str, Answer] = {}
    groups: list[dict[str, Any]] = []
    for group in used.groups:
        rows: list[dict[str, Any]] = []
        for entry in group.fields:
            if entry.when is not None and answers[entry.when].value is not True:
                answers[entry.id] = Answer(said="does not apply" if answers[entry.when].value is False else "")
                continue
            answers[entry.id] = filler.answer(entry)
            rows.append(_row(entry, answers[entry.id], used, filler.times))
        groups.append({"id": group.id, "title": group.title, "fields": rows})
    owed = applies(header, state, used)
    return {
        "form": used.id,
        "title": used.title,
        "applies": owed,
        "within_days": used.within_days if owed else None,
        "groups": groups,
        "missing": [
            f"{group['title']}: {row['title']}, {row['why']}"
            for group in groups
            for row in group["fields"]
            if row["value"] is None
        ]
        if owed
        else [],
        "problems": filler.problems() if owed else [],
        "sources": list(used.sources),
        "verification": used.verification.value,
    }


def _true(events: Sequence[Event]) -> tuple[Event, ...]:
    """What was true, in order of time, each known in its own second: nothing is left to correct or to wait for."""
    return tuple(
        event.model_copy(update={"received_t_s": None})
        for event in in_order(corrected(events))
        if not isinstance(event, EntryCorrected)
    )


def _row(entry: FormField, answer: Answer, form: MonitoringForm, times: Mapping[str, float]) -> dict[str, Any]:
    mark = entry.verification or form.verification
    return {
        "field": entry.id,
        "title": entry.title,
        "value": answer.value,
        "said": answer.said or _said(answer.value),
        "events": list(answer.events),
        "at_t_s": [times[name] for name in answer.events if name in times],
        "why": answer.why if answer.value is None else None,
        "verification": mark.value,
    }


def _said(value: Any) -> str:
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


class _Filler:
    """The answers of one session."""

    def __init__(
        self,
        header: SessionHeader,
        state: SessionState,
        events: Sequence[Event],
        samples: Sequence[Sample],
        watch: Watch,
        recorded: Mapping[str, Any],
        form: MonitoringForm,
    ) -> None:
        self.header, self.state, self.events = header, state, events
        self.samples, self.watch, self.recorded, self.form = samples, watch, recorded, form
        self.seen = [event for event in events if isinstance(event, ObservationRecorded)]
        self.harm = [event for event in events if isinstance(event, AdverseEventRecorded)]
        self.doses = [event for event in events if isinstance(event, DoseGiven)]
        self.facts = discharge_facts(header, state, samples, watch)
        self.times = {event.id: event.t_s for event in events if event.id is not None}
        self.times |= {_cuff(entry.t_s): entry.t_s for entry in self.facts.pressures}
        self.first_t_s = self.facts.first_device_t_s
        self.end_t_s = state.discharged_t_s if state.discharged_t_s is not None else state.ended_t_s

    def answer(self, entry: FormField) -> Answer:
        if entry.origin == "recorded":
            value = self.recorded.get(entry.id)
            return Answer(value, why="not written down for this session")
        if entry.origin == "medicines":
            return self._medicines(entry)
        origins: dict[str, Callable[[], Answer]] = {
            "sex": self._sex,
            "dose": self._dose,
            "total": self._total,
            "ready": self._ready,
            "acceptable-before": lambda: self._acceptable(before=True),
            "acceptable-after": lambda: self._acceptable(before=False),
            "pressure-before": self._pressure_before,
            "pressure-40": self._pressure_about_40,
            "pressure-after": self._pressure_after,
            "sedation": lambda: self._state("sedation"),
            "sedation-times": lambda: self._times("sedation"),
            "dissociation": lambda: self._state("dissociation"),
            "dissociation-times": lambda: self._times("dissociation"),
            "respiratory-depression": lambda: self._state("respiratory-depression"),
            "respiratory-depression-times": lambda: self._times("respiratory-depression"),
            "serious-event": self._serious,
            "serious-event-detail": self._serious_detail,
        }
        return origins[entry.origin]()

    def problems(self) -> list[str]:
        """What does not fit the programme's rules."""
        total = self._total().value
        found = []
        if total is not None and total < self.form.least_min:
            found.append(f"{total:g} min from the first device to the end, {self.form.least_min:g} are required")
        if self.recorded.get("enrolled") is False:
            found.append("not enrolled: the programme asks for enrolment before treatment")
        return found

    def _sex(self) -> Answer:
        sex = (self.header.patient or {}).get("sex")
        return Answer(sex, why="not on the session's header")

    def _medicines(self, entry: FormField) -> Answer:
        names = self.recorded.get("medicines")
        if names is None:
            return Answer(why="medicines were not asked on the day of the session")
        found = [name for name in names if _is_of(str(name), entry)]
        return Answer(bool(found), said=f"yes: {', '.join(found)}" if found else "no")

    def _dose(self) -> Answer:
        nasal = [dose for dose in self.doses if dose.route in {"in", "nasal"}]
        if not nasal:
            return Answer(why="no nasal dose is on record")
        total = sum(dose.dose_mg for dose in nasal)
        return Answer(total, f"{total:g} mg", _ids(nasal))

    def _total(self) -> Answer:
        if self.first_t_s is None:
            return Answer(why="the first device is not recorded")
        if self.end_t_s is None:
            return Answer(why="the session is not over")
        last = [event for event in self.events if event.kind in {"discharged", "session.ended"}]
        # Rounded down: two seconds short of two hours are not two hours.
        return Answer(math.floor((self.end_t_s - self.first_t_s) / 6 + 1e-9) / 10, events=_ids(last[:1]))

    def _ready(self) -> Answer:
        """The first observation at which everything but the time and the way home was met."""
        if self.first_t_s is None:
            return Answer(why="the first device is not recorded")
        for seen in self.seen:
            if seen.t_s < self.first_t_s:
                continue
            state = fold(self.header, self.events, at_t_s=seen.t_s)
            facts = discharge_facts(self.header, state, self.samples, self.watch)
            if not any(entry.rule in _CLINICAL for entry in readiness(facts).unmet):
                return Answer(round((seen.t_s - self.first_t_s) / 60, 1), events=_ids([seen]))
        return Answer(why="at no observation was everything but the time met")

    def _acceptable(self, *, before: bool) -> Answer:
        said = [seen for seen in self.seen if seen.vitals_acceptable is not None]
        if self.first_t_s is not None:
            said = [seen for seen in said if (seen.t_s <= self.first_t_s) == before]
        if not said or self.first_t_s is None:
            when = "before the first device" if before else "after it"
            return Answer(why=f"nobody judged the vital signs {when}")
        return Answer(said[-1].vitals_acceptable, events=_ids([said[-1]]))

    def _pressure_before(self) -> Answer:
        readings = [entry for entry in self.facts.pressures if self.first_t_s is None or entry.t_s <= self.first_t_s]
        if readings:
            return self._pressure(readings[-1])
        start = self.header.baseline_values()
        if start["sbp_mmHg"] is not None and start["dbp_mmHg"] is not None:
            return Answer(f"{start['sbp_mmHg']:g}/{start['dbp_mmHg']:g}", events=("baseline",))
        return Answer(why="no pressure before the first device")

    def _pressure_about_40(self) -> Answer:
        if self.first_t_s is None:
            return Answer(why="the first device is not recorded")
        middle_t_s = self.first_t_s + 2400
        near = [entry for entry in self.facts.pressures if self._about_40(entry.t_s)]
        if not near:
            return Answer(why=f"no pressure within {self.form.about_min:g} min of 40 min")
        return self._pressure(min(near, key=lambda entry: abs(entry.t_s - middle_t_s)))

    def _pressure_after(self) -> Answer:
        end = self.facts.dose_end_t_s
        later = [entry for entry in self.facts.pressures if end is not None and entry.t_s > end]
        later = [entry for entry in later if self.end_t_s is None or entry.t_s <= self.end_t_s]
        if not later or self.end_t_s is None:
            return Answer(why="the session is not over" if self.end_t_s is None else "no pressure after the dose")
        return self._pressure(later[-1])

    def _pressure(self, entry: Any) -> Answer:
        written = [seen for seen in self.seen if seen.t_s == entry.t_s and seen.sbp_mmHg is not None]
        value = f"{entry.sbp_mmHg:g}/{entry.dbp_mmHg:g}"
        at = span(abs(entry.t_s - (self.first_t_s or 0.0)))
        side = "before" if self.first_t_s is not None and entry.t_s < self.first_t_s else "after"
        said = f"{value} mmHg" if self.first_t_s is None else f"{value} mmHg, {at} {side} the first device"
        return Answer(value, said, _ids(written) or (_cuff(entry.t_s),))

    def _graded(self, what: str) -> list[tuple[ObservationRecorded, bool]]:
        """Each observation after the first device that tells of it, with whether it was there."""
        after = [seen for seen in self.seen if self.first_t_s is None or seen.t_s >= self.first_t_s]
        if what == "sedation":
            return [(seen, seen.moaas < 5) for seen in after if seen.moaas is not None]
        if what == "dissociation":
            return [(seen, seen.dissociation > 0) for seen in after if seen.dissociation is not None]
        return [(seen, seen.respiratory_depression) for seen in after if seen.respiratory_depression is not None]

    def _named(self, what: str) -> list[AdverseEventRecorded]:
        book = adverse_events()
        return [event for event in self.harm if book.event(_code(event)).rems == what or _code(event) == what]

    def _state(self, what: str) -> Answer:
        graded, named = self._graded(what), self._named(what)
        there = [seen for seen, yes in graded if yes]
        if there or named:
            return Answer(True, events=_ids([*there[:1], *named]))
        if not graded:
            return Answer(why="not asked after the dose")
        if self.end_t_s is None:
            return Answer(why="the session is not over")
        if what != "respiratory-depression" and not any(self._about_40(seen.t_s) for seen, _ in graded):
            # Nothing at the end says nothing of the hour in which it is most.
            return Answer(why=f"not asked within {self.form.about_min:g} min of 40 min, when it is most")
        return Answer(False, events=_ids([seen for seen, _ in graded]))

    def _about_40(self, t_s: float) -> bool:
        return self.first_t_s is not None and abs(t_s - self.first_t_s - 2400) <= self.form.about_min * 60

    def _times(self, what: str) -> Answer:
        graded, named = self._graded(what), self._named(what)
        first = next((seen for seen, yes in graded if yes), None)
        onsets = [event.onset_t_s for event in named if event.onset_t_s is not None]
        onset_t_s = min([*onsets, *([first.t_s] if first is not None else [])], default=None)
        if onset_t_s is None:
            return Answer(why="onset not recorded")
        last = max((seen.t_s for seen, yes in graded if yes), default=onset_t_s)
        gone = None
        if first is not None:
            gone = next((seen for seen, yes in graded if not yes and seen.t_s > last), None)
        ends = [event.resolved_t_s for event in named if event.resolved_t_s is not None]
        ended_t_s = max([*ends, *([gone.t_s] if gone is not None else [])], default=None)
        start = self.first_t_s or 0.0
        said = f"from {span(max(0.0, onset_t_s - start))}"
        begun = _ids([*([first] if first else []), *named])
        if ended_t_s is None or len(ends) < len(named):
            return Answer(None, said, begun, "its end is not recorded")
        if ended_t_s < last:
            over, again = (span(max(0.0, t_s - start)) for t_s in (ended_t_s, last))
            return Answer(None, said, begun, f"said to be over at {over}, but seen again at {again}")
        entries = [*([first] if first else []), *([gone] if gone else []), *named]
        return Answer(f"{said} to {span(max(0.0, ended_t_s - start))}", events=_ids(entries))

    def _serious(self) -> Answer:
        judged = [(event, judge(happened(event))) for event in self.harm]
        serious = [event for event, found in judged if found.serious is True]
        if serious:
            return Answer(True, events=_ids(serious))
        if any(found.serious is None for _, found in judged):
            return Answer(why="whether an event was serious was not asked")
        if self.end_t_s is None:
            return Answer(why="the session is not over")
        for event in self.events:
            if isinstance(event, EmergencyStarted | RescueGiven) and not self._told_of(event.t_s):
                what = "an emergency was started" if isinstance(event, EmergencyStarted) else "a rescue was given"
                return Answer(why=f"{what}, and no adverse event says whether it was serious", events=_ids([event]))
        return Answer(False, said="no: none is on record", events=_ids(self.harm))

    def _told_of(self, t_s: float) -> bool:
        """Whether an adverse event stood at that second, or was written down from then on."""
        return any(event.t_s >= t_s or event.resolved_t_s is None or event.resolved_t_s >= t_s for event in self.harm)

    def _serious_detail(self) -> Answer:
        said: list[str] = []
        lacking: list[str] = []
        named: list[AdverseEventRecorded] = []
        for event in self.harm:
            found = judge(happened(event))
            if found.serious is not True:
                continue
            named.append(event)
            words = [found.title, *found.criteria, event.text or "", event.action or "", event.outcome or ""]
            said.append(", ".join(word for word in words if word))
            lacking += [f"{found.title}: {name}" for name in found.missing]
        if lacking:
            return Answer(None, "; ".join(said), _ids(named), ", ".join(lacking))
        return Answer("; ".join(said), events=_ids(named))


def _cuff(t_s: float) -> str:
    """How a reading of the cuff is named as a source."""
    return f"cuff at {t_s:g} s"


def _code(event: AdverseEventRecorded) -> str:
    return judge(happened(event)).code


def _ids(events: Sequence[Recorded]) -> tuple[str, ...]:
    return tuple(event.id for event in events if event.id is not None)


def _is_of(name: str, entry: FormField) -> bool:
    for agent in possible(name):
        terms = {agent.id, *agent.classes}
        if terms & set(entry.takes) and not terms & set(entry.but):
            return True
    return False
