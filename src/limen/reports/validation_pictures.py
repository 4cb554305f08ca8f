"""The pictures of ``docs/validation``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.pharmacology.courses import antidepressant
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import parse_dose, resolve
from limen.pharmacology.simulate import simulate
from limen.pharmacology.validation.comparison import Comparison
from limen.pharmacology.validation.observations import chosen
from limen.pharmacology.validation.prediction import PATIENTS, SEED, output_of, run
from limen.pharmacology.validation.rule import FOLD
from limen.pharmacology.validation.schema import Answer, Setting
from limen.reports.plots import (
    Line,
    Panel,
    Picture,
    Points,
    RatioRow,
    model_comparison,
    predictive_check,
    ratio_chart,
)
from limen.reports.plots.lines import members_of

_LABEL_CHARACTERS = 52


def ratios(found: Sequence[Comparison]) -> Picture:
    """Predicted over seen, a line a study."""
    marks: dict[str, list[tuple[float, bool, bool]]] = {}
    for item in found:
        if item.ratio is not None and item.verdict is not None and item.answer is not None:
            title = item.row.title
            short = title if len(title) <= _LABEL_CHARACTERS else f"{title[: _LABEL_CHARACTERS - 3].rstrip(' ,')}..."
            independent = item.answer.relation == "independent"
            marks.setdefault(f"{short}  [{item.row.id}]", []).append((item.ratio, item.verdict.passed, independent))
    return ratio_chart(
        [RatioRow(label, row) for label, row in marks.items()],
        fold_ratio=FOLD,
        title="Every number that was seen, and every model that predicts it",
        caption=["Ranges, bounds and rows that no model answers are in the tables and not in this picture."],
    )


def one_dose_lines() -> tuple[Line, ...]:
    """Racemic 35 mg over 40 min through every adult model, 70 kg."""
    dose = resolve(parse_dose("35 mg iv over 40 min"), 70.0)
    person = PatientProfile(age_years=40, weight_kg=70)
    lines = list(members_of(forecast([dose], person, until_min=240, every_min=2), "ketamine_plasma_ng_per_mL"))
    care = simulate("hijazi-2003", [dose], person, until_min=240, every_min=2)
    name = output_of(care, "ketamine")
    lines.append(Line("hijazi-2003", "plasma", care.time_h, care.outputs[name].typical, "intensive care"))
    return tuple(lines)


def one_dose() -> Picture:
    """The same dose through every adult model, with what was seen."""
    return model_comparison(
        one_dose_lines(),
        title="Racemic 35 mg over 40 min, 70 kg: the typical patient of each model",
        y_label="ketamine (S + R), ng/mL",
        marks=[(40 / 60, 185.0, "seen: about 185")],
        caption=["Where a model holds S-ketamine alone, its R-ketamine is an assumption of this project."],
    )


def metabolites(found: Sequence[Comparison]) -> Picture:
    """S-norketamine of the stepped infusion under each model that answers it."""
    (row,) = {item.row.id: item.row for item in found if item.row.id == "27"}.values() or chosen(["27"])
    panels = []
    for setting in row.settings:
        for answer in setting.answers:
            panels.append(_metabolite_panel(setting, answer))
    return predictive_check(
        panels,
        title="S-norketamine in a stepped infusion, seen and predicted",
        caption=[
            "Arterial means of 20 men, digitised from a figure by a third party (5 % of the peak). Dashed: median;"
            " pale: 90 of 100 virtual patients, without residual error."
        ],
    )


def _metabolite_panel(setting: Setting, answer: Answer) -> Panel:
    result = run(answer.by, setting)
    curve = result.outputs[output_of(result, "S_norketamine")]
    series = setting.series[0]
    # ng/mL to nmol/mL, in the mass that the model counts.
    per_nmol = 237.73 if answer.ketamine_mass else 223.70
    spread = curve.between_patients
    given = "S-ketamine" if setting.product == "s-ketamine" else "racemate"
    return Panel(
        f"S-norketamine after {given}: {answer.by}",
        "nmol/mL",
        result.time_h,
        (curve.typical if spread is None else spread.p50) / per_nmol,
        Points(np.array(series.at_h), np.array(series.values), "seen"),
        None if spread is None else spread.p05 / per_nmol,
        None if spread is None else spread.p95 / per_nmol,
    )


# Group, title, sessions (days), shown until (days), and points seen (day, points, standard error).
_COURSES: tuple[tuple[str, str, tuple[float, ...], float, tuple[tuple[float, float, float | None], ...]], ...] = (
    ("racemic-iv", "One infusion of 0.5 mg/kg (E6)", (0,), 29, ((1, -7.7, None),)),
    ("racemic-iv", "0.5 mg/kg twice weekly (E7)", (0, 3, 7, 10), 29, ((14, -12.7, None),)),
    ("nasal-56", "Nasal 56 mg, two doses (E8)", (0, 3), 29, ((1 / 12, -4.6, 2.96), (1, -10.0, 3.00), (7, -7.6, 2.91))),
    ("nasal-56", "Nasal 56 mg twice weekly (E9)", (0, 3, 7, 10, 14, 17, 21, 24), 29, ((27, -4.0, 1.69),)),
)


def course() -> Picture:
    """MADRS difference from placebo, the trials over the course where each session restores the effect."""
    panels = []
    for group, title, sessions, until_days, seen in _COURSES:
        made = antidepressant.course(
            group, sessions, until_days=until_days, every_h=2.0, n=PATIENTS, rng=np.random.default_rng(SEED)
        )
        curve = made.outputs[antidepressant.OUTPUT]
        spread = curve.between_patients
        whiskers = [1.96 * (error or 0.0) for _, _, error in seen]
        panels.append(
            Panel(
                title,
                "MADRS points",
                made.time_days * 24.0,
                curve.typical if spread is None else spread.p50,
                Points(
                    np.array([24.0 * day for day, _, _ in seen]),
                    np.array([points for _, points, _ in seen]),
                    "seen",
                    np.array([points - reach for (_, points, _), reach in zip(seen, whiskers, strict=True)]),
                    np.array([points + reach for (_, points, _), reach in zip(seen, whiskers, strict=True)]),
                ),
                None if spread is None else spread.p05,
                None if spread is None else spread.p95,
                band="90 of 100\ntrials",
            )
        )
    return predictive_check(
        panels,
        title="MADRS difference from placebo, seen and predicted",
        caption=[
            "Each session restores the effect of one and no more. Negative is better. Whiskers: 95 % interval of the"
            " trial, where a standard error was read. The band is between trials, not between patients. E6 and the"
            " 24-h point of E8 set the size of the effect."
        ],
        in_days=True,
    )
