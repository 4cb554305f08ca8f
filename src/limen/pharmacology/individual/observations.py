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
    "S_hydroxynorketamine",
)

# The most that can be meant; past these a number is a slip (project rule).
_MOST_NG_PER_ML = 100_000.0
_SBP_MMHG = (40.0, 300.0)
_HR_PER_MIN = (20.0, 250.0)
_MOST_OBSERVATIONS = 1000

# What an observation tells of the curve: its value at a time, its peak, or when the patient was ready to leave.
AT, PEAK, READY = "at", "peak", "ready"
READY_OUTPUT = "ready_min"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen, beside what a model calls it.

    Attributes
    ----------
    kind : str
        ``concentration``, ``pressure``, ``heart_rate``, ``dissociation``, ``sedation``, ``earlier_peak`` or
        ``earlier_recovery``.
    t_min : float
        From the start of the session; of an earlier session's peak, 0.
    output : str
        The NAME of the prediction; a concentration's holds the matrix it was taken from.
    value, unit : float, str
        What the prediction is compared with: a concentration, or the change from the baseline.
    analyte, matrix : str or None
        Of a concentration.
    shared : str
        Names an error it has in common with others, such as that of one baseline; empty for none.
    measure : str
        ``at`` a time, or the ``peak`` or the time of being ``ready`` in another session.
    session : tuple of str
        The doses of that other session; empty for this one.
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
    measure: str = AT
    session: tuple[str, ...] = ()
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


def dissociation(t_min: float, vas_pct: float, *, where: str = "") -> Observation:
    """How strange everything seems, from 0 to 100.

    Examples
    --------
    >>> dissociation(30, 45).output
    'dissociation_pct'
    """
    seen_pct = _number(vas_pct, where, "vas_pct", 0.0, 100.0)
    return Observation(
        "dissociation", _time(t_min, where), "dissociation_pct", seen_pct, "pct", shared="of one person's ratings"
    )


def sedation(t_min: float, moaas: int, *, where: str = "") -> Observation:
    """A rating of the MOAA/S, 5 (alert) to 0 (no answer to pain).

    Examples
    --------
    >>> sedation(30, 5).value
    5.0
    """
    score = _number(moaas, where, "moaas", 0.0, 5.0)
    if score != int(score):
        raise InputError(f"{score:g}", where=_at(where, "moaas"), allowed="a whole number from 0 to 5")
    return Observation("sedation", _time(t_min, where), "unresponsive_pct", score, "score")


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
    "dissociation": (dissociation, ("t_min", "vas_pct")),
    "sedation": (sedation, ("t_min", "moaas")),
}
# What an earlier session's peak may be of: by the key that only this kind has.
_PEAKS = {
    "value_ng_per_mL": "concentration",
    "sbp_mmHg": "pressure",
    "hr_per_min": "heart_rate",
    "vas_pct": "dissociation",
}
EARLIER = ("earlier_peak", "earlier_recovery")


def _read(entry: Any, where: str) -> tuple[Observation, list[str]]:
    if not isinstance(entry, Mapping):
        raise InputError(f"holds a {type(entry).__name__}", where=where, allowed="one JSON object each")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in {*_KINDS, *EARLIER}:
        raise InputError(f"unknown kind {kind!r}", where=_at(where, "kind"), allowed=", ".join([*_KINDS, *EARLIER]))
    given = {key: value for key, value in entry.items() if key != "kind"}
    _standard(given, where)
    if kind == "earlier_recovery":
        made = _recovery(given, where)
        used = {"dose", "ready_min"}
    elif kind == "earlier_peak":
        of_kind = next((name for key, name in _PEAKS.items() if given.get(key) is not None), None)
        if of_kind is None:
            raise InputError("no peak given", where=where, allowed=" or ".join(_PEAKS))
        made, used = _made(of_kind, given | {"t_min": 0}, where)
        made = replace(made, kind=kind, measure=PEAK, session=_session(given, where))
        used |= {"dose"}
    else:
        made, used = _made(kind, given, where)
    return replace(made, entry=dict(entry)), [key for key in given if key not in used]


def _made(kind: str, given: Mapping[str, Any], where: str) -> tuple[Observation, set[str]]:
    make, needed = _KINDS[kind]
    for key in needed:
        if given.get(key) is None:
            raise InputError(f"{key} is missing", where=where, allowed=f"{kind} has {', '.join(needed)}")
    made: Observation = make(**{key: given[key] for key in needed}, where=where)
    return made, set(needed)


def _standard(given: dict[str, Any], where: str) -> None:
    """Another unit of concentration, and the chair's own scale of dissociation, made into what is read above."""
    if "unit" in given:
        number = _number(given.pop("value", None), where, "value", 0.0, math.inf)
        given["value_ng_per_mL"] = convert(number, str(given.pop("unit")), "ng/mL", where=_at(where, "unit"))
    if "score" in given:
        from limen.pharmacology.individual.noise import noise

        score = _number(given.pop("score"), where, "score", 0.0, 4.0)
        given["vas_pct"] = score * noise().dissociation_scale.value


def _session(given: Mapping[str, Any], where: str) -> tuple[str, ...]:
    doses = given.get("dose")
    listed = [doses] if isinstance(doses, str) else doses
    if not isinstance(listed, list) or not listed or not all(isinstance(dose, str) for dose in listed):
        raise InputError(
            "the doses of the earlier session are missing", where=_at(where, "dose"), allowed="'35 mg iv over 40 min'"
        )
    return tuple(listed)


def _recovery(given: Mapping[str, Any], where: str) -> Observation:
    ready_min = _number(given.get("ready_min"), where, "ready_min", 1.0, 1440.0)
    return Observation(
        "earlier_recovery", 0.0, READY_OUTPUT, ready_min, "min", measure=READY, session=_session(given, where)
    )


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
