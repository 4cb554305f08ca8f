"""What was seen of one patient, read from JSON and refused where it cannot be right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from limen.errors import InputError
from limen.pharmacology.models.schema import Matrix
from limen.pharmacology.response import name_of
from limen.units import convert

ANALYTES = (
    "ketamine",
    "S_ketamine",
    "R_ketamine",
    "S_norketamine",
    "R_norketamine",
    "norketamine",
    "hydroxynorketamine",
)

# The most that can be meant; past these a number is a slip (project rule).
_MOST_NG_PER_ML = 100_000.0
_SBP_MMHG = (40.0, 300.0)
_HR_PER_MIN = (20.0, 250.0)
_MOST_OBSERVATIONS = 1000


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen, beside what a model calls it.

    Attributes
    ----------
    kind : str
        ``concentration``, ``pressure``, ``heart_rate``, ``dissociation`` or ``sedation``.
    t_min : float
        From the start of the first dose's clock.
    output : str
        The NAME of the prediction; a concentration's holds the matrix it was taken from.
    value, unit : float, str
        What the prediction is compared with: a concentration, or the change from the baseline.
    analyte, matrix : str or None
        Of a concentration.
    shared : str
        Names an error it has in common with others, such as that of one baseline; empty for none.
    entry : mapping
        The JSON it came from.
    """

    kind: str
    t_min: float
    output: str
    value: float
    unit: str
    analyte: str | None = None
    matrix: str | None = None
    shared: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict, compare=False)


def concentration(analyte: str, matrix: str, t_min: float, value_ng_per_mL: float, *, where: str = "") -> Observation:
    """A measured concentration.

    Raises
    ------
    InputError
        An unknown analyte or matrix, or a number that cannot be.

    Examples
    --------
    >>> concentration("S_ketamine", "venous", 40, 82).output
    'S_ketamine_venous_ng_per_mL'
    """
    if analyte not in ANALYTES:
        raise InputError(f"unknown analyte {analyte!r}", where=_at(where, "analyte"), allowed=", ".join(ANALYTES))
    if matrix not in get_args(Matrix):
        raise InputError(f"unknown matrix {matrix!r}", where=_at(where, "matrix"), allowed=", ".join(get_args(Matrix)))
    seen_ng_per_mL = _number(value_ng_per_mL, where, "value_ng_per_mL", 0.0, _MOST_NG_PER_ML)
    if seen_ng_per_mL == 0:
        raise InputError(
            "a concentration of 0",
            where=_at(where, "value_ng_per_mL"),
            allowed="over 0",
            hint="Leave out a sample below the limit of quantification",
        )
    time_min = _time(t_min, where)
    return Observation("concentration", time_min, name_of(analyte, matrix), seen_ng_per_mL, "ng/mL", analyte, matrix)


def pressure(t_min: float, sbp_mmHg: float, baseline_sbp_mmHg: float, *, where: str = "") -> Observation:
    """A cuff reading beside the one before treatment.

    Examples
    --------
    >>> pressure(15, 141, 128).value
    13.0
    """
    seen_mmHg = _number(sbp_mmHg, where, "sbp_mmHg", *_SBP_MMHG)
    before_mmHg = _number(baseline_sbp_mmHg, where, "baseline_sbp_mmHg", *_SBP_MMHG)
    return Observation(
        "pressure",
        _time(t_min, where),
        "sbp_change_mmHg",
        seen_mmHg - before_mmHg,
        "mmHg",
        shared=f"baseline {before_mmHg:g} mmHg",
    )


def heart_rate(t_min: float, hr_per_min: float, baseline_hr_per_min: float, *, where: str = "") -> Observation:
    """A heart rate beside the one before treatment.

    Examples
    --------
    >>> heart_rate(15, 80, 78).output
    'hr_change_per_min'
    """
    seen_per_min = _number(hr_per_min, where, "hr_per_min", *_HR_PER_MIN)
    before_per_min = _number(baseline_hr_per_min, where, "baseline_hr_per_min", *_HR_PER_MIN)
    return Observation(
        "heart_rate",
        _time(t_min, where),
        "hr_change_per_min",
        seen_per_min - before_per_min,
        "1/min",
        shared=f"baseline {before_per_min:g} /min",
    )


