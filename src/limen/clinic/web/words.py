"""How numbers, times and verdicts are spelled on our pages. Pure functions; missing is said, never shown as 0."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from limen.evidence.marks import Verification
from limen.knowledge.inputs import InputSpec, inputs

# The codes of the contract, in words.
_SAID = {
    "trd": "treatment-resistant depression",
    "mdd-suicidality": "depression with suicidality",
    "ptsd": "post-traumatic stress disorder",
    "ocd": "obsessive-compulsive disorder",
    "crps": "complex regional pain syndrome",
    "rsi": "rapid sequence intubation",
    "racemic": "ketamine, racemic",
    "s-ketamine": "S-ketamine",
    "esketamine-nasal": "esketamine, nasal",
    "iv": "intravenous",
    "im": "intramuscular",
    "sc": "subcutaneous",
    "in": "nasal",
    "po": "by mouth",
    "sl": "under the tongue",
    "pr": "rectal",
}
UNKNOWN = "not known"
NO_BREAK = "\u00a0"

VERDICTS: dict[str, str] = {
    "eligible": "Eligible",
    "caution": "Caution: possible, with care",
    "needs-data": "Needs data: cannot be judged yet",
    "hold": "Hold: not today, as things stand",
    "excluded": "Excluded: a rule stands against it",
}
LEVELS: dict[str, str] = {"block": "BLOCK", "hold": "HOLD", "needs-data": "MISSING", "warn": "WARN", "info": "INFO"}

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_VERBS = {
    "block": ("finding rules treatment out", "findings rule treatment out"),
    "hold": ("finding holds", "findings hold"),
    "warn": ("warns", "warn"),
}
# What a safety answer asks of the staff.
SAFETY_ACTIONS = {
    "administer-phq9": "Ask the PHQ-9.",
    "safety-item-missing-ask-before-dosing": "Ask this item before dosing. It is never filled in.",
    "cssrs-screener-and-clinician-review-before-dosing": (
        "C-SSRS screener this visit, and a clinician's review on record before dosing."
    ),
    "urgent-clinician-alert-cssrs-screener-and-clinician-review-before-dosing": (
        "Call the clinician now. C-SSRS screener this visit, and a review on record before dosing."
    ),
    "clinician-aware-before-dosing-safety-plan-on-file": "Tell the clinician before dosing; safety plan on file.",
    "clinician-evaluation-before-dosing": "A clinician's evaluation on record before dosing.",
    "do-not-leave-alone-same-day-evaluation-no-dose-without-documented-decision": (
        "Do not leave alone. Evaluation today. No dose without a documented decision."
    ),
}
_MARK_CLASSES = {
    Verification.READ: "verified",
    Verification.SECONDARY: "second",
    Verification.UNVERIFIED: "unverified",
    Verification.CLINIC_RULE: "rule",
    Verification.COMPUTED: "computed",
}


def mark(code: Any) -> tuple[str, str]:
    """Class and words of a verification mark. An unreadable code counts as unverified.

    Examples
    --------
    >>> mark("V")
    ('verified', 'read in source')
    >>> mark(None)
    ('unverified', "unverified: needs the medical director's sign-off")
    """
    try:
        known = Verification(str(code))
    except ValueError:
        known = Verification.UNVERIFIED
    return _MARK_CLASSES[known], known.words


def said(code: str) -> str:
    """A code of the contract in words.

    Examples
    --------
    >>> said("iv"), said("bipolar-depression")
    ('intravenous', 'bipolar depression')
    """
    return _SAID.get(code, code.replace("-", " "))


def verdict_said(result: Mapping[str, Any]) -> str:
    """What a screening found, counted, in a sentence or two.

    Examples
    --------
    >>> verdict_said({"findings": [{"level": "hold"}, {"level": "warn"}], "missing": [{"input": "a"}]})
    'One finding holds and one warns. One input is missing, so it is not judged.'
    """
    levels = [finding.get("level") for finding in result.get("findings") or ()]
    counted = [
        f"{_count(levels.count(level))} {one if levels.count(level) == 1 else many}"
        for level, (one, many) in _VERBS.items()
        if levels.count(level)
    ]
    missing = len({row["input"] for row in result.get("missing") or ()})
    if not counted:
        told = (
            "Nothing stands against treatment in what is on record so far"
            if missing
            else "No finding stands against treatment today"
        )
    elif len(counted) == 1 and counted[0].endswith(("warns", "warn")):
        told = f"Nothing holds; {counted[0]}"
    else:
        told = ", ".join(counted[:-1]) + (" and " if len(counted) > 1 else "") + counted[-1]
    parts = [told[:1].upper() + told[1:] + "."]
    if missing:
        unjudged = "is missing, so it is not judged" if missing == 1 else "are missing, so they are not judged"
        parts.append(f"{_count(missing).capitalize()} input{'' if missing == 1 else 's'} {unjudged}.")
    return " ".join(parts)


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def amount(value: Any, digits: int = 1) -> str:
    """A number with a fixed count of decimals; one more where that would change it.

    Examples
    --------
    >>> amount("35"), amount(0.25), amount(None)
    ('35.0', '0.25', 'not known')
    """
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    short = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if abs(short - number) >= Decimal(5).scaleb(-digits - 2):
        short = number.quantize(Decimal(1).scaleb(-digits - 1), ROUND_HALF_UP)
    return str(short).replace("-", "−") if short else str(abs(short))


def with_unit(value: Any, unit: str, digits: int = 1) -> str:
    """A number and its unit that no line break can part.

    Examples
    --------
    >>> with_unit(35, "mg")
    '35.0\\xa0mg'
    """
    text = amount(value, digits)
    return text if text == UNKNOWN else f"{text}{NO_BREAK}{unit}"


def bare(value: Any) -> str:
    """A number as it came, to two decimals and without trailing zeros; text stays text.

    Examples
    --------
    >>> bare(148.0), bare(0.50), bare(151.86292759932), bare("negative"), bare(True), bare(None)
    ('148', '0.5', '151.86', 'negative', 'yes', 'not known')
    """
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(bare(item) for item in value) if value else "none"
    if isinstance(value, dict):
        return ", ".join(f"{label(key)} {bare(item)}" for key, item in value.items())
    if isinstance(value, int | float | Decimal):
        number = _decimal(value)
        if number is None:
            return UNKNOWN
        rounded = round(number, 2 if abs(number) >= 1 else 4) or number
        return f"{rounded.normalize():f}".replace("-", "−")
    return str(value)


_UNIT_ENDINGS = {
    "_mmHg": "mmHg",
    "_per_min": "/min",
    "_pct": "%",
    "_kg": "kg",
    "_cm": "cm",
    "_degC": "°C",
    "_mg_per_dL": "mg/dL",
    "_mIU_per_L": "mIU/L",
    "_mL_per_min": "mL/min",
    "_xULN": "times upper limit",
    "_years": "y",
    "_months": "months",
    "_h": "h",
    "_min": "min",
    "_mg_per_mL": "mg/mL",
    "_mg_per_kg": "mg/kg",
    "_mg": "mg",
    "_mL": "mL",
    "_kg_per_m2": "kg/m2",
}
_SPELLED = {"bmi": "body mass index"}
_HISTORIES = {
    "history.conditions": "history of conditions",
    "history.medications": "history of medications",
    "history.trials": "history of antidepressants",
    "history.allergies": "allergies",
}


def unit_of(name: str) -> str:
    """The unit of a named input, else the one that the name ends in, else nothing.

    Examples
    --------
    >>> unit_of("vitals.sbp_mmHg"), unit_of("concentration_mg_per_mL"), unit_of("reason")
    ('mmHg', 'mg/mL', '')
    """
    spec = _specs().get(str(name))
    if spec is not None:
        return (spec.unit or "").replace("degC", "°C").replace("x ULN", "times upper limit")
    return _UNIT_ENDINGS.get(_ending(str(name)), "")


def label(name: str) -> str:
    """A named input in words, without its unit.

    Examples
    --------
    >>> label("vitals.sbp_mmHg"), label("free_t4_xULN"), label("duration_min")
    ('systolic pressure', 'free T4', 'duration')
    """
    spec = _specs().get(str(name))
    if spec is not None:
        return spec.title
    if str(name) in _HISTORIES:
        return _HISTORIES[str(name)]
    short = str(name).rpartition(".")[2]
    words = short.removesuffix(_ending(short)).replace("_", " ")
    return _SPELLED.get(words, words)


@functools.cache
def _specs() -> dict[str, InputSpec]:
    """Every input by its key and by its name alone, as findings print it."""
    return {spec.name: spec for spec in inputs().values()} | dict(inputs())


def _ending(name: str) -> str:
    return max((suffix for suffix in _UNIT_ENDINGS if name.endswith(suffix)), key=len, default="")


def age(at: datetime | date | None, now: datetime) -> str:
    """How old a recorded value is, in the words of a desk: never "just now".

    Examples
    --------
    >>> from datetime import UTC
    >>> age(datetime(2026, 11, 17, 9, 0, tzinfo=UTC), datetime(2026, 11, 19, 8, 0, tzinfo=UTC))
    '2 days old'
    """
    if at is None:
        return "no date on record"
    if not isinstance(at, datetime):
        return _days((now.date() - at).days)
    if at > now + timedelta(minutes=1):
        return "dated in the future"
    if at.astimezone(now.tzinfo).date() == now.date():
        minutes = int((now - at).total_seconds() // 60)
        return f"{minutes // 60}:{minutes % 60:02d}{NO_BREAK}h old" if minutes >= 60 else f"{minutes}{NO_BREAK}min old"
    return _days((now.date() - at.astimezone(now.tzinfo).date()).days)


def when(at: datetime | date | None, now: datetime) -> str:
    """When a recorded value was true: the clock today, else the day and how long ago.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 19, 8, 12, tzinfo=UTC)
    >>> when(datetime(2026, 11, 19, 8, 6, tzinfo=UTC), now), when(date(2026, 11, 17), now)
    ('today 08:06', '17 Nov 2026, 2 days old')
    """
    if at is None:
        return age(at, now)
    moment = at.astimezone(now.tzinfo) if isinstance(at, datetime) else at
    if isinstance(moment, datetime) and moment.date() == now.date() and moment <= now + timedelta(minutes=1):
        return f"today {moment:%H:%M}"
    return f"{moment.day} {moment:%b %Y}, {age(at, now)}"


def day(on: date, today: date) -> str:
    """A day in short: today, else its date, with the year where that is another.

    Examples
    --------
    >>> day(date(2026, 11, 19), date(2026, 11, 19)), day(date(2026, 11, 3), date(2026, 11, 19))
    ('today', '3 Nov')
    >>> day(date(2025, 11, 3), date(2026, 11, 19))
    '3 Nov 2025'
    """
    if on == today:
        return "today"
    return f"{on.day} {on:%b}" + (f" {on.year}" if on.year != today.year else "")


def _days(days: int) -> str:
    if days < 0:
        return "dated in the future"
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 61:
        return f"{days} days old"
    if days < 730:
        return f"{days // 30} months old"
    return f"{days // 365} years old"


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
