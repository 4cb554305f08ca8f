"""The one rule by which a prediction passes, written down before results were looked at, but for one stricter line."""

from __future__ import annotations

from dataclasses import dataclass

from limen.evidence import Verification
from limen.pharmacology.validation.schema import Observed

FOLD = 2.0
COPY_PCT = 5.0
# 97.5th percentile of the standard normal: from a standard error to a 95 % interval.
_Z95 = 1.959963984540054

VERIFICATION = Verification.CLINIC_RULE
RULE = (
    "A single number (mean, median, estimate) passes where it lies inside the interval that holds 90 of 100 virtual"
    " patients, if the model comes with a spread between patients, a published one or ranges stated by this project;"
    f" where only a typical patient can be predicted it passes within {FOLD:g}-fold of it.",
    "A range passes where the predicted median lies inside it, a bound where the median lies on its side.",
    "A difference between the arms of a trial passes where the predicted median lies inside its 95 % interval"
    " (from the standard error where no interval is printed).",
    f"A mean that a paper computed from its own model passes where the typical patient is within {COPY_PCT:g} % of it:"
    " it tests whether the printed parameters give the printed results. This line was added after the first run and is"
    " the stricter one: the interval of patients had let an area pass that is 41 % off its own paper.",
    "An interval of patients is wide, so a pass is a weak statement; the ratio beside it is the sharper one.",
    "Nothing is tuned to pass. The rule is of this project [P] and does not change with the results.",
)


@dataclass(frozen=True, slots=True)
class Predicted:
    """A predicted number in the unit of the observed one.

    Attributes
    ----------
    typical : float
        The typical patient.
    value : float
        What is compared: the median of the virtual patients, or the typical patient where there are none.
    low, high : float or None
        5th and 95th percentile of the virtual patients.
    spread : str
        ``published``, ``assumed`` (ranges stated by this project), ``models`` (an ensemble), ``trials`` or ``none``.
    """

    typical: float
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    spread: str = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it passes, and why."""

    passed: bool
    because: str


def judge(observed: Observed, predicted: Predicted) -> Verdict:
    """Hold a prediction against what was observed.

    Examples
    --------
    >>> seen = Observed(measure="cmax", of="ketamine", value=185, unit="ng/mL", statistic="about")
    >>> judge(seen, Predicted(160, 160, "ng/mL"))
    Verdict(passed=True, because='0.86 of what was seen; within 2-fold')
    >>> judge(seen, Predicted(160, 158, "ng/mL", 190, 210)).passed
    False
    """
    if observed.value is None:
        return _in_range(observed, predicted)
    if observed.statistic == "below":
        passed = predicted.value < observed.value
        return Verdict(passed, f"the median is {'' if passed else 'not '}under {observed.value:g}")
    if observed.statistic == "model-mean":
        off_pct = 100.0 * (predicted.typical / observed.value - 1.0)
        passed = abs(off_pct) <= COPY_PCT
        return Verdict(passed, f"{off_pct:+.1f} % from the paper's own model's mean; allowed {COPY_PCT:g} %")
    if observed.statistic == "difference":
        return _in_interval(observed, observed.value, predicted)
    if predicted.low is not None and predicted.high is not None:
        if predicted.low <= observed.value <= predicted.high:
            return Verdict(True, "inside the interval of 90 of 100 virtual patients")
        side = "above" if observed.value > predicted.high else "below"
        return Verdict(False, f"what was seen lies {side} the interval of 90 of 100 virtual patients")
    return _in_fold(observed.value, predicted)


def ratio_of(observed: Observed, predicted: Predicted) -> float | None:
    """Predicted over observed; ``None`` for a range, a bound, or where it has no meaning (0, opposite signs)."""
    if observed.value is None or observed.statistic == "below" or observed.value == 0:
        return None
    said = predicted.typical if observed.statistic == "model-mean" else predicted.value
    ratio = said / observed.value
    return ratio if ratio > 0 else None


def _in_range(observed: Observed, predicted: Predicted) -> Verdict:
    assert observed.low is not None and observed.high is not None  # noqa: PT018, S101  # the schema holds it
    passed = observed.low <= predicted.value <= observed.high
    return Verdict(passed, f"the median is {'inside' if passed else 'outside'} {observed.low:g} to {observed.high:g}")


def _in_interval(observed: Observed, centre: float, predicted: Predicted) -> Verdict:
    spread = observed.spread
    if spread is None:
        return _in_fold(centre, predicted)
    if spread.low is not None and spread.high is not None and spread.kind == "ci95":
        low, high = spread.low, spread.high
    elif spread.kind == "se" and spread.value is not None:
        low, high = centre - _Z95 * spread.value, centre + _Z95 * spread.value
    else:
        return _in_fold(centre, predicted)
    passed = low <= predicted.value <= high
    return Verdict(
        passed, f"the median is {'inside' if passed else 'outside'} the trial's 95 % interval {low:.2g} to {high:.2g}"
    )


def _in_fold(centre: float, predicted: Predicted) -> Verdict:
    if centre == 0 or predicted.value / centre <= 0:
        return Verdict(False, "not of the same sign as what was seen")
    ratio = predicted.value / centre
    passed = 1.0 / FOLD <= ratio <= FOLD
    return Verdict(passed, f"{ratio:.2f} of what was seen; {'within' if passed else 'outside'} {FOLD:g}-fold")
