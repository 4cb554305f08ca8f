"""Treatment protocols: doses, walls, course, monitoring, staffing and evidence, every number with its support."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any, Literal, Self

from pydantic import model_validator

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement
from limen.knowledge.drugs import get_product
from limen.knowledge.missed import MissedWeeks, in_order
from limen.knowledge.titration import Titration
from limen.knowledge.walls import Wall

StepKind = Literal["bolus", "infusion", "device", "oral"]
DoseUnit = Literal["mg/kg", "mg", "mg/kg/h", "mg/h"]
WeightBasis = Literal["actual", "ideal", "adjusted"]
Route = Literal["iv", "im", "sc", "in", "po", "sl", "buccal", "pr"]
Setting = Literal["clinic", "palliative", "emergency", "anaesthesia", "intensive-care", "home"]


class Amount(Claim):
    """The dose of one step: the usual one, and the range reported.

    Attributes
    ----------
    typical : float or None
        Where a plan starts. ``None`` where sources give no number to start from: the prescriber must enter one.
    """

    unit: DoseUnit
    lower: float | None = None
    typical: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _rising(self.lower, self.typical, self.upper)
        return self


class Span(Claim):
    """How long one step takes: usual, shortest and longest reported."""

    lower_min: float | None = None
    typical_min: float | None = None
    upper_min: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _rising(self.lower_min, self.typical_min, self.upper_min)
        return self


class Step(Record):
    """One part of a session's dose. ``at_min`` counts from the start of the session's dose."""

    kind: StepKind
    title: str
    amount: Amount
    duration: Span | None = None
    at_min: float = 0.0

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if self.kind == "infusion" and self.duration is None:
            raise ValueError(f"{self.title}: an infusion needs a duration")
        if self.amount.unit in {"mg/kg/h", "mg/h"} and self.kind != "infusion":
            raise ValueError(f"{self.title}: only an infusion is given by rate")
        return self


class Weight(Claim):
    """Which weight doses follow. ``alternative`` may be chosen from this body mass index upward."""

    basis: WeightBasis = "actual"
    alternative: WeightBasis | None = None
    alternative_from_bmi_kg_per_m2: float | None = None
    why: str = ""


class Preparation(Claim):
    """How the syringe or bag is usually made up."""

    diluent: str
    concentration_mg_per_mL: float
    syringe_mL: float


class Ages(Claim):
    """Whom a protocol is for, by age, and how much it matters that a patient is younger."""

    from_years: float
    level: Literal["hold", "warn"] = "hold"


class Weakest(Claim):
    """The weakest strength it is given at: below it the volume cannot be given that way."""

    concentration_mg_per_mL: float
    why: str


class DeadSpace(Claim):
    """What stays behind where it is given from, and must be drawn besides."""

    volume_mL: float
    of: str


class Phase(Claim):
    """One phase of the course. ``days`` counts the first session as day 1; empty where the interval is judged."""

    phase: str
    sessions: int | None
    spacing: str
    days: tuple[int, ...] = ()
    alternatives: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.days and len(self.days) != self.sessions:
            raise ValueError(f"{self.phase}: {len(self.days)} days for {self.sessions} sessions")
        if list(self.days) != sorted(set(self.days)):
            raise ValueError(f"{self.phase}: days must rise")
        return self


class Observation(Claim):
    """Something to observe beside the vital signs; their schedule stands in the monitoring rules.

    Attributes
    ----------
    at_dose_end : bool
        Also when the dose ends, at the expected peak.
    first_sessions : int or None
        Only in the first so many sessions.
    """

    what: str
    baseline: bool = True
    at_dose_end: bool = False
    every_min: float | None = None
    first_sessions: int | None = None


class Evidence(Record):
    """What speaks for and against, side by side."""

    regulatory_status: Statement
    supports: tuple[Statement, ...]
    opposes: tuple[Statement, ...]


class Protocol(Record):
    """One protocol at one version; a changed number is a new version and old plans keep theirs.

    Attributes
    ----------
    closed : Statement or None
        Why it can be read and never ordered.
    titration : Titration or None
        How the dose moves from one session to the next, where a source says.
    missed : tuple of MissedWeeks
        What is done about a session that was missed, by the weeks of the course; empty where no source says.
    taper : tuple of Statement
        How it is withdrawn.
    stops_early : bool
        Whether the rule on a course that does not help (MNT-2) was found in this way of giving.
    """

    id: str
    version: int
    title: str
    indication: str
    product: Literal["racemic", "s-ketamine", "esketamine-nasal"]
    route: Route
    settings: tuple[Setting, ...]
    status: Literal["approved", "off-label", "research"]
    closed: Statement | None = None
    ages: Ages | None = None
    weight: Weight
    steps: tuple[Step, ...]
    walls: tuple[Wall, ...]
    preparation: Preparation | None = None
    weakest: Weakest | None = None
    dead_space: DeadSpace | None = None
    course: tuple[Phase, ...]
    titration: Titration | None = None
    missed: tuple[MissedWeeks, ...] = ()
    taper: tuple[Statement, ...] = ()
    stop_signals: tuple[Statement, ...] = ()
    stops_early: bool = False
    observations: tuple[Observation, ...] = ()
    premedication: tuple[Statement, ...] = ()
    discharge: tuple[str, ...]
    staffing: tuple[Statement, ...]
    cautions: tuple[Statement, ...] = ()
    evidence: Evidence

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.steps or not self.settings:
            raise ValueError(f"{self.id}: a protocol needs a step and a setting")
        if self.route not in get_product(self.product).routes:
            raise ValueError(f"{self.id}: {self.product} is not given {self.route}")
        if not self.closed and not any(
            wall.kind != "soft" and wall.bound == "most" and not wall.counts_sessions for wall in self.walls
        ):
            raise ValueError(f"{self.id}: an order needs a hard wall or a cap")
        if any(wall.step is not None and not 1 <= wall.step <= len(self.steps) for wall in self.walls):
            raise ValueError(f"{self.id}: a wall bounds a step that there is not")
        names = [wall.name for wall in self.walls]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.id}: the wall {twice[0]!r} stands twice")
        firm = [wall for wall in self.walls if wall.kind != "soft" and not wall.is_conditional]
        for soft in self.walls:
            if soft.kind != "soft" or soft.bound != "most":
                continue
            over = [
                wall.name
                for wall in firm
                if wall.bound == "most"
                and (wall.measure, wall.unit, wall.step) == (soft.measure, soft.unit, soft.step)
                and soft.limit > wall.limit
            ]
            if over:
                raise ValueError(f"{self.id}: {soft.name} lies beyond {over[0]}")
        if self.titration is not None and not 1 <= self.titration.step <= len(self.steps):
            raise ValueError(f"{self.id}: the titration is of a step that there is not")
        if not in_order(self.missed):
            raise ValueError(f"{self.id}: the weeks of missed sessions follow on each other from week 1 and do not end")
        return self


def read_protocol(path: Any) -> Protocol:
    """One protocol from its file.

    Raises
    ------
    KnowledgeError
        If the file does not fit the schema, or a number has no source. Names the file, the line and the key.
    """
    return read_yaml(path, Protocol)


@functools.cache
def protocols() -> dict[str, Protocol]:
    """Every protocol by id.

    Examples
    --------
    >>> protocols()["TRD-IV"].steps[0].amount.typical
    0.5
    """
    folder = resources.files("limen.knowledge") / "data" / "protocols"
    found: dict[str, Protocol] = {}
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        protocol = read_protocol(path)
        if protocol.id in found:
            raise KnowledgeError(f"protocol {protocol.id!r} stands in two files", where=path.name)
        found[protocol.id] = protocol
    return found


def get_protocol(name: str) -> Protocol:
    """The protocol with this id.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    try:
        return protocols()[name]
    except KeyError:
        raise InputError(f"unknown protocol {name!r}", where="protocol", allowed=", ".join(protocols())) from None


def _rising(*numbers: float | None) -> None:
    known = [number for number in numbers if number is not None]
    if known != sorted(known) or any(number <= 0 for number in known):
        raise ValueError("expected 0 < lower <= typical <= upper")
