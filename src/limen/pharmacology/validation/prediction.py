"""What a model predicts for an observation: one simulation a setting, read in the unit of the observation."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import models
from limen.pharmacology.effects.outputs import effect_names
from limen.pharmacology.exposure import Measures
from limen.pharmacology.forecast import forecast
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import parse_dose, resolve
from limen.pharmacology.response import name_of
from limen.pharmacology.simulate import simulate
from limen.pharmacology.validation.rule import Predicted
from limen.pharmacology.validation.schema import Answer, Observed, Setting, Target
from limen.units import parse_duration_min

Array = npt.NDArray[np.float64]

PATIENTS = 400
SEED = 1

# g/mol of base.
_MOLAR_MASS = {"ketamine": 237.73, "norketamine": 223.70, "hydroxynorketamine": 239.70}
_TIME = {"h": 1.0, "min": 60.0}
_AREA = {"ng h/mL": 1.0, "ng min/mL": 60.0}
_PLAIN = {"ng/mL", "ratio", "mmHg", "1/min", "%", "points"}


@functools.lru_cache(maxsize=64)
def _run(
    by: str,
    product: str,
    doses: tuple[str, ...],
    patient: tuple[tuple[str, float | str], ...],
    until: str,
    every: str,
    population: bool,
    effects: tuple[str, ...],
) -> Forecast:
    profile, unknown = PatientProfile.from_json(dict(patient))
    if unknown:
        raise InputError(f"unknown {', '.join(unknown)}", where="patient")
    given = [resolve(parse_dose(text), profile.weight_kg) for text in doses]
    until_min, every_min = parse_duration_min(until), parse_duration_min(every)
    wanted = PATIENTS if population else 0
    rng = np.random.default_rng(SEED)
    if by == models.ENSEMBLE:
        return forecast(given, profile, product, until_min, every_min, wanted, rng, wanted_effects=effects)
    return simulate(
        by,
        given,
        profile,
        until_min=until_min,
        every_min=every_min,
        product=product,
        n=wanted,
        rng=rng,
        wanted_effects=effects,
    )


def run(by: str, setting: Setting, *, doses: tuple[str, ...] | None = None, population: bool = True) -> Forecast:
    """The setting simulated by a model, or by the ensemble, with virtual patients where it has a spread for them.

    Raises
    ------
    InputError
        If the model is not on file or does not cover the product or the route; the words say which.
    """
    given = doses or setting.doses
    spread = population and spread_of(by, given) != "none"
    patient = tuple(sorted(setting.patient.items()))
    effects = tuple(sorted({item.of for item in setting.questions} & set(effect_names())))
    return _run(by, setting.product, given, patient, setting.until, setting.every, spread, effects)


def spread_of(by: str, doses: tuple[str, ...]) -> str:
    """Where the virtual patients of a prediction differ: ``published``, ``assumed``, ``models`` or ``none``."""
    if by == models.ENSEMBLE:
        return "models"
    model = models.get(by)
    if any(parse_dose(text).route not in model.routes for text in doses):
        return "assumed"
    return "published" if model.variability else "none"


def predict(setting: Setting, observed: Observed | Target, answer: Answer, *, population: bool = True) -> Predicted:
    """What the answering model says of one observed number.

    Raises
    ------
    InputError
        If the model cannot answer; the words say why.
    """
    result = run(answer.by, setting, population=population)
    spread = spread_of(answer.by, setting.doses) if result.patients else "none"
    if observed.measure == "value-at":
        made = _value_at(result, observed)
    elif observed.measure in {"vss", "half-life"}:
        typical = _of_curve(result, setting, observed)
        made = Predicted(typical, typical, "")
    else:
        made = _of_patients(setting, result, observed, answer, population)
    factor = _factor(observed, setting, answer)
    return Predicted(
        made.typical * factor,
        made.value * factor,
        observed.unit,
        None if made.low is None else made.low * factor,
        None if made.high is None else made.high * factor,
        spread if made.low is not None else "none",
    )


def output_of(result: Forecast, analyte: str) -> str:
    """The NAME under which a result holds an analyte or an effect.

    Raises
    ------
    InputError
        If it holds no such thing.
    """
    if analyte in result.outputs:
        return analyte
    matrix = "plasma" if result.model == models.ENSEMBLE else models.get(result.model).matrix
    name = name_of(analyte, matrix)
    if name not in result.outputs:
        raise InputError(f"{result.model} does not give {analyte.replace('_', '-')}")
    return name


def _value_at(result: Forecast, observed: Observed | Target) -> Predicted:
    curve = result.outputs[output_of(result, observed.of)]
    at_h = parse_duration_min(observed.at or "") / 60.0

    def read(values: Array) -> float:
        return float(np.interp(at_h, result.time_h, values))

    typical = read(curve.typical)
    patients = curve.between_patients
    if patients is None:
        return Predicted(typical, typical, "")
    return Predicted(typical, read(patients.p50), "", read(patients.p05), read(patients.p95))


def _of_patients(
    setting: Setting, result: Forecast, observed: Observed | Target, answer: Answer, population: bool
) -> Predicted:
    """A measure of each virtual patient's own curve."""
    summary = result.summary[output_of(result, observed.of)]
    typical = _measured(summary.typical, observed.measure)
    patients = None if summary.patients is None else _measured(summary.patients, observed.measure)
    if observed.measure == "auc-ratio":
        below = result.summary[output_of(result, observed.per or "")]
        typical = typical / _measured(below.typical, observed.measure)
        patients = (
            None if patients is None or below.patients is None else patients / _measured(below.patients, "auc-ratio")
        )
    elif observed.measure == "bioavailability":
        reference = run(answer.by, setting, doses=(setting.reference_dose or "",), population=population)
        below = reference.summary[output_of(reference, observed.of)]
        typical = 100.0 * typical / _measured(below.typical, observed.measure)
        if patients is not None:
            # Without a spread of its own the reference is the same for all patients.
            each = below.typical if below.patients is None else below.patients
            patients = 100.0 * patients / _measured(each, observed.measure)
    elif observed.measure == "clearance":
        dose_mg = _dose_mg(setting, answer.by, observed.of)
        # mg over ng h/mL is 1000 L/h.
        typical = 1000.0 * dose_mg / typical
        patients = None if patients is None else 1000.0 * dose_mg / patients
    if patients is None:
        return Predicted(float(typical[0]), float(typical[0]), "")
    low, middle, high = (float(item) for item in np.nanpercentile(patients, (5, 50, 95)))
    return Predicted(float(typical[0]), middle, "", low, high)


