"""Measure whether bands of individual forecasts hold; write docs/validation/calibration.md. ``--short`` only prints."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from limen.pharmacology.individual.calibration import (
    PLASMA,
    STAGES,
    Comparison,
    Design,
    Score,
    compared,
    leaving_out,
    of_itself,
)
from limen.pharmacology.individual.individualise import candidates_of
from limen.pharmacology.models import ENSEMBLE

PAGE = Path(__file__).parents[1] / "docs" / "validation" / "calibration.md"
SEED = 20261122
FULL = {"n": 1000, "itself": 1000, "left_out": 300}
SHORT = {"n": 200, "itself": 40, "left_out": 10}
WORDS = {"before": "nothing read", "chair": "after the chair", "samples": "after two samples"}


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def itself_table(scores: Sequence[Score]) -> str:
    """Coverage before and after, by output."""
    rows = [
        (
            f"`{item.output}`",
            WORDS[item.stage],
            f"{item.coverage_pct:.1f}",
            "yes" if 88 <= item.coverage_pct <= 92 else "**no**",
            f"{item.width_ratio:.2f}",
            f"{item.crps_ratio:.3f}",
            " ".join(f"{share:.0f}" for share in item.ranks_pct),
        )
        for item in scores
    ]
    return table(("output", "stage", "coverage %", "88-92", "width / mean", "CRPS / mean", "ranks, % by tenth"), rows)


def left_out_table(scores: Sequence[Score], stage: str) -> str:
    """CRPS over the mean (coverage %) of each forecaster for each left-out model."""
    here = [item for item in scores if item.stage == stage and item.output == PLASMA]
    truths = list(dict.fromkeys(item.truth for item in here))
    rows = []
    for truth in truths:
        cells = {
            item.forecaster: f"{item.crps_ratio:.3f} ({item.coverage_pct:.0f})" for item in here if item.truth == truth
        }
        rows.append((truth, *(cells.get(name, "") for name in (ENSEMBLE, *truths))))
    return table(("left out", ENSEMBLE, *truths), rows)


def strangers(scores: Sequence[Score]) -> str:
    """What the tables say of a patient whom no member knows, in words."""
    here = [item for item in scores if item.output == PLASMA]
    together = {(item.stage, item.truth): item for item in here if item.forecaster == ENSEMBLE}
    alone = [item for item in here if item.forecaster != ENSEMBLE]
    means = {
        stage: sum(item.coverage_pct for (at, _), item in together.items() if at == stage)
        / sum(at == stage for at, _ in together)
        for stage in STAGES
    }
    least = min(together.values(), key=lambda item: item.coverage_pct)
    better = sum(item.crps_ratio < together[item.stage, item.truth].crps_ratio for item in alone)
    held = "; ".join(
        f"{mean:.0f} % {'with ' if stage == STAGES[0] else ''}{WORDS[stage]}" for stage, mean in means.items()
    )
    return (
        "For patients of a model that it does not know the ensemble's 90 % band holds, averaged over the models,"
        f" {held}; at worst {least.coverage_pct:.0f} % ({least.truth} left out, {WORDS[least.stage]}). "
        + (
            "**It is too narrow for a patient who is like none of its models, and readings can make it more so:** they"
            " narrow the band around the models there are. "
            if min(means.values()) < 88
            else ""
        )
        + f"For one left-out model, one fixed member scores better than the ensemble in {better} of {len(alone)} cells;"
        " which one it will be cannot be known beforehand."
    )


def verdict(comparisons: Sequence[Comparison], stage: str) -> str:
    """The ensemble against each fixed member over the same left-out models, in words and a table."""
    here = [item for item in comparisons if item.stage == stage and item.output == PLASMA]
    rows = [
        (
            item.member,
            f"{item.ensemble_crps_ratio:.3f}",
            f"{item.member_crps_ratio:.3f}",
            f"{item.ensemble_coverage_pct:.0f}",
            f"{item.member_coverage_pct:.0f}",
            "ensemble" if item.ensemble_better else f"**{item.member}**",
        )
        for item in here
    ]
    losses = [item.member for item in here if not item.ensemble_better]
    words = (
        "The ensemble's score is better than that of every fixed member."
        if not losses
        else f"The ensemble's score is **not** better than that of {', '.join(losses)}."
    )
    head = ("fixed member", "ensemble CRPS", "its CRPS", "ensemble coverage %", "its coverage %", "better")
    return f"{words}\n\n{table(head, rows)}"


def page(itself: Sequence[Score], left_out: Sequence[Score], sizes: dict[str, int], command: str) -> str:
    """The page, from the measured scores alone."""
    plan = Design()
    dose = plan.doses[0]
    members = list(dict.fromkeys(item.truth for item in left_out))
    comparisons = compared(left_out)
    covered = [item.coverage_pct for item in itself]
    outside = [item for item in itself if not 88 <= item.coverage_pct <= 92]
    parts = [
        "# Do the bands hold?",
        f"Made by `{command}` (seed {SEED}); nothing on this page is fitted or tuned. Virtual patients of"
        f" {plan.patient.weight_kg:g} kg and {plan.patient.age_years:g} years are given {dose.amount_mg:g} mg of"
        f" racemic ketamine over {dose.duration_min:g} min into a vein. Each is predicted three times: with"
        f" {WORDS['before']}; {WORDS['chair']} (cuff pressure, heart rate and a rating of dissociation at"
        f" {', '.join(f'{time:g}' for time in plan.chair_min)} min); and {WORDS['samples']} as well (ketamine in"
        f" {plan.matrix} blood at {' and '.join(f'{time:g}' for time in plan.sampled_min)} min). Readings carry the"
        " errors that the posterior assumes, most of them assumptions of this project [P]. True values are those of"
        " the patient, without the error of a reading, at eight times from 20 min to 4 h. CRPS is the continuous"
        " ranked probability score; less is better.",
        "This is agreement among models on virtual patients. It says how honest the width of a band is if patients are"
        " like those of one of the models; measured values of real people are compared on the page of observations.",
        "## Patients of the ensemble itself",
        f"{sizes['itself']} patients of each of the {len(members)} members, drawn apart from the {sizes['n']} of each"
        " in the forecast. A 90 % band should hold 88 to 92 of 100 true values at every stage, and the truth should"
        f" fall in each tenth of the forecast alike. Measured: {min(covered):.1f} to {max(covered):.1f} %; "
        + ("all inside." if not outside else f"**{len(outside)} of {len(itself)} outside.**"),
        itself_table(itself),
        "## Patients of a model that is left out",
        f"Each model in turn makes {sizes['left_out']} patients; the others predict them, together as the ensemble and"
        f" each alone, with the same {sizes['n']} virtual people of each member. Cells: CRPS over the mean true value"
        " of ketamine in plasma (coverage of the 90 % band, %). Where coverage is far under 90, patients of that model"
        " are not among those that the others expect.",
    ]
    for stage in STAGES:
        parts += [f"### {WORDS[stage].capitalize()}", left_out_table(left_out, stage)]
    parts.append(strangers(left_out))
    parts += [
        "## The ensemble against any fixed member",
        "Averaged over the left-out models, for each fixed member over all truths but its own.",
    ]
    for stage in STAGES:
        parts += [f"### {WORDS[stage].capitalize()}", verdict(comparisons, stage)]
    parts += [
        "## What limits this",
        "- Blood is arterial, venous or not told, by model. A sample of another matrix than the model's is given one"
        " unknown factor for the patient (standard deviation of its logarithm 0.34 [P]); no model of both is on file.\n"
        "- Some members published no spread between patients and borrow another's; the flag `assumed-variability` names"
        " them.\n"
        "- Effects rest on one line or one index for all members: their spread here is that of the estimates, not of"
        " people, so real effects lie outside their bands more often than these numbers say.",
    ]
    return "\n\n".join(wrapped(part) for part in parts) + "\n"


def wrapped(part: str) -> str:
    """Prose in lines of the width of this repository; tables and headings as they are."""
    lines = []
    for line in part.split("\n"):
        prose = line and not line.startswith(("|", "#"))
        indent = "  " if line.startswith("- ") else ""
        lines += textwrap.wrap(line, 118, subsequent_indent=indent, break_on_hyphens=False) if prose else [line]
    return "\n".join(lines)


def main() -> None:
    """Measure and write; or measure little and print."""
    short = "--short" in sys.argv[1:]
    sizes = SHORT if short else FULL
    plan = Design()
    members = candidates_of(ENSEMBLE, plan.product, plan.doses, plan.patient)
    with Progress(console=Console(stderr=True)) as bars:

        def bar(title: str) -> Callable[[int, int], None]:
            task = bars.add_task(title, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        itself = of_itself(
            members, n=sizes["n"], patients=sizes["itself"], seed=SEED, progress=bar("patients of the ensemble")
        )
        left_out = leaving_out(
            members, n=sizes["n"], patients=sizes["left_out"], seed=SEED, progress=bar("patients of a model left out")
        )
    text = page(itself, left_out, sizes, "python scripts/calibration.py" + (" --short" if short else ""))
    if short:
        sys.stdout.write(text)
    else:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
