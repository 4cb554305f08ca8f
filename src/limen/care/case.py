"""One referral as typed, dated facts: what screening and planning decide on."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType

from limen.care.facts import Fact, FactValue, Gap, current
from limen.care.trials import Trial
from limen.errors import InputError
from limen.knowledge.inputs import inputs

INDICATIONS = (
    "trd",
    "mdd-suicidality",
    "bipolar-depression",
    "ptsd",
    "anxiety",
    "ocd",
    "alcohol-use",
    "cocaine-use",
    "neuropathic-pain",
    "spinal-cord-injury-pain",
    "crps",
    "fibromyalgia",
    "cancer-pain",
    "headache",
    "acute-pain",
    "perioperative-pain",
    "procedural-sedation",
    "anaesthesia",
    "rsi",
    "agitation",
    "status-epilepticus",
    "epilepsy",
)
PRODUCTS = ("racemic", "s-ketamine", "esketamine-nasal")
ROUTES = ("iv", "im", "sc", "in", "po", "sl", "buccal", "pr")
SETTINGS = ("clinic", "palliative", "emergency", "anaesthesia", "intensive-care", "home")
CODE_SYSTEMS = ("icd10", "snomed")


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of the problem list.

    Attributes
    ----------
    system : {"icd10", "snomed"} or None
        ``None`` when only the plain name is known.
    onset : date or None
        Of a partial date, the last day it can mean: the strict reading where a rule asks how recent.
    """

    text: str = ""
    code: str | None = None
    system: str | None = None
    status: str = "active"
    onset: date | None = None
    source: str = "entered"

    def __post_init__(self) -> None:
        if self.system is not None and self.system not in CODE_SYSTEMS:
            raise InputError(
                f"unknown code system {self.system!r}", where="conditions.system", allowed="icd10, snomed or null"
            )
        if self.status not in {"active", "resolved"}:
            raise InputError(f"unknown status {self.status!r}", where="conditions.status", allowed="active, resolved")
        if not self.text and not self.code:
            raise InputError("a condition with neither code nor text", where="conditions", allowed="code, text or both")

    @property
    def shown(self) -> str:
        """The name and code as a sentence shows them."""
        return " ".join(
            part for part in (self.text, f"({self.code})" if self.code and self.text else self.code) if part
        )


@dataclass(frozen=True, slots=True)
class Medication:
    """One drug the patient takes. ``last_taken_h`` counts back from the time of screening."""

    name: str
    dose: str | None = None
    last_taken_h: float | None = None
    code: str | None = None
    status: str = "active"
    source: str = "entered"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("a medication without a name", where="medications.name", allowed="the drug's name")
        if self.status not in {"active", "stopped"}:
            raise InputError(f"unknown status {self.status!r}", where="medications.status", allowed="active, stopped")
        if self.last_taken_h is not None and not 0 <= self.last_taken_h <= 87_600:
            raise InputError(
                f"last taken {self.last_taken_h:g} h ago", where="medications.last_taken_h", allowed="0 to 87600 h"
            )


@dataclass(frozen=True, slots=True)
class Pressure:
    """One cuff reading; ``at_min`` counts from the first reading of that day."""

    at_min: float
    sbp_mmHg: float
    dbp_mmHg: float

    def __post_init__(self) -> None:
        if self.dbp_mmHg >= self.sbp_mmHg:
            raise InputError(
                f"pressure {self.sbp_mmHg:g}/{self.dbp_mmHg:g}",
                where="vitals.dbp_mmHg",
                allowed="diastolic below systolic",
            )


