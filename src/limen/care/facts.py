"""One dated fact about a patient, and whether it is still fresh enough to use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from limen.errors import InputError
from limen.knowledge.inputs import InputSpec, inputs
from limen.units import convert

FactValue = bool | int | float | str | date | Mapping[str, bool | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, when it was taken, and where it came from.

    Attributes
    ----------
    key : str
        A key of ``limen.knowledge.inputs``, such as ``vitals.sbp_mmHg``; the value is in the unit the key names.
    taken_at : datetime or date or None
        ``None`` when the source gives no date; such a fact cannot be shown to be fresh.
    source : str
        Who or what says so, in words a reader can follow up.
    """

    key: str
    value: FactValue
    taken_at: datetime | date | None
    source: str = "entered"

    @property
    def taken_on(self) -> date | None:
        """The calendar day the value was taken."""
        return self.taken_at.date() if isinstance(self.taken_at, datetime) else self.taken_at


@dataclass(frozen=True, slots=True)
class Gap:
    """An input that cannot be used, and why."""

    key: str
    why: str


def fact(
    key: str,
    value: Any,
    *,
    taken_at: datetime | date | None,
    source: str = "entered",
    unit: str | None = None,
) -> Fact:
    """A checked fact.

    Parameters
    ----------
    key : str
        A key of ``limen.knowledge.inputs``.
    value : object
        As entered. Numbers in ``unit``, or in the unit the key names where ``unit`` is not given.
    taken_at : datetime or date or None
        When it was measured or asked.
    unit : str, optional
        The unit the value came in, such as ``[lb_av]``; converted.

    Raises
    ------
    InputError
        If the key is unknown, the unit does not fit or the value is impossible. Names the key and what is allowed.

    Examples
    --------
    >>> from datetime import date
    >>> round(fact("patient.weight_kg", 150, unit="[lb_av]", taken_at=date(2026, 11, 21)).value, 1)
    68.0
    >>> fact("patient.weight_kg", 700, taken_at=date(2026, 11, 21))
    Traceback (most recent call last):
    ...
    limen.errors.InputError: patient.weight_kg: 700 is impossible; allowed: 20 to 350 kg
    """
    spec = inputs().get(key)
    if spec is None:
        raise InputError(f"unknown fact {key!r}", where=key, hint="See limen.knowledge.inputs for the known ones")
    if unit is not None and spec.unit is not None and spec.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{value!r} is not a number", where=key, allowed=spec.allowed)
        value = convert(float(value), unit, spec.unit, where=key)
    return Fact(key, _checked(spec, value), taken_at, source)


def current(found: Fact | None, key: str, on: date) -> Fact | Gap:
    """The fact if it is fresh enough to use on ``on``, else why it is missing.

    Examples
    --------
    >>> from datetime import date
    >>> old = fact("patient.weight_kg", 74.2, taken_at=date(2018, 8, 17))
    >>> current(old, "patient.weight_kg", date(2026, 11, 22)).why
    'last 74.2 kg on 2018-08-17, older than 30 days'
    """
    spec = inputs()[key]
    if found is None:
        return Gap(key, f"{spec.title} not known")
    if spec.max_age_days is None:
        return found
    shown = f"last {shown_value(found)}"
    taken_on = found.taken_on
    if taken_on is None:
        return Gap(key, f"{shown}, undated")
    if (on - taken_on).days > spec.max_age_days:
        return Gap(key, f"{shown} on {taken_on.isoformat()}, older than {age_limit(spec)}")
    return found


def age_limit(spec: InputSpec) -> str:
    """The age limit of a fact in words."""
    if spec.max_age_days is None:
        return "no limit"
    return "the same day" if spec.max_age_days == 0 else f"{spec.max_age_days} days"


def shown_value(item: Fact) -> str:
    """The value with its unit, as a sentence shows it."""
    spec = inputs()[item.key]
    value = item.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = number_words(value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{name} {_yes_no(answer)}" for name, answer in value.items())
    else:
        text = str(value)
    return f"{text} {spec.unit}" if spec.unit else text


def number_words(value: float, unit: str | None = None) -> str:
    """A number to one decimal, without a decimal that is 0, with its unit where it is given.

    Examples
    --------
    >>> number_words(139.96), number_words(128.0, "mmHg")
    ('140', '128 mmHg')
    """
    return f"{round(value, 1):g}{f' {unit}' if unit else ''}"


def pressure_words(sbp_mmHg: float, dbp_mmHg: float) -> str:
    """A pressure as it is spoken."""
    return f"{number_words(sbp_mmHg)}/{number_words(dbp_mmHg)}"


def _yes_no(answer: bool | None) -> str:
    return "not answered" if answer is None else "yes" if answer else "no"


def _checked(spec: InputSpec, value: Any) -> FactValue:
    match spec.kind:
        case "number" | "integer" | "count":
            return _number(spec, value)
        case "flag":
            if isinstance(value, bool):
                return value
        case "choice":
            if isinstance(value, str) and value in spec.choices:
                return value
        case "answers":
            return _answers(spec, value)
        case "date":
            return day(value, where=spec.key)
        case "text":
            if isinstance(value, str):
                return value
    raise InputError(f"{value!r} is not understood", where=spec.key, allowed=spec.allowed)


def _number(spec: InputSpec, value: Any) -> float | int:
    if spec.kind == "count" and isinstance(value, bool):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{value!r} is not a number", where=spec.key, allowed=spec.allowed)
    if spec.low is None or spec.high is None or not math.isfinite(value) or not spec.low <= value <= spec.high:
        raise InputError(f"{value:g} is impossible", where=spec.key, allowed=spec.allowed)
    if spec.kind == "number":
        return float(value)
    if float(value) != int(value):
        raise InputError(f"{value:g} is not a whole number", where=spec.key, allowed=spec.allowed)
    return int(value)


def _answers(spec: InputSpec, value: Any) -> Mapping[str, bool | None]:
    if not isinstance(value, Mapping):
        raise InputError(f"{value!r} is not a set of answers", where=spec.key, allowed=spec.allowed)
    for name, answer in value.items():
        if name not in spec.choices:
            raise InputError(f"unknown item {name!r}", where=spec.key, allowed=", ".join(spec.choices))
        if answer is not None and not isinstance(answer, bool):
            raise InputError(
                f"{answer!r} is not a yes or no", where=f"{spec.key}.{name}", allowed="true, false or null"
            )
    return MappingProxyType({name: value[name] for name in spec.choices if name in value})


def day(value: Any, *, where: str) -> date:
    """A calendar day from a date or its ISO text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise InputError(f"{value!r} is not a date", where=where, allowed="YYYY-MM-DD")


def moment(value: Any, *, where: str) -> datetime | date:
    """A day or a moment from its ISO text."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise InputError(f"{value!r} is not a date or time", where=where, allowed="YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS+00:00")
