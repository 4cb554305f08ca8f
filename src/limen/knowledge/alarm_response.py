"""What follows an alarm: who is called when nobody answers, and how many alarms a person can bear."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import model_validator

from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement
from limen.knowledge.monitoring import Priority

Who = Literal["owner", "floor", "prescriber", "medical-director"]


class Step(Record):
    """One step of the ladder.

    Attributes
    ----------
    after_s : float
        Seconds after the alarm began.
    who : {"owner", "floor", "prescriber", "medical-director"}
        The owner of the chair; everyone at the site who may answer an alarm; everyone of a role.
    """

    after_s: float
    who: Who


class Ladder(Claim):
    """Whom an unanswered alarm of one priority calls, step by step."""

    priority: Priority
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        times = [step.after_s for step in self.steps]
        if not times or times[0] != 0 or sorted(set(times)) != times:
            raise ValueError(f"{self.priority}: the steps begin at 0 s and come later and later")
        if len({step.who for step in self.steps}) != len(times):
            raise ValueError(f"{self.priority}: each step calls others")
        return self


class Budget(Claim):
    """How alarms are counted, and how many are too many.

    Attributes
    ----------
    action_within_s : float
        An event this soon after the beginning of an alarm counts as its answer.
    acted, checked : tuple of str
        Event kinds that change what happens to the patient, and those that look again.
    most_per_person_h : float
        Alarms an hour that one person can answer.
    """

    action_within_s: float
    acted: tuple[str, ...]
    checked: tuple[str, ...]
    most_per_person_h: float
    chairs_per_person: int

    @property
    def most_per_chair_h(self) -> float:
        """The budget of one chair."""
        return self.most_per_person_h / self.chairs_per_person


class AlarmResponse(Record):
    """The whole file."""

    escalation: tuple[Ladder, ...]
    undelivered_after_s: float
    accepted_for_s: float
    present_within_s: float
    latched: tuple[Priority, ...]
    budget: Budget
    compare: tuple[Statement, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        found = [ladder.priority for ladder in self.escalation]
        if len(set(found)) != len(found):
            raise ValueError("one ladder for a priority")
        return self

    def ladder(self, priority: str) -> Ladder | None:
        """The ladder of a priority; alarms of low priority call nobody."""
        return next((ladder for ladder in self.escalation if ladder.priority == priority), None)


@functools.cache
def alarm_response() -> AlarmResponse:
    """The response of the product.

    Examples
    --------
    >>> [step.who for step in alarm_response().ladder("high").steps]
    ['owner', 'floor', 'prescriber', 'medical-director']
    >>> alarm_response().ladder("low") is None
    True
    """
    folder = resources.files("limen.knowledge") / "data" / "alarm_response"
    return read_yaml(folder / "alarm_response.yaml", AlarmResponse)
