"""The figures of a plan: what is forecast, by which models, beside what was published and this patient's own sessions.

They are the same figures as on paper; those that must be reckoned anew are kept by their content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from django.core.cache import cache

import limen
from limen.clinic.courses import pressure
from limen.clinic.courses.models import Plan
from limen.clinic.sessions.earlier import Earlier, earlier_of, seen_words
from limen.errors import InputError
from limen.pharmacology.attainment import attainment
from limen.pharmacology.exposure import unit_of
from limen.pharmacology.individual.individualise import Individual, individualise
from limen.pharmacology.individual.observations import observations_from_json
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.wording import parts
from limen.reports.figures import (
    Figure,
    Wall,
    attainment_figure,
    belief_lane,
    beliefs_figure,
    forecast_figure,
    leaving_figure,
    members_figure,
    update_figure,
)
from limen.reports.figures.published import published_check
from limen.reports.figures.windows import window_of

_Made = TypeVar("_Made")

PATIENTS = 200
SEED = 1
_KEEP_S = 24 * 3600
_OF_PATIENT = ("age_years", "sex", "weight_kg", "height_cm", "ancestry", "egfr_mL_per_min", "child_pugh")
# What was learned of a patient is told by the peaks that a nurse will see.
_PEAKS = ("sbp_change_mmHg", "dissociation_pct", "ketamine_plasma_ng_per_mL", "S_ketamine_plasma_ng_per_mL")


@dataclass(frozen=True, slots=True)
class Kind:
    """One of a plan's figures.

    Attributes
    ----------
    at_once : bool
        Drawn with the page; the others are reckoned and are fetched after it.
    nothing : str
        What is said where the figure does not apply.
    """

    id: str
    title: str
    at_once: bool
    nothing: str


KINDS = (
    Kind("forecast", "What this dose will do", True, "No dose could be read, or no model covers it."),
    Kind("models", "What each model says", True, "One model alone answers for this product: nothing to compare."),
    Kind("leaving", "Ready to leave", True, "This plan was made before the time until leaving was forecast."),
    Kind(
        "patient",
        "Learned from this patient's own sessions",
        False,
        "No earlier session of this product with a cuff reading or a rating of dissociation.",
    ),
    Kind("update", "This plan, before and after what was learned", False, "Nothing was seen of this patient yet."),
    Kind("check", "What was published, seen and predicted", False, "No published peak by this route and product."),
    Kind(
        "attainment",
        "Patients inside a window of concentration",
        False,
        "No published window for this product, or the plan has no dose.",
    ),
)


def kind_of(name: str) -> Kind | None:
    """A kind by its id."""
    return next((kind for kind in KINDS if kind.id == name), None)


def figure_of(plan: Plan, kind: Kind, *, until_h: float | None = None) -> Figure | None:
    """One figure of a plan; None where it does not apply."""
    made: dict[str, Callable[[], Figure | None]] = {
        "forecast": lambda: _forecast(plan, until_h),
        "models": lambda: members_figure(plan.result.get("forecast") or {}),
        "leaving": lambda: leaving_figure((plan.result.get("forecast") or {}).get("ready_to_leave_h") or {}),
        "patient": lambda: _learned(plan)[0],
        "update": lambda: _learned(plan)[1],
        "check": lambda: _kept(plan, "check", (), lambda: _check(plan)),
        "attainment": lambda: _kept(plan, "attainment", (), lambda: _attainment(plan)),
    }
    return made[kind.id]()


def walls_of(plan: Plan) -> dict[str, list[Wall]]:
    """The limits on the patient's own pressure, by the output they bound."""
    name = pressure.rise_output()
    standing = pressure.walls(pressure.ceilings(pressure.baseline_mmHg(plan)))
    found = [Wall(str(wall["name"]), float(wall["value"]), unit_of(name), bool(wall["hard"])) for wall in standing]
    return {name: found} if found else {}


def ends_at_h(plan: Plan) -> float | None:
    """When the dose of the forecast ends."""
    minutes = (plan.result.get("forecast_for") or {}).get("duration_min")
    return None if not minutes else float(minutes) / 60.0


def _forecast(plan: Plan, until_h: float | None) -> Figure | None:
    return forecast_figure(
        plan.result.get("forecast") or {}, walls=walls_of(plan), ends_at_h=ends_at_h(plan), until_h=until_h
    )


