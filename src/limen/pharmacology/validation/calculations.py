"""Answers that no single simulation gives: two models against each other, trial effects, relapse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from limen.pharmacology import population
from limen.pharmacology.effects.outputs import effect_outputs, links
from limen.pharmacology.validation.prediction import PATIENTS, SEED, predict
from limen.pharmacology.validation.rule import Predicted
from limen.pharmacology.validation.schema import Answer, Observed, Setting

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


CALCULATIONS: dict[str, Callable[[Setting, Observed], Predicted]] = {
    "effect-at-level": _at_level,
    "linearity": _linearity,
    "arterial-below-venous": _arterial_below_venous,
}
