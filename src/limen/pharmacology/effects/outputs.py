"""Every effect of a course of concentrations, with what must be said beside it."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology import population
from limen.pharmacology.effects import curves as equations
from limen.pharmacology.effects.catalogue import effects
from limen.pharmacology.effects.schema import Estimate, Index, Line, OpioidShift, Responsiveness
from limen.pharmacology.models.schema import Product
from limen.pharmacology.outcome import Flag

Array = npt.NDArray[np.float64]

# What a monitor or a nurse can see at the chair; screens and stored forecasts hold these.
CHAIRSIDE = ("dissociation_pct", "sbp_change_mmHg", "dbp_change_mmHg", "hr_change_per_min", "unresponsive_pct")


def links(draws: Array) -> dict[str, Array]:
    """Rates of the links between plasma and the places of effect.

    Parameters
    ----------
    draws : array (rows, len(population.COLUMNS))
        Standard normal; zeros are the typical patient.

    Returns
    -------
    dict of link name to ke0, per minute, array (rows,)

    Examples
    --------
    >>> {name: float(rate[0].round(4)) for name, rate in links(np.zeros((1, len(population.COLUMNS)))).items()}
    {'effect': 0.0835, 'pressure': 0.1066, 'sedation': 1.8098}
    """
    return {
        name: math.log(2.0) / _drawn(link.half_life, link.column, draws)[:, 0] for name, link in effects().sites.items()
    }


@dataclass(frozen=True, slots=True)
class EffectCurves:
    """Effects over time, and the highest typical concentration that drives each.

    Attributes
    ----------
    values : mapping of NAME to array (rows, times)
    drive_ng_per_mL : mapping of NAME to float
        Of row 0; NaN where no time may be believed.
    """

    values: Mapping[str, Array]
    drive_ng_per_mL: Mapping[str, float]


def effect_names() -> tuple[str, ...]:
    """The NAMEs of every effect over time.

    Examples
    --------
    >>> effect_names()[:2]
    ('antinociception_olofsen_pct', 'antinociception_simons_pct')
    """
    found = effects()
    return (
        *(index.output for index in found.indices),
        *(line.output for line in found.lines),
        found.responsiveness.output,
        found.responsiveness.output_by_plasma,
        found.ventilation.output,
        found.occupancy.outputs.enantiomers,
        found.occupancy.outputs.racemate,
    )


def effect_outputs(
    curves: Mapping[str, Array],
    draws: Array,
    *,
    wanted: Collection[str] | None = None,
    believed: npt.NDArray[np.bool_] | None = None,
) -> EffectCurves:
    """Every effect of these concentrations.

    Parameters
    ----------
    curves : mapping of ANALYTE or ANALYTE@LINK to array (rows, times)
        In ng/mL: ``S_ketamine`` and, of racemic drug, ``R_ketamine``; or ``ketamine`` where a model has only the sum.
    draws : array (rows, len(population.COLUMNS))
        Standard normal; row 0 zeros, the typical patient.
    wanted : collection of NAME, optional
        Only these; all of ``effect_names()`` where not given.
    believed : array of bool (times,), optional
        Where the concentrations may be believed, for the drives.

    Returns
    -------
    EffectCurves

    Examples
    --------
    >>> still = {name: np.full((1, 2), 121.0) for name in ("S_ketamine", "S_ketamine@effect", "S_ketamine@pressure")}
    >>> found = effect_outputs(still, np.zeros((1, len(population.COLUMNS))), wanted={"dissociation_pct"})
    >>> found.values["dissociation_pct"].tolist()
    [[50.0, 50.0]]
    """
    models = effects()
    chosen = set(effect_names()) if wanted is None else set(wanted)
    drives: dict[str, Array] = {}
    values: dict[str, Array] = {}
    for index in models.indices:
        if index.output in chosen:
            ce = drives[index.output] = _s_ketamine(curves, index.site)
            c50 = _drawn(index.c50, index.column, draws)
            values[index.output] = equations.percent_of_maximum(ce, c50, index.gamma.value)
    for line in models.lines:
        if line.output in chosen:
            ce = drives[line.output] = _s_ketamine(curves, line.site)
            values[line.output] = equations.in_proportion(ce, _slope(line, draws))
    awake = models.responsiveness
    for output, level, site in (
        (awake.output, awake.recovery, awake.site),
        (awake.output_by_plasma, awake.recovery_in_plasma, "plasma"),
    ):
        if output in chosen:
            ce = drives[output] = _racemate(curves, awake.site)
            values[output] = equations.unresponsive_pct(ce, _racemate(curves, site), awake.loss, level)
    shift = models.ventilation
    if shift.output in chosen:
        c_s = drives[shift.output] = _s_ketamine(curves, shift.site)
        values[shift.output] = equations.opioid_c50_ratio(c_s, _drawn(shift.doubling, shift.column, draws))
    indices = models.occupancy.outputs
    if {indices.enantiomers, indices.racemate} & chosen:
        values |= {name: found for name, found in _occupancies(curves).items() if name in chosen}
    # Several effects are driven from one site: each is looked through once.
    highest = {
        id(drive): _highest(drive[0], believed) for drive in {id(drive): drive for drive in drives.values()}.values()
    }
    return EffectCurves(values, {name: highest[id(drive)] for name, drive in drives.items()})


def _drawn(estimate: Estimate, column: str | None, draws: Array) -> Array:
    """The value of each patient, (rows, 1)."""
    if column is None or (len(draws) == 1 and not draws.any()):
        return np.full((len(draws), 1), estimate.typical)
    return estimate.drawn(draws[:, population.COLUMNS.index(column)])[:, None]


def _slope(line: Line, draws: Array) -> Array:
    """The slope of each patient, (rows, 1): the mean as far as it is known, times the person's own factor."""
    slope = _drawn(line.slope, line.column, draws)
    if line.people is None or not draws.any():
        return slope
    own = line.people.factor(draws[:, population.COLUMNS.index(line.people.column)])
    # A row of zeros is the typical patient: the published mean.
    return slope * np.where(draws.any(axis=1), own, 1.0)[:, None]


