"""May this patient leave? DIS-1 to DIS-6, each with what is not met; a missing input is not met, and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from limen.care.alarm_limits import span
from limen.evidence import Verification
from limen.evidence.marks import weakest
from limen.knowledge.discharge import Criterion, DischargeRules, MinimumTime, discharge


@dataclass(frozen=True, slots=True)
class Seen:
    """A value and when it was recorded."""

    t_s: float
    value: Any


@dataclass(frozen=True, slots=True)
class Pressure:
    """One reading of the pressure."""

    t_s: float
    sbp_mmHg: float
    dbp_mmHg: float


@dataclass(frozen=True, slots=True)
class DischargeFacts:
    """What is known when someone asks.

    Attributes
    ----------
    at_t_s : float
        The second of the question.
    dose_end_t_s : float or None
        When the last of the dose went in; ``None`` where none was given or it still runs.
    first_device_t_s : float or None
        When the first nasal device was used.
    seen : mapping of str to Seen
        Newest entry of ``aldrete moaas oriented walks_unaided distress dissociation spo2_pct sbp_mmHg dbp_mmHg escort
        instructions_given emergency_number_given safety_plan_given next_cssrs_on``.
    pressures : sequence of Pressure
        Readings in order of time.
    """

    at_t_s: float
    product: str | None = None
    route: str | None = None
    running: bool = False
    dose_end_t_s: float | None = None
    first_device_t_s: float | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)
    pressures: Sequence[Pressure] = ()
    baseline_sbp_mmHg: float | None = None
    baseline_dbp_mmHg: float | None = None
    baseline_spo2_pct: float | None = None
    session_number: int | None = None


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing that stands against leaving."""

    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer, with all that stands against it.

    Attributes
    ----------
    verification : Verification
        The weakest mark of the criteria used.
    earliest_t_s, earliest_because : float, str or None
        When the minimum time is over, and why then; ``None`` where it cannot be told.
    afterwards : tuple of mapping
        What is due once the patient has left: rule and text.
    not_recorded : tuple of Unmet
        What a criterion names beside, and nobody has written down; it does not hold the patient back.
    criteria : tuple of Criterion
        The criteria judged, with their support.
    """

    t_s: float
    ready: bool
    unmet: tuple[Unmet, ...]
    met: tuple[str, ...]
    verification: Verification
    earliest_t_s: float | None
    earliest_because: str | None
    afterwards: tuple[dict[str, str], ...]
    not_recorded: tuple[Unmet, ...] = ()
    criteria: tuple[Criterion, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's keys and ours."""
        return {
            "t_s": self.t_s,
            "ready": self.ready,
            "unmet": [self._explained(entry) for entry in self.unmet],
            "met": list(self.met),
            "verification": self.verification.value,
            "earliest_t_s": self.earliest_t_s,
            "earliest_because": self.earliest_because,
            "afterwards": list(self.afterwards),
            "not_recorded": [self._explained(entry) for entry in self.not_recorded],
        }

    def _explained(self, entry: Unmet) -> dict[str, Any]:
        """One reason with the criterion behind it and its support."""
        told: dict[str, Any] = {"rule": entry.rule, "because": entry.because}
        behind = next((item for item in self.criteria if item.id == entry.rule), None)
        if behind is not None:
            told |= {
                "title": behind.title,
                "sources": list(behind.sources),
                "verification": behind.verification.value,
            }
        return told


def readiness(facts: DischargeFacts, rules: DischargeRules | None = None) -> Readiness:
    """Judge every criterion.

    Parameters
    ----------
    facts : DischargeFacts
        What is known, with the second each value was recorded.
    rules : DischargeRules, optional
        The installed criteria where not given.

    Returns
    -------
    Readiness
        Ready only where nothing is unmet. An observation from before the end of the dose, or an old one, is missing.

    Notes
    -----
    Sources are those of the criteria (``limen.knowledge.discharge``); it advises, a licensed person decides.

    Examples
    --------
    >>> answer = readiness(DischargeFacts(at_t_s=7200, route="iv", dose_end_t_s=2460))
    >>> answer.ready, answer.unmet[0]
    (False, Unmet(rule='DIS-1', because='modified Aldrete score not recorded'))
    """
    used = rules or discharge()
    judge = _Judge(facts, used)
    unmet = [*judge.aldrete(), *judge.awake(), *judge.back(), *judge.escort(), *judge.time(), *judge.leaving()]
    against = {entry.rule for entry in unmet}
    judged = [criterion for criterion in used.criteria if criterion.id != "DIS-7"]
    marks = [criterion.verification for criterion in judged]
    minimum = used.time_for(facts.product, facts.route)
    if minimum is not None:
        marks.append(minimum.verification)
    earliest_t_s, earliest_because = judge.earliest()
    return Readiness(
        t_s=facts.at_t_s,
        ready=not unmet,
        unmet=tuple(unmet),
        met=tuple(criterion.id for criterion in judged if criterion.id not in against),
        verification=weakest(marks),
        earliest_t_s=earliest_t_s,
        earliest_because=earliest_because,
        afterwards=judge.afterwards(),
        not_recorded=judge.not_recorded(),
        criteria=tuple(judged),
    )


