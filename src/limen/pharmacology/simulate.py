"""One model, one patient (or a population of patients like this one)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from limen.errors import InputError
from limen.pharmacology import flags, models, population
from limen.pharmacology.absorption.assumed import covers
from limen.pharmacology.covariates.interactions import Modifiers, modifiers
from limen.pharmacology.covariates.liver_split import liver_of
from limen.pharmacology.covariates.organ_function import organ_function
from limen.pharmacology.effects import effect_flags, effect_sources
from limen.pharmacology.ensemble import ensemble
from limen.pharmacology.exposure import Curve, Percentiles
from limen.pharmacology.models.schema import Model, Omega, Product, Route
from limen.pharmacology.outcome import Flag, Forecast, Summary
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.recovery import Leaving, ready_to_leave
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import MAX_PATIENT_POINTS, Array, Grid, respond
from limen.pharmacology.steady_state import SteadyDose, corners_of
from limen.pharmacology.withholding import withhold

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort, Crowd


def simulate(
    model: str | Model,
    doses: Sequence[Dose],
    patient: PatientProfile,
    *,
    until_min: float,
    every_min: float = 1.0,
    product: str | None = None,
    n: int = 0,
    rng: np.random.Generator | None = None,
    perpetrators: Sequence[str] = (),
    wanted_effects: Collection[str] | None = None,
    leaving: Leaving | None = None,
    people: Crowd | None = None,
    steady: Sequence[SteadyDose] = (),
    resets_min: Sequence[float] = (),
) -> Forecast:
    """What one published model says will happen.

    Parameters
    ----------
    model : str or Model
        An id of ``models.list_models()``, or a model you loaded.
    doses : sequence of Dose
    patient : PatientProfile
    until_min, every_min : float
        Horizon and step of the curves.
    product : str, optional
        ``racemic``, ``s-ketamine`` or ``esketamine-nasal``; where not given the model's own, or the one it knows by the
        routes asked. Products are never converted.
    n : int
        Virtual patients with this patient's covariates; 0 gives the typical patient alone.
    rng : numpy.random.Generator, optional
        Needed for a population. The same state gives the same patient i whatever ``n``.
    perpetrators : sequence of str
        Drugs taken too; only effect sizes published for the route are applied, the others are flagged.
    wanted_effects : collection of NAME, optional
        Only these of ``effects.outputs.effect_names()``; all where not given.
    leaving : Leaving, optional
        Criteria and minimum stay, for the time at which patients are ready to leave.
    people : Crowd, optional
        Virtual patients with bodies and ages of their own; the typical patient stays the one given.
    steady : sequence of SteadyDose, optional
        Doses at the steady state of themselves (SS of dosing records).
    resets_min : sequence of float, optional
        Instants at which the body is emptied (EVID 3 and 4 of dosing records).

    Returns
    -------
    Forecast
        Curves include a bolus at its own instant.

    Raises
    ------
    InputError
        Unknown model, product or route, no dose, missing weight, a horizon that is not over 0, too many points.

    Examples
    --------
    >>> from limen.pharmacology.regimen import parse_dose, resolve
    >>> dose = resolve(parse_dose("10 mg iv over 30 min"), 70)
    >>> result = simulate("fanta-otto-2021", [dose], PatientProfile(weight_kg=70), until_min=240)
    >>> round(float(result.outputs["S_ketamine_venous_ng_per_mL"].typical.max()), 1)
    49.9
    """
    chosen = models.get(model) if isinstance(model, str) else model
    # Everything that is given, for what is said of it; those in their steady state stand for themselves alone.
    given = [*doses, *(item.dose for item in steady)]
    asked = check_product(product or usual_product(chosen, given), chosen.products, chosen.id)
    check_routes(chosen, asked, given, patient)
    schedule = Schedule.of(doses)
    grid = Grid.of(until_min, every_min, schedule, corners_of(steady, resets_min))
    draws, cohort, told = draw_people(n, rng, len(grid.asked_min), patient, people, [chosen])
    variability, assumed = variability_of(chosen)
    changed = modifiers_under(perpetrators, chosen, asked, given, patient)
    response = respond(
        chosen,
        doses,
        asked,
        patient,
        grid,
        schedule,
        draws,
        variability=variability,
        modifiers=changed,
        wanted_effects=wanted_effects,
        cohort=cohort,
        steady=steady,
        resets_min=resets_min,
    )
    found = [
        *flags.of_regimen(given, grid.end_min),
        *(item.flag() for item in steady),
        *flags.of_model(chosen, asked, patient, given),
        *flags.of_occasions(chosen, given, n),
        *flags.of_patient(patient),
        *told,
        *changed.flags,
        *response.flags,
        *(assumed_variability_flags([chosen]) if assumed and n else []),
        *effect_flags(asked, is_lumped(chosen), n, response.drive_ng_per_mL, {chosen.matrix}),
    ]
    recovery = None
    if leaving is not None:
        recovery = ready_to_leave(
            grid.solved_min,
            {name: values[0] for name, values in response.values.items()},
            {name: values[1:] for name, values in response.values.items()} if n else None,
            leaving,
            dose_start_min=min(dose.start_min for dose in given),
            dose_end_min=max(dose.end_min for dose in given),
        )
        found += recovery.flags()
    outputs, summary = {}, {}
    for name, values in response.values.items():
        shown = grid.shown(values)
        outputs[name] = Curve(shown[0], Percentiles.over(shown[1:]) if n else None)
        measures = response.measures[name]
        summary[name] = Summary(measures.rows(slice(0, 1)), measures.rows(slice(1, None))) if n else Summary(measures)
    return withhold(
        Forecast(
            chosen.id,
            asked,
            grid.asked_min / 60.0,
            outputs,
            summary,
            tuple(found),
            cited([chosen], changed.sources),
            patients=n,
            recovery=recovery,
        )
    )


def check_product(product: str, products: Sequence[str], who: str) -> Product:
    """The product, if this model may be asked for it."""
    for known in get_args(Product):
        if product == known and product in products:
            found: Product = known
            return found
    raise InputError(
        f"{who} does not cover {product!r}",
        where="product",
        allowed=", ".join(products),
        hint="Racemic ketamine, IV S-ketamine and nasal esketamine are never converted into each other",
    )


def usual_product(model: Model, doses: Sequence[Dose]) -> Product:
    """The model's own product, unless another of its products is the one it knows by these routes.

    Examples
    --------
    >>> usual_product(models.get("perez-ruixo-2021"), [Dose(84, "po")])
    's-ketamine'
    """
    for product in (model.product, *model.products):
        if all(_by_model(model, product, dose.route) for dose in doses):
            return product
    return model.product


def _by_model(model: Model, product: Product, route: str) -> bool:
    """Whether the model itself covers this route for this product; the nasal device goes into the nose."""
    if route == "iv":
        return product != "esketamine-nasal" and "iv" in model.routes
    return any(own.route == route and (not own.products or product in own.products) for own in model.pathways)


def check_routes(model: Model, product: Product, doses: Sequence[Dose], patient: PatientProfile) -> None:
    """Refuse an empty regimen, and a route that neither the model nor a stated range of absorption covers.

    Raises
    ------
    InputError
        Lists the routes there are for the product.
    """
    if not doses:
        raise InputError("no dose", where="dose", allowed="one or more")

    def covered(route: str) -> bool:
        if _by_model(model, product, route):
            return True
        return route != "iv" and covers(route, product, age_years=patient.age_years)

    for dose in doses:
        if not covered(dose.route):
            raise InputError(
                f"{model.id} does not cover the route {dose.route!r} for {product}",
                where="dose",
                allowed=", ".join(route for route in get_args(Route) if covered(route)),
            )


def draw_patients(n: int, rng: np.random.Generator | None, points: int) -> Array:
    """Draws with the typical patient (zeros) in row 0."""
    _check_number(n, points)
    typical = np.zeros((1, len(population.COLUMNS)))
    if n == 0:
        return typical
    if rng is None:
        raise InputError("a population needs a random generator", where="rng", allowed="numpy.random.default_rng(seed)")
    return np.concatenate([typical, population.draw(n, rng)])


def _check_number(n: int, points: int) -> None:
    if n < 0:
        raise InputError(f"a population of {n}", where="population", allowed="0 or more")
    if n * points > MAX_PATIENT_POINTS:
        raise InputError(
            f"{n} patients at {points} times are too many",
            where="population",
            allowed=f"at most {MAX_PATIENT_POINTS // points} patients with this grid",
        )


def draw_people(
    n: int,
    rng: np.random.Generator | None,
    points: int,
    patient: PatientProfile,
    people: Crowd | None,
    models_used: Sequence[Model],
) -> tuple[Array, Cohort | None, list[Flag]]:
    """As ``draw_patients``, with the bodies and ages of people who differ and what is to be said of them."""
    if people is None:
        return draw_patients(n, rng, points), None, []
    if n < 1 or rng is None:
        raise InputError("people without a number of them", where="population", allowed="1 or more, with a generator")
    _check_number(n, points)
    seed = population.seed_of(rng)
    draws = np.concatenate([draw_patients(0, None, points), population.patients(seed, 0, n)])
    return draws, people.cohort(patient, seed, 0, n), people.flags(models_used, seed, n)


def variability_of(model: Model) -> tuple[tuple[Omega, ...], bool]:
    """The model's own covariance of one patient on one day, or the assumed one and True."""
    if model.variability:
        return model.spread, False
    return ensemble().assumed_blocks(), True


