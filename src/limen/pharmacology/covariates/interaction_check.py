"""What was measured with another drug beside what the model gives: a report on consistency, nothing is tuned to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen.evidence import Verification
from limen.pharmacology.covariates.interactions import RouteEffect, perpetrator, perpetrators
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, parse_dose, resolve
from limen.pharmacology.simulate import simulate

# Long enough that the area is whole.
_UNTIL_MIN = 10 * 1440.0
_EVERY_MIN = 5.0
# The half-life is read off the curve from the peak's time on, as trials of 24 h read it.
_LAST_H = 24.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measured ratio, with over without the drug, and the model's.

    Attributes
    ----------
    model_ratio : float or None
        ``None`` where the model has no such quantity.
    set_by : bool
        Whether the model was given this ratio, so that agreement says nothing.
    """

    drug: str
    route: str
    quantity: str
    measured_ratio: float
    model_ratio: float | None
    set_by: bool
    verification: Verification
    source: str

    def to_json(self) -> dict[str, Any]:
        """One row of the report."""
        return {
            "drug": self.drug,
            "route": self.route,
            "quantity": self.quantity,
            "measured_ratio": self.measured_ratio,
            "model_ratio": self.model_ratio,
            "given_to_the_model": self.set_by,
            "verification": str(self.verification),
            "source": self.source,
        }


def check(drug: str, dose: Dose, model: str, product: str, *, weight_kg: float = 70.0) -> tuple[Comparison, ...]:
    """Every measured ratio of a drug by the dose's route beside the typical patient's.

    Parameters
    ----------
    drug : str
    dose : Dose
        As it was given in the study.
    model, product : str
    weight_kg : float

    Returns
    -------
    tuple of Comparison
        Empty where the drug has no verified size by the route for the product.

    Raises
    ------
    InputError
        As ``simulate.simulate`` and ``interactions.perpetrator``.

    Examples
    --------
    >>> rows = check("grapefruit", Dose(14, "po"), "perez-ruixo-2021", "s-ketamine")
    >>> [(row.quantity, row.measured_ratio, round(row.model_ratio, 1)) for row in rows][:2]
    [('auc_ratio', 3.0, 3.0), ('cmax_ratio', 2.1, 2.4)]
    """
    effect = perpetrator(drug).usable(product).get(dose.route)
    if effect is None:
        return ()
    patient = PatientProfile(age_years=40, weight_kg=weight_kg)

    def run(others: Sequence[str]) -> Forecast:
        return simulate(
            model, [dose], patient, until_min=_UNTIL_MIN, every_min=_EVERY_MIN, product=product, perpetrators=others
        )

    return _compare(perpetrator(drug).drug, effect, _measures(run([drug])), _measures(run([])))


def report(model: str = "perez-ruixo-2021", *, weight_kg: float = 70.0) -> tuple[Comparison, ...]:
    """:func:`check` of every drug, route and product that the model covers, at the doses of the studies.

    Where a study's dose was not read, one device of 28 mg is taken by nose and 0.2 mg/kg by other routes.

    Examples
    --------
    >>> {row.drug for row in report()} >= {"ticlopidine", "rifampicin"}
    True
    """
    rows: list[Comparison] = []
    for other in perpetrators():
        for effect in other.effects:
            product = effect.product or "s-ketamine"
            text = f"{effect.study_dose or ('28 mg' if effect.route == 'in' else '0.2 mg/kg')} {effect.route}"
            rows += check(other.drug, resolve(parse_dose(text), weight_kg), model, product, weight_kg=weight_kg)
    return tuple(rows)


def _compare(
    drug: str, effect: RouteEffect, changed: dict[str, float], usual: dict[str, float]
) -> tuple[Comparison, ...]:
    rows = []
    for quantity, measured in effect.measured.items():
        pair = (changed.get(quantity, math.nan), usual.get(quantity, math.nan))
        known = all(math.isfinite(value) for value in pair)
        rows.append(
            Comparison(
                drug,
                effect.route,
                quantity,
                measured,
                pair[0] / pair[1] if known else None,
                quantity == "auc_ratio",
                effect.verification,
                effect.source,
            )
        )
    return tuple(rows)


def _measures(result: Forecast) -> dict[str, float]:
    """Area, peak and half-life of the parent, area of norketamine and its ratio to the parent, by name of the ratio."""
    parent = _named(result, ("S_ketamine", "ketamine"))
    child = _named(result, ("S_norketamine",))
    found: dict[str, float] = {}
    if parent is not None:
        whole = result.summary[parent].typical
        found["cmax_ratio"] = float(whole.peak[0])
        found["half_life_ratio"] = _half_life_h(result, parent)
        if whole.auc_0_end_ng_h_per_mL is not None:
            found["auc_ratio"] = float(whole.auc_0_end_ng_h_per_mL[0])
    if child is not None:
        area = result.summary[child].typical.auc_0_end_ng_h_per_mL
        if area is not None:
            found["norketamine_auc_ratio"] = float(area[0])
            if "auc_ratio" in found:
                found["norketamine_to_parent_ratio"] = float(area[0]) / found["auc_ratio"]
    return found


def _named(result: Forecast, analytes: Sequence[str]) -> str | None:
    for analyte in analytes:
        for name in result.summary:
            if name.startswith(f"{analyte}_") and name.endswith("_ng_per_mL") and "effect_site" not in name:
                return name
    return None


def _half_life_h(result: Forecast, name: str) -> float:
    """From the last third of a day's sampling."""
    time_h = result.time_h
    values = result.outputs[name].typical
    late = (time_h >= _LAST_H * 2 / 3) & (time_h <= _LAST_H) & (values > 0)
    if late.sum() < 2:
        return math.nan
    slope = float(np.polyfit(time_h[late], np.log(values[late]), 1)[0])
    return math.log(2.0) / -slope if slope < 0 else math.nan