@dataclass(frozen=True, slots=True)
class Request:
    """What the prescriber asks to give."""

    dose: str | None = None
    sessions: int | None = None
    concentration_mg_per_mL: float | None = None
    diluted: bool | None = None
    quantity: str | None = None
    mixed_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known about one patient for one decision on one day.

    Attributes
    ----------
    on : date
        The day the decision is for. Ages of facts are counted to it.
    facts : mapping of str to Fact
        The newest fact of each key on or before ``on``, however old; ``current`` says whether it may be used.
    conditions_asked, medications_asked : bool
        True when the history was taken, so that what is not listed is absent; False when the list is only what a
        record held, and nothing may be concluded from silence.
    conditions_asked_on, medications_asked_on : date or None
        The day each history was last taken, however long ago.
    pressures : tuple of Pressure
        The readings of the newest day that has any, in order: the first and its repeats.
    pressures_on : date or None
        That day.
    withheld : mapping of str to str
        Facts that may not be used although a value is on record, each with why: they count as missing.
    trials : tuple of Trial
        Antidepressants that were tried.
    trials_asked : bool
        True when they were asked for, so that there were no others.
    unknown_inputs : tuple of str
        Keys given that this version does not read.
    """

    on: date
    indication: str | None = None
    product: str | None = None
    route: str | None = None
    protocol: str | None = None
    setting: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    conditions_asked: bool = False
    medications: tuple[Medication, ...] = ()
    medications_asked: bool = False
    conditions_asked_on: date | None = None
    medications_asked_on: date | None = None
    pressures: tuple[Pressure, ...] = ()
    pressures_on: date | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()
    trials_asked: bool = False
    request: Request = Request()
    unknown_inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = {
            "indication": (self.indication, INDICATIONS),
            "product": (self.product, PRODUCTS),
            "route": (self.route, ROUTES),
            "setting": (self.setting, SETTINGS),
        }
        for name, (value, allowed) in named.items():
            if value is not None and value not in allowed:
                raise InputError(f"unknown {name} {value!r}", where=name, allowed=", ".join(allowed))
        for place, item in enumerate(self.conditions):
            if item.onset is not None and item.onset > self.on:
                raise InputError(
                    f"onset {item.onset.isoformat()} of {item.shown} is in the future",
                    where=f"conditions[{place}].onset",
                    allowed=f"up to {self.on.isoformat()}",
                )

    def current(self, key: str) -> Fact | Gap:
        """The fact if it is fresh enough to use on the day, else why it is missing."""
        if key == "patient.age_years":
            return self._age()
        if key in self.withheld:
            return Gap(key, self.withheld[key])
        return current(self.facts.get(key), key, self.on)

    def value(self, key: str) -> FactValue | None:
        """The fresh value of a fact, or ``None``; ``current`` gives the reason."""
        found = self.current(key)
        return found.value if isinstance(found, Fact) else None

    def number(self, key: str) -> float | None:
        """The fresh value of a numeric fact, or ``None``."""
        value = self.value(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def age_years(self) -> float | None:
        """Whole years from the date of birth (of an infant, the part of the first), else the age given."""
        return self.number("patient.age_years")

    @property
    def sex(self) -> str | None:
        value = self.value("patient.sex")
        return value if isinstance(value, str) else None

    @property
    def weight_kg(self) -> float | None:
        """The weight, where it is recent enough to dose by."""
        return self.number("patient.weight_kg")

    @property
    def height_cm(self) -> float | None:
        return self.number("patient.height_cm")

    def _age(self) -> Fact | Gap:
        born = self.facts.get("patient.birth_date")
        if born is None or not isinstance(born.value, date):
            return current(self.facts.get("patient.age_years"), "patient.age_years", self.on)
        birth = born.value
        if birth > self.on:
            return Gap("patient.age_years", f"date of birth {birth.isoformat()} is after {self.on.isoformat()}")
        had_birthday = (self.on.month, self.on.day) >= (birth.month, birth.day)
        years: float = self.on.year - birth.year - (not had_birthday)
        if years == 0:
            years = round((self.on - birth).days / 365.25, 3)
        return Fact("patient.age_years", years, self.on, born.source)


def build_case(
    *,
    on: date,
    facts: Iterable[Fact],
    conditions: Iterable[Condition] = (),
    conditions_asked: bool = False,
    medications: Iterable[Medication] = (),
    medications_asked: bool = False,
    conditions_asked_on: date | None = None,
    medications_asked_on: date | None = None,
    repeats: Iterable[Pressure] = (),
    withheld: Mapping[str, str] | None = None,
    trials: Iterable[Trial] = (),
    trials_asked: bool = False,
    indication: str | None = None,
    product: str | None = None,
    route: str | None = None,
    protocol: str | None = None,
    setting: str | None = None,
    request: Request | None = None,
    unknown_inputs: Iterable[str] = (),
) -> Case:
    """A case from any number of dated facts, as a record or a database holds them.

    The newest fact of a key on or before ``on`` stands; of two with the same time, the later in order. Pressures of
    the newest day that has both numbers become ``pressures``: pairs are matched by their exact time.

    Parameters
    ----------
    on : date
        The day of the decision. Facts taken after it are not used.
    conditions_asked_on, medications_asked_on : date, optional
        The day the history was taken; the day of the decision where it was asked and no other is given.
    repeats : iterable of Pressure
        Repeats of the newest pressure, where they come as minutes after it rather than as dated facts.

    Returns
    -------
    Case

    Raises
    ------
    InputError
        If a choice is unknown, a pressure is impossible, or a condition begins in the future.

    Examples
    --------
    >>> from limen.care.facts import fact
    >>> case = build_case(on=date(2026, 11, 22), facts=[fact("patient.weight_kg", 74.2, taken_at=date(2018, 8, 17))])
    >>> case.weight_kg is None
    True
    """
    known: list[Fact] = [item for item in facts if item.taken_on is None or item.taken_on <= on]
    pressures, pressures_on = _pressures(known, tuple(repeats))
    newest: dict[str, Fact] = {}
    for item in known:
        held = newest.get(item.key)
        if held is None or _order(item) >= _order(held):
            newest[item.key] = item
    return Case(
        on=on,
        indication=indication,
        product=product,
        route=route,
        protocol=protocol,
        setting=setting,
        facts=MappingProxyType(newest),
        conditions=tuple(conditions),
        conditions_asked=conditions_asked,
        medications=tuple(medications),
        medications_asked=medications_asked,
        conditions_asked_on=conditions_asked_on or (on if conditions_asked else None),
        medications_asked_on=medications_asked_on or (on if medications_asked else None),
        pressures=pressures,
        pressures_on=pressures_on,
        withheld=MappingProxyType(dict(withheld or {})),
        trials=tuple(trials),
        trials_asked=trials_asked,
        request=request or Request(),
        unknown_inputs=tuple(unknown_inputs),
    )


def _order(item: Fact) -> tuple[str, str]:
    """Sorts by day, then by time in one zone; the undated first."""
    taken_at = item.taken_at
    if item.taken_on is None or taken_at is None:
        return ("", "")
    if isinstance(taken_at, datetime) and taken_at.tzinfo is not None:
        taken_at = taken_at.astimezone(UTC)
    return (item.taken_on.isoformat(), taken_at.isoformat())


def _pressures(facts: list[Fact], repeats: tuple[Pressure, ...]) -> tuple[tuple[Pressure, ...], date | None]:
    pairs: dict[tuple[str, str], dict[str, Fact]] = {}
    for item in facts:
        if item.key in {"vitals.sbp_mmHg", "vitals.dbp_mmHg"}:
            pairs.setdefault(_order(item), {})[item.key] = item
    whole = sorted((when, pair) for when, pair in pairs.items() if len(pair) == 2)
    if not whole:
        return (), None
    newest_day = whole[-1][0][0]
    readings: list[Pressure] = []
    first: Fact | None = None
    for (on, _), pair in whole:
        if on != newest_day:
            continue
        systolic, diastolic = pair["vitals.sbp_mmHg"], pair["vitals.dbp_mmHg"]
        first = first or systolic
        readings.append(
            Pressure(_minutes_between(first, systolic), float(systolic.value), float(diastolic.value))  # type: ignore[arg-type]
        )
    return (*readings, *sorted(repeats, key=lambda reading: reading.at_min)), first.taken_on if first else None


def _minutes_between(first: Fact, later: Fact) -> float:
    start, end = first.taken_at, later.taken_at
    if not (isinstance(start, datetime) and isinstance(end, datetime)) or (start.tzinfo is None) != (
        end.tzinfo is None
    ):
        return 0.0
    return (end - start).total_seconds() / 60.0


@functools.cache
def known_keys(group: str) -> frozenset[str]:
    """The names a group of facts may hold, such as every name of ``vitals``."""
    return frozenset(spec.name for spec in inputs().values() if spec.group == group)