def minimum_stay(minimum: MinimumTime, escort: bool | None) -> tuple[float, str]:
    """The minutes that a patient stays, and for whom they are: the longer ones until an escort is recorded.

    Examples
    --------
    >>> minimum_stay(discharge().time_for("racemic", "iv"), None)
    (120.0, 'while no escort is recorded')
    """
    if escort or minimum.alone_min is None:
        return minimum.with_escort_min, "with an escort"
    return minimum.alone_min, "without an escort" if escort is not None else "while no escort is recorded"


def _since(minimum: MinimumTime) -> str:
    return "the first device" if minimum.counts_from == "first-device" else "the end of the dose"


class _Judge:
    def __init__(self, facts: DischargeFacts, rules: DischargeRules) -> None:
        self.facts = facts
        self.rules = rules

    def _fresh(self, t_s: float) -> str | None:
        """Why a value of that second does not count, if it does not."""
        end = self.facts.dose_end_t_s
        if end is not None and t_s < end:
            return "only recorded before the end of the dose"
        age_s = self.facts.at_t_s - t_s
        if age_s > self.rules.fresh_min * 60:
            return f"last recorded {span(age_s)} ago, more than {self.rules.fresh_min:g} min"
        return None

    def _value(self, key: str, name: str, rule: str) -> tuple[Any, list[Unmet]]:
        """A fresh value, or what is missing."""
        seen = self.facts.seen.get(key)
        if seen is None:
            return None, [Unmet(rule, f"{name} not recorded")]
        old = self._fresh(seen.t_s)
        return (None, [Unmet(rule, f"{name} {old}")]) if old else (seen.value, [])

    def aldrete(self) -> list[Unmet]:
        score, missing = self._value("aldrete", "modified Aldrete score", "DIS-1")
        if missing or score >= self.rules.aldrete_min:
            return missing
        return [Unmet("DIS-1", f"modified Aldrete score {score}, {self.rules.aldrete_min} or over is needed")]

    def awake(self) -> list[Unmet]:
        found: list[Unmet] = []
        score, missing = self._value("moaas", "MOAA/S", "DIS-2")
        found += missing
        if not missing and score < self.rules.moaas_min:
            found.append(Unmet("DIS-2", f"MOAA/S {score}, {self.rules.moaas_min} is needed"))
        for key, name, against in (
            ("oriented", "orientation", "not oriented"),
            ("walks_unaided", "walking", "does not walk unaided"),
        ):
            yes, missing = self._value(key, name, "DIS-2")
            found += missing
            if not missing and not yes:
                found.append(Unmet("DIS-2", against))
        grade, missing = self._value("distress", "distress", "DIS-2")
        found += missing
        if not missing and grade > self.rules.distress_max:
            found.append(Unmet("DIS-2", "distress or distressing dissociation"))
        elif not missing and self._distressing_since(self.facts.seen["distress"].t_s):
            found.append(Unmet("DIS-2", "distressing dissociation was seen since distress was last asked"))
        return found

    def _distressing_since(self, asked_t_s: float) -> bool:
        """Whether dissociation was scored as distressing with the newest answer on distress, or after it."""
        seen = self.facts.seen.get("dissociation")
        return seen is not None and seen.t_s >= asked_t_s and seen.value > self.rules.dissociation_max

    def back(self) -> list[Unmet]:
        facts, rules = self.facts, self.rules
        found: list[Unmet] = []
        last = facts.pressures[-1] if facts.pressures else None
        old = self._fresh(last.t_s) if last is not None else None
        if last is None:
            found.append(Unmet("DIS-3", "pressure not recorded"))
        elif old is not None:
            found.append(Unmet("DIS-3", f"pressure {old}"))
        else:
            found += self._pressure(last)
        spo2, missing = self._value("spo2_pct", "SpO2", "DIS-3")
        found += missing
        if not missing:
            if facts.baseline_spo2_pct is None:
                found.append(Unmet("DIS-3", "SpO2 before the dose not recorded"))
            elif spo2 < facts.baseline_spo2_pct - rules.spo2_below_start_max_pct:
                found.append(
                    Unmet(
                        "DIS-3",
                        f"SpO2 {spo2:g} %, more than {rules.spo2_below_start_max_pct:g} under the start "
                        f"{facts.baseline_spo2_pct:g} %",
                    )
                )
        return found

    def _pressure(self, last: Pressure) -> list[Unmet]:
        facts, rules = self.facts, self.rules
        factor = (100 + rules.rise_max_pct) / 100
        most_sbp = max(rules.sbp_max_mmHg, (facts.baseline_sbp_mmHg or 0.0) * factor)
        most_dbp = max(rules.dbp_max_mmHg, (facts.baseline_dbp_mmHg or 0.0) * factor)
        found: list[Unmet] = []
        if last.sbp_mmHg > most_sbp or last.dbp_mmHg > most_dbp:
            found.append(
                Unmet(
                    "DIS-3",
                    f"pressure {last.sbp_mmHg:g}/{last.dbp_mmHg:g} mmHg, {most_sbp:g}/{most_dbp:g} or under is needed",
                )
            )
        # One number alone, newer than the last whole pressure: a palpated systolic, a cuff that lost the diastolic.
        later = [
            (name, seen.value, most, was)
            for key, name, most, was in (
                ("sbp_mmHg", "systolic", most_sbp, last.sbp_mmHg),
                ("dbp_mmHg", "diastolic", most_dbp, last.dbp_mmHg),
            )
            if (seen := facts.seen.get(key)) is not None and seen.t_s > last.t_s
        ]
        for name, value, most, _ in later:
            if value > most:
                found.append(Unmet("DIS-3", f"{name} {value:g} mmHg, {most:g} or under is needed"))
        if facts.product in rules.falling_products:
            after = [entry for entry in facts.pressures if self._after_dose(entry)]
            if len(after) < 2:
                found.append(Unmet("DIS-3", "pressure falling: a second reading after the dose is not recorded"))
            elif (
                after[-1].sbp_mmHg > after[-2].sbp_mmHg
                or after[-1].dbp_mmHg > after[-2].dbp_mmHg
                or any(value > was for _, value, _, was in later)
            ):
                found.append(Unmet("DIS-3", "pressure is not falling"))
        return found

    def _after_dose(self, entry: Pressure) -> bool:
        end = self.facts.dose_end_t_s
        return end is None or entry.t_s >= end

    def escort(self) -> list[Unmet]:
        seen = self.facts.seen.get("escort")
        if seen is None:
            return [Unmet("DIS-4", "escort not recorded")]
        if seen.value:
            return []
        minimum = self.rules.time_for(self.facts.product, self.facts.route)
        start = self._counted_from()
        if minimum is None or minimum.alone_min is None:
            return [Unmet("DIS-4", "no escort by a responsible adult")]
        # Where the rule allows it, the longer stay of DIS-5 stands in for the escort; never driving away.
        if start is None or self.facts.at_t_s - start < minimum.alone_min * 60:
            return [Unmet("DIS-4", f"no escort by a responsible adult, and not {minimum.alone_min:g} min yet")]
        return []

    def time(self) -> list[Unmet]:
        facts = self.facts
        minimum = self.rules.time_for(facts.product, facts.route)
        if facts.running:
            return [Unmet("DIS-5", "the infusion is not over")]
        if minimum is None:
            return [Unmet("DIS-5", "route of the dose not recorded")]
        start = self._counted_from()
        if start is None:
            what = "first device" if minimum.counts_from == "first-device" else "end of the dose"
            return [Unmet("DIS-5", f"{what} not recorded")]
        seen = facts.seen.get("escort")
        needed_min, who = minimum_stay(minimum, None if seen is None else bool(seen.value))
        passed_min = (facts.at_t_s - start) / 60
        if passed_min >= needed_min:
            return []
        since = _since(minimum)
        return [Unmet("DIS-5", f"{span(passed_min * 60)} since {since}, {needed_min:g} min {who} are needed")]

    def _counted_from(self) -> float | None:
        minimum = self.rules.time_for(self.facts.product, self.facts.route)
        if minimum is None:
            return None
        return self.facts.first_device_t_s if minimum.counts_from == "first-device" else self.facts.dose_end_t_s

    def earliest(self) -> tuple[float | None, str | None]:
        minimum = self.rules.time_for(self.facts.product, self.facts.route)
        start = self._counted_from()
        if minimum is None or start is None or self.facts.running:
            return None, None
        seen = self.facts.seen.get("escort")
        needed_min, who = minimum_stay(minimum, None if seen is None else bool(seen.value))
        return start + needed_min * 60, f"{needed_min:g} min after {_since(minimum)} {who}"

    def leaving(self) -> list[Unmet]:
        found: list[Unmet] = []
        given = self.facts.seen.get("instructions_given")
        if given is None:
            found.append(Unmet("DIS-6", "written instructions not recorded"))
        elif not given.value:
            found.append(Unmet("DIS-6", "written instructions not given"))
        for key, name in (("emergency_number_given", "emergency number"), ("safety_plan_given", "safety plan")):
            seen = self.facts.seen.get(key)
            if seen is not None and not seen.value:
                found.append(Unmet("DIS-6", f"{name} not given"))
        return found

    def not_recorded(self) -> tuple[Unmet, ...]:
        """Parts of DIS-6 that nobody has written down either way."""
        asked = (
            ("emergency_number_given", "emergency number"),
            ("safety_plan_given", "safety plan"),
            ("next_cssrs_on", "day of the next C-SSRS"),
        )
        return tuple(Unmet("DIS-6", f"{name} not recorded") for key, name in asked if key not in self.facts.seen)

    def afterwards(self) -> tuple[dict[str, str], ...]:
        driving = self.rules.driving_for(self.facts.product)
        due = [{"rule": "DIS-4", "text": driving.text}]
        number = self.facts.session_number
        if number is None or number == 1:
            known = "first session" if number == 1 else "number of the session not recorded, taken as the first"
            due.append({"rule": "DIS-7", "text": f"Call the same night or next day ({known})"})
        return tuple(due)