def assumed_variability_flags(without: Sequence[Model]) -> list[Flag]:
    """Name the models that borrow their spread."""
    rule = ensemble().assumed_variability
    return [
        Flag(
            "assumed-variability",
            f"{', '.join(model.id for model in without)}: published no spread between patients; that of {rule.of}"
            f" ({', '.join(rule.effects)}) is applied, an assumption of this project [{rule.verification}]",
        )
    ]


def modifiers_under(
    names: Sequence[str], model: Model, product: Product, doses: Sequence[Dose], patient: PatientProfile
) -> Modifiers:
    """What other drugs and failing organs do to this model by these routes, and what to say of each.

    Examples
    --------
    Rifampicin by vein, area times 0.86:

    >>> someone = PatientProfile(weight_kg=70)
    >>> found = modifiers_under(["rifampicin"], models.get("domino"), "racemic", [Dose(35, "iv", 0, 40)], someone)
    >>> round(found.clearance_ratio, 3)
    1.163
    """
    routes = tuple(dict.fromkeys(dose.route for dose in doses))
    of_organs = organ_function(patient, routes, product)
    if not names:
        return of_organs
    return modifiers(names, routes, product=product, liver=liver_of(model, doses, product)).then(of_organs)


def is_lumped(model: Model) -> bool:
    """Whether the model has only the sum of S and R."""
    return all(arm.analyte == "ketamine" for arm in model.arms)


def cited(used: Sequence[Model], more: Sequence[str] = ()) -> tuple[str, ...]:
    """Every source key behind a result, once."""
    keys = [key for model in used for key in model.sources]
    return tuple(dict.fromkeys((*keys, *effect_sources(), *more)))
