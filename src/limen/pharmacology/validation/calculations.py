"""Answers that no single simulation gives: two models against each other, trial effects, relapse."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import population
from limen.pharmacology.courses import relapse
from limen.pharmacology.courses.antidepressant import OUTPUT, course, group_of
from limen.pharmacology.courses.antidepressant_trials import antidepressant
from limen.pharmacology.effects.outputs import effect_outputs, links
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import parse_dose, resolve
from limen.pharmacology.validation.prediction import PATIENTS, SEED, predict
from limen.pharmacology.validation.rule import Predicted
from limen.pharmacology.validation.schema import Answer, Observed, Setting
from limen.units import parse_duration_min

Array = npt.NDArray[np.float64]


def _arterial_below_venous(setting: Setting, observed: Observed) -> Predicted:
    """How much smaller the volume at steady state of the arterial model is than that of the venous one."""
    volume = observed.model_copy(update={"unit": "L/kg"})
    arterial = predict(setting, volume, Answer(by="simons-2022"), population=False).typical
    venous = predict(setting, volume, Answer(by="fanta-otto-2021"), population=False).typical
    below_pct = 100.0 * (1.0 - arterial / venous)
    return Predicted(below_pct, below_pct, observed.unit)


def _at_level(setting: Setting, observed: Observed) -> Predicted:
    """An effect at a concentration held until every site has it, in the typical and in virtual patients."""
    found = _held(setting, np.array([setting.level_ng_per_mL or 0.0]), observed.of)[:, 0]
    low, middle, high = (float(item) for item in np.percentile(found[1:], (5, 50, 95)))
    return Predicted(float(found[0]), middle, observed.unit, low, high, "published")


def _linearity(setting: Setting, observed: Observed) -> Predicted:
    """How straight the effect runs from nothing to the level: its correlation with concentration over five steps."""
    steps_ng_per_mL = np.linspace(0.0, setting.level_ng_per_mL or 0.0, 5)
    typical = _held(setting, steps_ng_per_mL, observed.of)[0]
    straight = float(np.corrcoef(steps_ng_per_mL, typical)[0, 1])
    return Predicted(straight, straight, observed.unit)


def _held(setting: Setting, levels_ng_per_mL: Array, name: str) -> Array:
    """The effect (row 0 the typical patient) at each level; of the racemate half is S-ketamine."""
    draws = population.draw(PATIENTS, np.random.default_rng(SEED))
    draws = np.concatenate([np.zeros((1, draws.shape[1])), draws])
    shares = {"s-ketamine": {"S_ketamine": 1.0}, "racemic": {"S_ketamine": 0.5, "R_ketamine": 0.5}}[setting.product]
    sites = ("", *(f"@{link}" for link in links(draws[:1])))
    held = {
        f"{analyte}{site}": np.tile(share * levels_ng_per_mL, (len(draws), 1))
        for analyte, share in shares.items()
        for site in sites
    }
    return effect_outputs(held, draws, wanted={name}).values[name]


def _madrs_difference(setting: Setting, observed: Observed) -> Predicted:
    """MADRS difference from placebo, where each session restores the effect and no more."""
    return _course(setting, observed, OUTPUT)


def _madrs_difference_added(setting: Setting, observed: Observed) -> Predicted:
    """The same where the effects of sessions add."""
    return _course(setting, observed, f"{OUTPUT}_if_sessions_add")


def _madrs_effect_size(setting: Setting, observed: Observed) -> Predicted:
    """The difference in standard deviations of one patient's change."""
    found = _course(setting, observed, OUTPUT)
    sd = antidepressant().patient_sd.value
    low, high = (None if end is None else end / sd for end in (found.low, found.high))
    return Predicted(found.typical / sd, found.value / sd, observed.unit, low, high, found.spread)


def _course(setting: Setting, observed: Observed, output: str) -> Predicted:
    profile, _ = PatientProfile.from_json(dict(setting.patient))
    doses = [resolve(parse_dose(text), profile.weight_kg) for text in setting.doses]
    group = group_of(setting.product, doses[0].route, doses[0].amount_mg, profile.weight_kg)
    at_h = parse_duration_min(observed.at or "") / 60.0
    found = course(
        group,
        [dose.start_min / 1440.0 for dose in doses],
        until_days=max(at_h / 24.0, 0.5 + doses[-1].start_min / 1440.0),
        every_h=1.0,
        n=PATIENTS,
        rng=np.random.default_rng(SEED),
    )
    curve = found.outputs[output]
    place = int(np.searchsorted(found.time_days, at_h / 24.0 - 1e-9))
    spread = curve.between_patients
    typical = float(curve.typical[place])
    if spread is None:
        return Predicted(typical, typical, observed.unit)
    low, middle, high = (float(item[place]) for item in (spread.p05, spread.p50, spread.p95))
    return Predicted(typical, middle, observed.unit, low, high, "trials")


def _relapsed(stage: str, observed: Observed) -> Predicted:
    """Per cent relapsed by a day, by the curve with the heavy tail."""
    at_days = parse_duration_min(observed.at or "") / 1440.0
    found = relapse.course(stage, until_days=at_days, every_days=at_days)
    if relapse.OUTPUT not in found.outputs:
        raise InputError(f"no curve of relapse for {stage}: {found.row.missing}")
    relapsed_pct = 100.0 - float(found.outputs[relapse.OUTPUT].typical[-1])
    return Predicted(relapsed_pct, relapsed_pct, observed.unit)


CALCULATIONS: dict[str, Callable[[Setting, Observed], Predicted]] = {
    "effect-at-level": _at_level,
    "linearity": _linearity,
    "arterial-below-venous": _arterial_below_venous,
    "madrs-difference": _madrs_difference,
    "madrs-difference-if-sessions-add": _madrs_difference_added,
    "madrs-effect-size": _madrs_effect_size,
    **{
        f"relapsed:{stage}": functools.partial(lambda stage, _, observed: _relapsed(stage, observed), stage)
        for stage in ("one-infusion-0.5-responders", "six-infusions")
    },
}
