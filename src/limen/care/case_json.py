"""Reading a direct CASE (the JSON of ``limen screen``) into a typed ``Case``."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from limen.care.allergies import with_ketamine
from limen.care.case import Case, Condition, Medication, Pressure, Request, build_case, known_keys
from limen.care.codes import CODE_NAMES, well_formed
from limen.care.facts import Fact, day, fact, moment
from limen.care.trial_json import KEYS as TRIAL_KEYS
from limen.care.trial_json import read_trial
from limen.care.trials import Trial
from limen.errors import InputError

T = TypeVar("T")

_TOP = frozenset(
    {"patient", "indication", "product", "route", "protocol", "setting", "on", "conditions", "medications"}
    | {"vitals", "labs", "labs_on", "scores", "facts", "request", "antidepressant_trials", "allergies"}
)
_PATIENT_EXTRA = frozenset({"weight_on"})
_VITALS_EXTRA = frozenset({"taken_at", "repeats"})
_CONDITION = frozenset({"code", "system", "text", "status", "onset"})
_MEDICATION = frozenset({"name", "dose", "last_taken_h", "code", "status"})
_REQUEST = frozenset({"dose", "sessions", "concentration_mg_per_mL", "diluted", "quantity", "mixed_with"})
_REPEAT = frozenset({"at_min", "sbp_mmHg", "dbp_mmHg"})
_ASA = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6}


def case_from_json(document: Mapping[str, Any], *, on: date | None = None) -> Case:
    """A case from a direct CASE.

    A null date means measured on ``on``. ``conditions`` and ``medications`` given as lists mean the history was taken;
    null or absent mean it was not asked. ``allergies`` likewise: ``[]`` is none known.

    Parameters
    ----------
    document : mapping
        The CASE object.
    on : date, optional
        The day of the decision; overrides ``document["on"]``. One of the two is required.

    Returns
    -------
    Case
        Keys that this version does not read stand in ``unknown_inputs``.

    Raises
    ------
    InputError
        If a value is impossible, a choice or code system unknown, or the day is not given. Names the key, the value
        and what is allowed.

    Examples
    --------
    >>> case = case_from_json({"on": "2026-11-21", "patient": {"age_years": 42}, "conditions": [], "moon": 1})
    >>> case.age_years, case.conditions_asked, case.medications_asked, case.unknown_inputs
    (42.0, True, False, ('moon',))
    """
    if on is None:
        if document.get("on") is None:
            raise InputError("the day of the decision is not given", where="on", allowed="YYYY-MM-DD")
        on = day(document["on"], where="on")
    unknown: list[str] = [key for key in document if key not in _TOP]
    facts: list[Fact] = []
    for group, extra in (
        ("patient", _PATIENT_EXTRA),
        ("vitals", _VITALS_EXTRA),
        ("labs", None),
        ("scores", None),
        ("facts", None),
    ):
        table = _object(document, group)
        names = known_keys(group)
        taken = _taken(document, group, table, on)
        for name, value in table.items():
            if name in names:
                if value is not None:
                    facts.append(_fact(f"{group}.{name}", value, taken if name != "birth_date" else None, on))
            elif name not in (extra or ()):
                unknown.append(f"{group}.{name}")
    vitals = _object(document, "vitals")
    conditions, conditions_asked = _list(
        document, "conditions", lambda item, where: _condition(item, where, unknown, on)
    )
    medications, medications_asked = _list(
        document, "medications", lambda item, where: _medication(item, where, unknown)
    )
    trials, trials_asked = _list(
        document, "antidepressant_trials", lambda item, where: _trial(item, where, unknown, on)
    )
    repeats, _ = _list(vitals, "repeats", lambda item, where: _repeat(item, where, unknown), prefix="vitals.")
    if repeats and not any(item.key == "vitals.sbp_mmHg" for item in facts):
        raise InputError(
            "repeats without a first pressure", where="vitals.repeats", allowed="sbp_mmHg and dbp_mmHg first"
        )
    return build_case(
        on=on,
        facts=_with_allergies(document, facts, on),
        conditions=conditions,
        conditions_asked=conditions_asked,
        medications=medications,
        medications_asked=medications_asked,
        repeats=repeats,
        trials=trials,
        trials_asked=trials_asked,
        indication=_text(document, "indication"),
        product=_text(document, "product"),
        route=_text(document, "route"),
        protocol=_text(document, "protocol"),
        setting=_text(document, "setting"),
        request=_request(document, unknown),
        unknown_inputs=unknown,
    )


def _with_allergies(document: Mapping[str, Any], facts: list[Fact], on: date) -> list[Fact]:
    """What ``allergies`` says of ketamine: a list means that they were asked, ``null`` or no key that they were not."""
    named = document.get("allergies")
    if named is None:
        return facts
    if not isinstance(named, list):
        raise InputError(f"{named!r:.60} is not a list", where="allergies", allowed="names, or null for not asked")
    for place, item in enumerate(named):
        if not isinstance(item, str) or not item.strip():
            raise InputError(f"{item!r:.60} is no name", where=f"allergies[{place}]", allowed="what it is to, as text")
    return with_ketamine(facts, named, asked=True, asked_at=on, source="case")


def _fact(key: str, value: Any, taken: datetime | date | None, on: date) -> Fact:
    if key == "facts.asa_class" and isinstance(value, str):
        value = _ASA.get(value.strip().upper(), value)
    return _born(fact(key, value, taken_at=taken or on, source="case"), on)


def _born(born: Fact, on: date) -> Fact:
    if isinstance(born.value, date) and born.value > on:
        raise InputError(
            f"{born.value.isoformat()} is in the future", where=born.key, allowed=f"up to {on.isoformat()}"
        )
    return born


def _taken(document: Mapping[str, Any], group: str, table: Mapping[str, Any], on: date) -> datetime | date:
    given = {
        "patient": ("patient.weight_on", table.get("weight_on")),
        "vitals": ("vitals.taken_at", table.get("taken_at")),
        "labs": ("labs_on", document.get("labs_on")),
    }.get(group)
    if given is None or given[1] is None:
        return on
    where, value = given
    taken = moment(value, where=where)
    if (taken.date() if isinstance(taken, datetime) else taken) > on:
        raise InputError(f"{value} is in the future", where=where, allowed=f"up to {on.isoformat()}")
    return taken


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{value!r:.60} is not an object", where=key, allowed="an object, or null")
    return value


def _list(
    table: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], T], *, prefix: str = ""
) -> tuple[list[T], bool]:
    value = table.get(key)
    if value is None:
        return [], False
    if not isinstance(value, list):
        raise InputError(f"{value!r:.60} is not a list", where=prefix + key, allowed="a list, or null for not asked")
    found = []
    for place, item in enumerate(value):
        where = f"{prefix}{key}[{place}]"
        if not isinstance(item, Mapping):
            raise InputError(f"{item!r:.60} is not an object", where=where, allowed="an object")
        found.append(read(item, where))
    return found, True


def _text(table: Mapping[str, Any], key: str, where: str | None = None) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise InputError(f"{value!r:.60} is not text", where=where or key, allowed="text, or null")


def _number(table: Mapping[str, Any], key: str, where: str, low: float, high: float, unit: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{value!r:.60} is impossible", where=where, allowed=f"{low:g} to {high:g} {unit}")
    return float(value)


def _condition(item: Mapping[str, Any], where: str, unknown: list[str], on: date) -> Condition:
    unknown += [f"{where}.{key}" for key in item if key not in _CONDITION]
    texts = {key: _text(item, key, f"{where}.{key}") for key in _CONDITION}
    if texts["code"] and not well_formed(texts["code"], texts["system"]):
        raise InputError(
            f"{texts['code']!r:.40} is no {CODE_NAMES[str(texts['system'])]} code",
            where=f"{where}.code",
            allowed="a letter and digits such as F33.2, or a SNOMED CT identifier with its check digit",
        )
    onset = partial_date(texts["onset"], on, where=f"{where}.onset") if texts["onset"] else None
    try:
        return Condition(
            text=texts["text"] or "",
            code=texts["code"],
            system=texts["system"],
            status=texts["status"] or "active",
            onset=onset,
            source="case",
        )
    except InputError as problem:
        here = problem.where.replace("conditions", where, 1)
        raise InputError(problem.what, where=here, allowed=problem.allowed) from None


def partial_date(text: str, on: date, *, where: str) -> date:
    """The last day that ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` can mean, up to ``on``.

    Examples
    --------
    >>> partial_date("2024-02", date(2026, 1, 1), where="onset")
    datetime.date(2024, 2, 29)
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text)
    if not match:
        found = moment(text, where=where)
        return found.date() if isinstance(found, datetime) else found
    year, month = int(match[1]), int(match[2] or 12)
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        raise InputError(f"{text!r} is not a date", where=where, allowed="YYYY, YYYY-MM or YYYY-MM-DD")
    last = date(year, month, calendar.monthrange(year, month)[1])
    began = date(year, int(match[2] or 1), 1)
    return min(last, on) if began <= on else last


def _medication(item: Mapping[str, Any], where: str, unknown: list[str]) -> Medication:
    unknown += [f"{where}.{key}" for key in item if key not in _MEDICATION]
    name = _text(item, "name", f"{where}.name")
    if not name:
        raise InputError("a medication without a name", where=f"{where}.name", allowed="the drug's name")
    dose = item.get("dose")
    return Medication(
        name=name,
        dose=None if dose is None else str(dose),
        last_taken_h=_number(item, "last_taken_h", f"{where}.last_taken_h", 0, 87_600, "h"),
        code=_text(item, "code", f"{where}.code"),
        status=_text(item, "status", f"{where}.status") or "active",
        source="case",
    )


def _trial(item: Mapping[str, Any], where: str, unknown: list[str], on: date) -> Trial:
    unknown += [f"{where}.{key}" for key in item if key not in TRIAL_KEYS]
    return read_trial(item, where, on)


def _repeat(item: Mapping[str, Any], where: str, unknown: list[str]) -> Pressure:
    unknown += [f"{where}.{key}" for key in item if key not in _REPEAT]
    at_min = _number(item, "at_min", f"{where}.at_min", 0, 1440, "min")
    sbp_mmHg = _number(item, "sbp_mmHg", f"{where}.sbp_mmHg", 30, 300, "mmHg")
    dbp_mmHg = _number(item, "dbp_mmHg", f"{where}.dbp_mmHg", 10, 200, "mmHg")
    if at_min is None or sbp_mmHg is None or dbp_mmHg is None:
        raise InputError("an incomplete repeat", where=where, allowed="at_min, sbp_mmHg and dbp_mmHg")
    return Pressure(at_min, sbp_mmHg, dbp_mmHg)


def _request(document: Mapping[str, Any], unknown: list[str]) -> Request:
    table = _object(document, "request")
    unknown += [f"request.{key}" for key in table if key not in _REQUEST]
    sessions = _number(table, "sessions", "request.sessions", 1, 1000, "sessions")
    if sessions is not None and sessions != int(sessions):
        raise InputError(f"{sessions:g} sessions", where="request.sessions", allowed="a whole number")
    diluted = table.get("diluted")
    if diluted is not None and not isinstance(diluted, bool):
        raise InputError(f"{diluted!r:.60} is not a yes or no", where="request.diluted", allowed="true, false or null")
    mixed = table.get("mixed_with") or []
    if not isinstance(mixed, list) or not all(isinstance(name, str) for name in mixed):
        raise InputError(f"{mixed!r:.60} is not a list of names", where="request.mixed_with", allowed="a list of drugs")
    quantity = table.get("quantity")
    return Request(
        dose=_text(table, "dose", "request.dose"),
        sessions=None if sessions is None else int(sessions),
        concentration_mg_per_mL=_number(
            table, "concentration_mg_per_mL", "request.concentration_mg_per_mL", 0.01, 200, "mg/mL"
        ),
        diluted=diluted,
        quantity=None if quantity is None else str(quantity),
        mixed_with=tuple(mixed),
    )
