"""The dose by another route that matches what was given, with the uncertainty of what is absorbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from limen.errors import InputError
from limen.pharmacology.comparison import AREA, rows_of, spread
from limen.pharmacology.exposure import number
from limen.pharmacology.forecast import flags_of
from limen.pharmacology.members import Solved, solve
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

Matched = Literal["auc", "peak"]


@dataclass(frozen=True, slots=True)
class RouteChange:
    """The dose by another route that matches what was given.

    Attributes
    ----------
    dose_mg : mapping of ``typical``, ``p05``, ``p50``, ``p95``
        For the virtual patients: what each would need.
    between_models_mg : (low, high)
        Of the members' typical patients.
    """

    product: str
    given: tuple[Dose, ...]
    route: str
    matched: Matched
    output: str
    dose_mg: Mapping[str, float | None]
    between_models_mg: tuple[float, float]
    patients: int
    flags: tuple[Flag, ...]

    def to_json(self) -> dict[str, Any]:
        """The range of doses, what it matches, and what it rests on."""
        return {
            "advises": True,
            "product": self.product,
            "given": [
                {
                    "dose_mg": dose.amount_mg,
                    "route": dose.route,
                    "at_h": dose.start_min / 60.0,
                    "duration_min": dose.duration_min,
                }
                for dose in self.given
            ],
            "route": self.route,
            "matched": self.matched,
            "output": self.output,
            "dose_mg": dict(self.dose_mg)
            | {"between_models": {"low": self.between_models_mg[0], "high": self.between_models_mg[1]}},
            "patients": self.patients,
            "flags": [{"code": flag.code, "message": flag.message} for flag in self.flags],
        }


def change_route(
    given: Sequence[Dose],
    route: str,
    patient: PatientProfile,
    product: str = "racemic",
    *,
    match: Matched = "auc",
    until_min: float = 2880.0,
    every_min: float = 2.0,
    n: int = 200,
    seed: int = 1,
    **options: Any,
) -> RouteChange:
    """The single dose by another route with the same area, or the same peak, in plasma; of the same product.

    Parameters
    ----------
    given : sequence of Dose
    route : str
        The product stays: racemic ketamine, S-ketamine and the nasal device are never made into each other.
    match : str
        ``auc`` to the end of ``until_min``, or ``peak``.
    n : int
        Virtual patients of each model: their own absorption makes the range.
    options
        ``setting``, ``member_weight`` and ``perpetrators`` of the ensemble.

    Returns
    -------
    RouteChange
        Effects, metabolites and time course are not matched.

    Raises
    ------
    InputError
        A route that the product's models do not cover; a nasal device, whose dose is a number of devices.

    Notes
    -----
    Every model is linear in the dose, so the dose sought is the number matched over what 1 mg by the route gives,
    patient by patient.

    Examples
    --------
    >>> found = change_route([Dose(25, "iv")], "iv", PatientProfile(age_years=42, weight_kg=70), n=10)
    >>> round(found.dose_mg["typical"], 6), round(found.dose_mg["p95"], 6)
    (25.0, 25.0)
    """
    if match not in get_args(Matched):
        raise InputError(f"cannot match {match!r}", where="match", allowed=", ".join(get_args(Matched)))
    if product == "esketamine-nasal":
        raise InputError(
            "the nasal device is its own product",
            where="product",
            allowed="racemic, s-ketamine",
            hint="Its dose is a number of devices, and no IV or oral esketamine is made from it",
        )

    def solved(doses: Sequence[Dose]) -> Solved:
        rng = np.random.default_rng(seed) if n else None
        return solve(doses, patient, product, until_min, every_min, n, rng, wanted_effects=(), **options)

    before, after = solved(given), solved([Dose(1.0, route)])
    name = next(name for name in before.shared() if name.endswith("_plasma_ng_per_mL"))
    measure = "cmax" if match == "peak" else AREA
    (typical_before, rows_before), (typical_after, rows_after) = (
        rows_of(plan, name, measure) for plan in (before, after)
    )
    attribute = "peak" if match == "peak" else measure
    each = [
        getattr(one.measures[mine], attribute)[0] / getattr(two.measures[other], attribute)[0]
        for (mine, one), (other, two), weight in zip(before.named(name), after.named(name), before.weights, strict=True)
        if weight > 0
    ]
    needed: dict[str, float | None] = {"typical": number(typical_before / typical_after)}
    if n:
        needed |= spread([one / two for one, two in zip(rows_before, rows_after, strict=True)], before.weights)
    told = {flag: None for plan in (before, after) for flag in flags_of(plan)}
    limits = Flag(
        "route-change",
        f"The {match} of {name} is matched and nothing else: effects, metabolites and the time course differ by route."
        " A person's own dose by a new route starts low; a range, not a conversion [P]",
    )
    return RouteChange(
        product,
        tuple(given),
        route,
        match,
        name,
        needed,
        (float(np.nanmin(each)), float(np.nanmax(each))),
        n,
        (limits, *told),
    )