def _s_ketamine(curves: Mapping[str, Array], site: str) -> Array:
    at = "" if site == "plasma" else f"@{site}"
    if f"S_ketamine{at}" in curves:
        return curves[f"S_ketamine{at}"]
    return curves[f"ketamine{at}"] * effects().racemic_s_share.value


def _racemate(curves: Mapping[str, Array], site: str) -> Array:
    """Racemic ketamine; S-ketamine alone counts as the racemate that is as strong in anaesthesia."""
    at = "" if site == "plasma" else f"@{site}"
    if f"R_ketamine{at}" in curves:
        return curves[f"S_ketamine{at}"] + curves[f"R_ketamine{at}"]
    if f"S_ketamine{at}" in curves:
        return curves[f"S_ketamine{at}"] * effects().responsiveness.s_potency.value
    return curves[f"ketamine{at}"]


def _occupancies(curves: Mapping[str, Array]) -> dict[str, Array]:
    model = effects().occupancy
    s_ketamine = _s_ketamine(curves, "plasma")
    r_ketamine = curves.get("R_ketamine")
    if r_ketamine is None and "S_ketamine" not in curves:
        r_ketamine = curves["ketamine"] - s_ketamine
    per_umol = 1.0 / model.molar_mass_g_per_mol.value
    free = model.unbound_enantiomer.value * per_umol
    competitors = [(s_ketamine * free, model.ki_S_ketamine.value)]
    if r_ketamine is not None:
        competitors.append((r_ketamine * free, model.ki_R_ketamine.value))
    found = {model.outputs.enantiomers: equations.occupancy_pct(*competitors)}
    if r_ketamine is not None:
        # The other laboratory measured the racemate alone: nothing is said of S-ketamine given by itself.
        total = (s_ketamine + r_ketamine) * model.unbound_racemate.value * per_umol
        found[model.outputs.racemate] = equations.occupancy_pct((total, model.ki_racemate.value))
    return found


def _highest(drive: Array, believed: npt.NDArray[np.bool_] | None) -> float:
    seen = drive if believed is None else drive[believed]
    return float(np.max(seen)) if len(seen) else math.nan


