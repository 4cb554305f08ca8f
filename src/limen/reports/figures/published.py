"""Published peaks of a product by a route, over what the models say of the same dose in the same kind of patient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from limen.pharmacology import models
from limen.pharmacology.absorption.assumed import ADULT_YEARS
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.regimen import parse_dose
from limen.pharmacology.validation.observations import rows
from limen.pharmacology.validation.prediction import output_of, run
from limen.pharmacology.validation.schema import Answer, Observed, Row, Setting
from limen.reports.figures.check import Panel, Points, check_figure
from limen.reports.figures.data import Figure

Array = npt.NDArray[np.float64]

_DOSED = ("ketamine", "S_ketamine")
_MOST_PANELS = 4
# Standard deviations of a normal within which 90 of 100 lie.
_Z90 = 1.6448536269514722
_PER_HOUR = {"h": 1.0, "min": 60.0}
_TOLD = (
    "Forecast, not measured, beside published peaks: each stands at its published time where one was read, else where"
    " the median peaks. Whiskers are 90 of 100 people where a spread between people was published, else the interval"
    " that was printed. Every published observation and every model: limen validate."
)


def published_check(product: str, route: str, *, age_years: float | None = None) -> Figure | None:
    """The visual predictive check of a product by a route; None where nothing comparable was published.

    Parameters
    ----------
    age_years : float, optional
        Chooses between studies of adults and of children; an age not given is taken for an adult's.

    Examples
    --------
    >>> figure = published_check("racemic", "iv", age_years=42)
    >>> figure.lanes[0].seen[0].values
    (185.0,)
    """
    child = age_years is not None and age_years < ADULT_YEARS
    panels = [_panel(*found) for found in _settings(product, route, child)]
    if not panels:
        return None
    return check_figure(panels, title=f"Published peaks by {route}, seen and predicted", caption=[_TOLD])


def _settings(product: str, route: str, child: bool) -> Iterator[tuple[Row, Setting, Observed, Answer]]:
    found = 0
    for row in rows():
        for setting in row.settings:
            if setting.product != product or not setting.doses:
                continue
            if any(parse_dose(text).route != route for text in setting.doses):
                continue
            if (float(setting.patient.get("age_years", 40)) < ADULT_YEARS) != child:
                continue
            for item in setting.observed:
                peak = item.measure == "cmax" and item.of in _DOSED and item.unit == "ng/mL"
                answer = _answer(item.answers or setting.answers) if peak else None
                if answer is not None and found < _MOST_PANELS:
                    found += 1
                    yield row, setting, item, answer


def _answer(answers: tuple[Answer, ...]) -> Answer | None:
    """The ensemble where it answers, else an independent model, else one made from these very people."""
    there = {models.ENSEMBLE, *(model.id for model in models.list_models())}
    known = [answer for answer in answers if answer.by in there]
    for wanted in ("ensemble", "independent", "same-study"):
        for answer in known:
            if wanted in (answer.by, answer.relation):
                return answer
    return known[0] if known else None


def _panel(row: Row, setting: Setting, seen: Observed, answer: Answer) -> Panel:
    result = run(answer.by, setting)
    curve = result.outputs[output_of(result, seen.of)]
    spread = curve.between_patients
    middle = curve.typical if spread is None else spread.p50
    made = "" if answer.relation == "independent" else ", made from these very people"
    at_h = _time_h(setting, seen, result.time_h[int(np.nanargmax(middle))])
    return Panel(
        f"[{row.id}] {'; '.join(setting.doses)} (seen: {_blood(row.matrix)}) by {_matrix(answer)}{made}",
        "ng/mL",
        result.time_h,
        middle,
        _points(seen, at_h),
        None if spread is None else spread.p05,
        None if spread is None else spread.p95,
        band="90 of 100\n" + _whose(result),
    )


def _blood(matrix: str) -> str:
    return "blood not stated" if matrix == "not stated" else f"{matrix} blood"


def _matrix(answer: Answer) -> str:
    if answer.by == models.ENSEMBLE:
        return "the ensemble, mixed blood"
    return f"{answer.by}, {_blood(models.get(answer.by).matrix)}"


def _whose(result: Forecast) -> str:
    return "patients" if result.patients else "models"


def _time_h(setting: Setting, seen: Observed, of_model_h: float) -> float:
    told = next((item for item in setting.observed if item.measure == "tmax" and item.of == seen.of), None)
    if told is None or told.value is None or told.unit not in _PER_HOUR:
        return float(of_model_h)
    return told.value / _PER_HOUR[told.unit]


def _points(seen: Observed, at_h: float) -> Points:
    words = f"seen: {seen.words}"
    if seen.value is None:
        ends = np.array([seen.low, seen.high], dtype=np.float64)
        return Points(np.array([at_h, at_h]), ends, words)
    low, high = _whisker(seen)
    whisker = (None, None) if low is None else (np.array([low]), np.array([high]))
    return Points(np.array([at_h]), np.array([seen.value]), words, *whisker)


def _whisker(seen: Observed) -> tuple[float | None, float | None]:
    spread, value = seen.spread, seen.value or 0.0
    if spread is None or spread.kind == "se":
        return None, None
    if spread.low is not None and spread.high is not None:
        return spread.low, spread.high
    width = spread.value or 0.0
    if spread.kind == "gsd":
        return value / width**_Z90, value * width**_Z90
    return max(value - _Z90 * width, 0.0), value + _Z90 * width