def _measured(measures: Measures, measure: str) -> Array:
    if measure == "cmax":
        return measures.peak
    if measure == "tmax":
        return measures.tmax_h
    area = measures.auc_0_24_ng_h_per_mL if measure == "auc-0-24" else measures.auc_0_end_ng_h_per_mL
    if area is None:
        raise InputError("the horizon is too short for this area")
    return area


def _dose_mg(setting: Setting, by: str, analyte: str) -> float:
    weight_kg = _weight_kg(setting.patient)
    given_mg = sum(resolve(parse_dose(text), weight_kg).amount_mg for text in setting.doses)
    if by == models.ENSEMBLE:
        return given_mg
    shares = {arm.analyte: arm.dose_fraction.get(setting.product, 0.0) for arm in models.get(by).arms}
    return given_mg * (shares[analyte] if analyte in shares else sum(shares.values()))


def _of_curve(result: Forecast, setting: Setting, observed: Observed | Target) -> float:
    """Terminal half-life (h), or volume at steady state (L), of the typical curve by moments."""
    curve = result.outputs[output_of(result, observed.of)].typical
    time_h = result.time_h
    late = time_h >= time_h[-1] / 2
    slope_per_h = -float(np.polyfit(time_h[late], np.log(curve[late]), 1)[0])
    if observed.measure == "half-life":
        return float(np.log(2.0)) / slope_per_h
    tail, end_h = float(curve[-1]) / slope_per_h, float(time_h[-1])
    area = float(np.trapezoid(curve, time_h)) + tail
    moment = float(np.trapezoid(curve * time_h, time_h)) + tail * (end_h + 1.0 / slope_per_h)
    order = parse_dose(setting.doses[0])
    resident_h = moment / area - order.duration_min / 120.0
    return 1000.0 * _dose_mg(setting, result.model, observed.of) / area * resident_h


def _factor(observed: Observed | Target, setting: Setting, answer: Answer) -> float:
    """From the engine's unit (ng/mL, h, ng h/mL, L/h, L, fraction of 100) to that of the observation."""
    weight_kg = _weight_kg(setting.patient)
    units: dict[str, Mapping[str, float]] = {
        "tmax": _TIME,
        "half-life": _TIME,
        "auc-0-24": _AREA,
        "auc-to-end": _AREA,
        "clearance": {
            "L/h": 1.0,
            "mL/min": 1000.0 / 60.0,
            "mL/min/kg": 1000.0 / 60.0 / (weight_kg or 1.0),
            "L/min/kg": 1.0 / 60.0 / (weight_kg or 1.0),
        },
        "vss": {"L": 1.0, "L/kg": 1.0 / (weight_kg or 1.0)},
    }
    if observed.measure in units:
        return units[observed.measure][observed.unit]
    if observed.unit == "nmol/mL":
        species = observed.of.split("_")[-1]
        return 1.0 / _MOLAR_MASS["ketamine" if answer.ketamine_mass else species]
    if observed.unit not in _PLAIN:
        raise InputError(f"the unit {observed.unit!r} is not known here", where=observed.of)
    return 1.0


def _weight_kg(patient: Mapping[str, float | str]) -> float | None:
    weight = patient.get("weight_kg")
    return None if weight is None else float(weight)