def effect_flags(
    product: Product, lumped: bool, n: int, drive_ng_per_mL: Mapping[str, float], matrices: Collection[str] = ()
) -> list[Flag]:
    """What the effect curves rest on.

    Parameters
    ----------
    lumped : bool
        Whether a model has only the sum of S and R.
    n : int
        Virtual patients.
    drive_ng_per_mL : mapping of NAME to float
        The highest typical concentration behind each effect shown.
    matrices : collection of Matrix
        The blood of the models used.
    """
    models = effects()
    found = [_of_link(product, bool(n))]
    pressure = models.pressure.output
    if pressure in drive_ng_per_mL:
        found.append(_of_pressure(lumped))
    told = {name: effect for name, effect in _shown().items() if name in drive_ng_per_mL}
    for name, effect in told.items():
        if name != pressure:
            found.append(_of_model(name))
        drive, limit = drive_ng_per_mL[name], effect.supported_to
        if drive > limit.value:
            driver = "ketamine" if effect is models.responsiveness else "S-ketamine"
            found.append(
                Flag(
                    "effect-extrapolated",
                    f"{name}: typical {driver} reaches {drive:.0f} ng/mL at its site; the model is supported up to"
                    f" {limit.value:g} [{limit.verification}]",
                )
            )
    found += _of_matrix(told, matrices)
    if {"dissociation_pct", "drug_high_pct"} <= set(told):
        one, other = models.index("dissociation_pct").c50, models.index("drug_high_pct").c50
        found.append(
            Flag(
                "effect-studies-disagree",
                f"Two studies give S-ketamine C50s of {one.typical:g} ({one.low:g} to {one.high:g}, external"
                f" perception) and {other.typical:g} ng/mL (drug high): both are shown; studies differ",
            )
        )
    return found


@functools.cache
def _shown() -> dict[str, Index | Line | OpioidShift | Responsiveness]:
    """The effects that are driven by a concentration, by their output."""
    models = effects()
    return {
        **{index.output: index for index in models.indices},
        **{line.output: line for line in models.lines},
        models.ventilation.output: models.ventilation,
        models.responsiveness.output: models.responsiveness,
    }


@functools.cache
def _of_model(name: str) -> Flag:
    return Flag("effect-model", f"{name}: {_shown()[name].is_not}")


def _of_matrix(
    told: Mapping[str, Index | Line | OpioidShift | Responsiveness], matrices: Collection[str]
) -> list[Flag]:
    """Effects estimated from one kind of blood and driven by another."""
    found = []
    for matrix, other in (("arterial", "venous"), ("venous", "arterial")):
        names = [name for name, effect in told.items() if effect.matrix == matrix]
        if names and other in matrices:
            found.append(
                Flag(
                    "effect-matrix",
                    f"{', '.join(names)}: estimated from {matrix} blood, driven here by {other}; soon after a change of"
                    " dose the two differ",
                )
            )
    return found


@functools.cache
def _of_link(product: Product, drawn: bool) -> Flag:
    delay = effects().effect_site.half_life
    spread = (
        f"; virtual patients draw it from a lognormal with the interval {delay.low:g} to {delay.high:g} min, which is"
        " the uncertainty of the estimate and not spread between people [P]"
        if drawn
        else f" (interval {delay.low:g} to {delay.high:g})"
    )
    others = "; applied to R and to the sum as well [P]" if product == "racemic" else ""
    return Flag(
        "effect-site-link",
        f"Effect site: one half-life of {delay.typical:g} min for every model, estimated for S-ketamine from arterial"
        f" samples (Olofsen 2022) [V]{others}{spread}",
    )


@functools.cache
def _of_pressure(lumped: bool) -> Flag:
    pressure, delay = effects().pressure, effects().pressure_half_life
    share = "; S is taken as half where a model has only the sum of S and R [P]" if lumped else ""
    return Flag(
        "assumed-effect-model",
        f"{pressure.output}: {pressure.slope.typical:g} {pressure.slope.unit} of S-ketamine with a half-life of"
        f" {delay.typical:g} min is an assumption of this project [P], set from the mean rise in 741 infusions."
        f" {pressure.is_not}{share}",
    )


@functools.cache
def effect_sources() -> tuple[str, ...]:
    """Source keys behind every effect, once.

    Examples
    --------
    >>> effect_sources()[0]
    'pd-olofsen-2022'
    """
    models = effects()
    keys = [models.effect_site.half_life.source]
    for index in models.indices:
        keys += [index.c50.source, index.supported_to.source]
    for line in models.lines:
        keys += [line.slope.source, line.supported_to.source]
        keys += [line.people.source] if line.people is not None else []
    awake, nmda = models.responsiveness, models.occupancy
    keys += [awake.loss.source, awake.recovery_in_plasma.source, models.ventilation.doubling.source]
    keys += [nmda.ki_S_ketamine.source, nmda.ki_racemate.source]
    return tuple(key for key in dict.fromkeys(keys) if key != "limen")
