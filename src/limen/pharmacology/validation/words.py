"""Comparisons as the cells of a table, the same in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limen.pharmacology.validation.comparison import NO_ANSWER, Checked, Comparison, described
from limen.pharmacology.validation.rule import Predicted

# From here on the median of the virtual patients and the typical patient are told apart.
_APART_FRACTION = 0.05


def quantity(value: float, unit: str = "") -> str:
    """Three digits, without an exponent where a person would not write one.

    Examples
    --------
    >>> quantity(0.01234, "nmol/mL"), quantity(96.04), quantity(38497.3, "ng min/mL"), quantity(0.5, "ratio")
    ('0.0123 nmol/mL', '96', '38497 ng min/mL', '0.5')
    """
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return digits if unit in {"", "ratio"} else f"{digits} {unit}"


def predicted_words(said: Predicted) -> str:
    """The median with its interval, and the typical patient where that is not the median's; or the typical alone.

    Examples
    --------
    >>> predicted_words(Predicted(160.0, 158.2, "ng/mL", 116.4, 208.0))
    '158 (116 to 208) ng/mL'
    >>> predicted_words(Predicted(251.0, 183.0, "ng/mL", 104.0, 395.0))
    '183 (104 to 395) ng/mL; typical 251'
    >>> predicted_words(Predicted(0.53, 0.53, "ratio"))
    '0.53, typical only'
    """
    if said.low is None or said.high is None:
        return f"{quantity(said.value, said.unit)}, typical only"
    unit = "" if said.unit == "ratio" else f" {said.unit}"
    apart = said.value != 0 and abs(said.typical / said.value - 1.0) > _APART_FRACTION
    typical = f"; typical {quantity(said.typical)}" if apart else ""
    return f"{quantity(said.value)} ({quantity(said.low)} to {quantity(said.high)}){unit}{typical}"


def mark_of(item: Comparison) -> str:
    """The verification mark of what was observed."""
    return str((item.observed and item.observed.verification) or item.row.verification)


def observed_words(item: Comparison) -> str:
    """What was seen; where no number stands apart, the words on the left hold it."""
    return item.observed.words if item.observed else "as said"


def cells(item: Comparison) -> tuple[str, ...]:
    """Number, what, seen, by, predicted, ratio, status, why."""
    return (
        item.row.id,
        item.what,
        f"{observed_words(item)} [{mark_of(item)}]",
        item.answer.by if item.answer else "nobody",
        predicted_words(item.predicted) if item.predicted else "",
        "" if item.ratio is None else f"{item.ratio:.2f}",
        "no answer" if item.status == NO_ANSWER else item.status.upper() if item.status == "miss" else item.status,
        item.why,
    )


def check_cells(item: Checked) -> tuple[str, ...]:
    """Model, dose, number, target, value, error, status."""
    error = item.error_pct
    return (
        item.check.model,
        item.check.product,
        described(item.check, item.target),
        f"{item.target.value:.{item.target.decimals}f} {item.unit}",
        item.why_not if item.value is None else quantity(item.value),
        "" if error is None else f"{error:+.1f} %",
        "not on file" if item.passed is None else "pass" if item.passed else "MISS",
    )


def count_words(counts: Mapping[str, Any], checked: Sequence[Checked]) -> list[str]:
    """The summary."""
    whole, free = counts["all"], counts["independent"]
    lines = [
        f"{whole['pass'] + whole['miss']} comparisons: {whole['pass']} pass, {whole['miss']} miss;"
        f" {counts[NO_ANSWER]} observations have no model that answers.",
        f"Of {free['pass'] + free['miss']} comparisons with data that the model was not made from:"
        f" {free['pass']} pass, {free['miss']} miss.",
    ]
    if checked:
        passed = sum(item.passed is True for item in checked)
        lines.append(f"The code gives {passed} of {len(checked)} numbers of its printed parameters within 1 %.")
    return lines