def observations_from_json(
    document: Mapping[str, Any], *, now_min: float | None = None
) -> tuple[tuple[Observation, ...], tuple[str, ...]]:
    """The observations of a document, and the keys that none of them uses.

    Parameters
    ----------
    document : mapping
        ``{"observations": [{"kind": ..., "t_min": ..., ...}, ...]}``; ``now_min`` beside it is the time now.
    now_min : float, optional
        Nothing may be later than this; replaces the document's.

    Raises
    ------
    InputError
        At the first entry that cannot be used, by its place in the list.

    Examples
    --------
    >>> seen, unknown = observations_from_json(
    ...     {"observations": [{"kind": "pressure", "t_min": 15, "sbp_mmHg": 141, "baseline_sbp_mmHg": 128}]})
    >>> seen[0].value, unknown
    (13.0, ())
    """
    entries = document.get("observations")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InputError("no list of observations", where="observations", allowed='{"observations": [...]}')
    if len(entries) > _MOST_OBSERVATIONS:
        raise InputError(
            f"{len(entries)} observations", where="observations", allowed=f"up to {_MOST_OBSERVATIONS} of one patient"
        )
    limit_min = now_min if now_min is not None else document.get("now_min")
    if limit_min is not None:
        limit_min = _number(limit_min, "", "now_min", 0.0, math.inf)
    found = []
    unknown = [key for key in document if key not in {"observations", "now_min"}]
    for index, entry in enumerate(entries):
        where = f"observations[{index}]"
        observation, extra = _read(entry, where)
        if limit_min is not None and observation.t_min > limit_min:
            raise InputError(
                f"t_min {observation.t_min:g} has not come yet",
                where=_at(where, "t_min"),
                allowed=f"up to {limit_min:g}, the time now",
            )
        found.append(observation)
        unknown += [f"{where}.{key}" for key in extra]
    return tuple(found), tuple(unknown)


# Kind -> (its function, the keys it needs).
_KINDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "concentration": (concentration, ("analyte", "matrix", "t_min", "value_ng_per_mL")),
    "pressure": (pressure, ("t_min", "sbp_mmHg", "baseline_sbp_mmHg")),
    "heart_rate": (heart_rate, ("t_min", "hr_per_min", "baseline_hr_per_min")),
}


def _read(entry: Any, where: str) -> tuple[Observation, list[str]]:
    if not isinstance(entry, Mapping):
        raise InputError(f"holds a {type(entry).__name__}", where=where, allowed="one JSON object each")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError(f"unknown kind {kind!r}", where=_at(where, "kind"), allowed=", ".join(_KINDS))
    given = dict(entry)
    if kind == "concentration" and "unit" in given:
        number = _number(given.get("value"), where, "value", 0.0, math.inf)
        unit = given.pop("unit")
        given.pop("value", None)
        given["value_ng_per_mL"] = convert(number, str(unit), "ng/mL", where=_at(where, "unit"))
    make, needed = _KINDS[kind]
    for key in needed:
        if given.get(key) is None:
            raise InputError(f"{key} is missing", where=where, allowed=f"a {kind} has {', '.join(needed)}")
    made = replace(make(**{key: given[key] for key in needed}, where=where), entry=dict(entry))
    return made, [key for key in given if key not in {"kind", *needed}]


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _time(t_min: Any, where: str) -> float:
    return _number(t_min, where, "t_min", 0.0, 3653 * 1440.0)


def _number(value: Any, where: str, name: str, low: float, high: float) -> float:
    allowed = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{value!r:.40} is not a number", where=_at(where, name), allowed=allowed)
    if not math.isfinite(value):
        raise InputError(f"{value!r} is not a finite number", where=_at(where, name), allowed=allowed)
    if not low <= value <= high:
        raise InputError(f"{value:g}", where=_at(where, name), allowed=allowed)
    return float(value)