def _kept(plan: Plan, name: str, seen: Sequence[Earlier], make: Callable[[], _Made]) -> _Made:
    """What was reckoned for the same plan, the same earlier sessions and the same program, else reckoned now."""
    inputs = [str(plan.pk), name, limen.__version__, *(item.to_json() for item in seen)]
    key = f"figure:{hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()}"
    found: tuple[_Made] | None = cache.get(key)
    if found is None:
        found = (make(),)
        cache.set(key, found, _KEEP_S)
    return found[0]


def _learned(plan: Plan) -> tuple[Figure | None, Figure | None]:
    """What this patient's own sessions taught: of the peaks, and over time. Reckoned once for both figures."""
    seen = earlier_of(plan)

    def both() -> tuple[Figure | None, Figure | None]:
        found = _individual(plan, seen)
        return (None, None) if found is None else (_patient(found, seen), update_figure(found.to_json()))

    return _kept(plan, "learned", seen, both)


def _check(plan: Plan) -> Figure | None:
    return published_check(plan.course.product, plan.course.route, age_years=_profile(plan).age_years)


def _attainment(plan: Plan) -> Figure | None:
    window, doses = window_of(plan.course.product), doses_of(plan)
    if window is None or not doses:
        return None
    try:
        found = attainment(
            doses,
            _profile(plan),
            window.output,
            window.low,
            window.high,
            product=plan.course.product,
            n=PATIENTS,
            rng=np.random.default_rng(SEED),
            setting=plan.course.setting or None,
            perpetrators=tuple((plan.result.get("forecast") or {}).get("with") or ()),
        )
    except InputError:
        # Outside what the models were made for: the plan says so, and there is nothing to draw.
        return None
    told = f"The window is {window.note} [{window.verification.words}]; it is not a goal of treatment."
    return attainment_figure(found, caption=[told])


def _patient(found: Individual, seen: Sequence[Earlier]) -> Figure:
    before, after = np.exp(found.prior.log_weight), found.after.weights
    lanes = []
    # Of a racemate its S part says nothing that the whole does not.
    whole = "ketamine_plasma_ng_per_mL" in found.outputs
    for name in _PEAKS:
        if name not in found.outputs or (whole and name.startswith("S_")):
            continue
        highest = np.nanmax(found.prior.curves[name], axis=1)
        kept = np.isfinite(highest)
        words, unit = parts(name)
        # a rise, but S-ketamine
        what = words if words[1:2] == "-" else f"{words[0].lower()}{words[1:]}"
        lanes.append(belief_lane(f"Peak, {what}", unit, highest[kept], highest[kept], before[kept], after[kept]))
    told = "; ".join(seen_words(seen))
    return beliefs_figure(
        lanes,
        title="What is expected of this dose, before and after this patient's own sessions",
        caption=[f"Seen: {told}.", f"What was learned: {found.to_json()['learned']['because']}."],
    )


def _individual(plan: Plan, seen: Sequence[Earlier]) -> Individual | None:
    """This plan's forecast with what was seen of this patient; None where nothing was, or no model covers it."""
    doses = doses_of(plan)
    if not seen or not doses:
        return None
    try:
        observed, _ = observations_from_json({"observations": [item.observation for item in seen]})
        return individualise(
            doses,
            _profile(plan),
            plan.course.product,
            observed,
            n=PATIENTS,
            rng=np.random.default_rng(SEED),
            perpetrators=tuple((plan.result.get("forecast") or {}).get("with") or ()),
            setting=plan.course.setting or None,
        )
    except InputError:
        # A dose that the models do not cover, or a reading that cannot be right, teaches nothing of this plan.
        return None


def doses_of(plan: Plan) -> tuple[Dose, ...]:
    """What the forecast of a plan was made for."""
    given: Mapping[str, Any] = plan.result.get("forecast_for") or {}
    steps = given.get("steps") or (plan.result.get("dose") or {}).get("steps") or ()
    if steps:
        return tuple(
            Dose(float(step["dose_mg"]), plan.course.route, float(step["at_min"]), float(step["duration_min"] or 0.0))
            for step in steps
        )
    if given.get("dose_mg") is None:
        return ()
    return (Dose(float(given["dose_mg"]), plan.course.route, 0.0, float(given.get("duration_min") or 0.0)),)


def _profile(plan: Plan) -> PatientProfile:
    """The patient as the plan's own screening had him, at his age on the day of the plan."""
    facts = {str(item["key"]): item["value"] for item in plan.screening.case.get("facts", ())}
    known = {key: facts.get(f"patient.{key}") for key in _OF_PATIENT}
    born = plan.course.patient.birth_date
    if known["age_years"] is None and born is not None:
        on = plan.on
        known["age_years"] = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return PatientProfile.from_json(known)[0]
