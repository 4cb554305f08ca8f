"""Every published observation beside what is predicted for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from limen.errors import InputError
from limen.evidence import Verification
from limen.pharmacology import models
from limen.pharmacology.validation.calculations import CALCULATIONS
from limen.pharmacology.validation.prediction import PATIENTS, SEED, predict
from limen.pharmacology.validation.rule import VERIFICATION, Predicted, Verdict, judge, ratio_of
from limen.pharmacology.validation.schema import Answer, Check, Observed, Row, Setting, Target
from limen.pharmacology.wording import parts

TOLERANCE_PCT = 1.0

NO_ANSWER = "not-answerable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One observed number and one answer to it.

    Attributes
    ----------
    predicted, verdict : None
        Where nothing can answer; ``why_not`` says why.
    """

    row: Row
    what: str
    setting: Setting | None = None
    observed: Observed | None = None
    answer: Answer | None = None
    predicted: Predicted | None = None
    verdict: Verdict | None = None
    why_not: str = ""

    @property
    def status(self) -> str:
        """``pass``, ``miss`` or ``not-answerable``."""
        if self.verdict is None:
            return NO_ANSWER
        return "pass" if self.verdict.passed else "miss"

    @property
    def ratio(self) -> float | None:
        """Predicted over observed."""
        if self.observed is None or self.predicted is None:
            return None
        return ratio_of(self.observed, self.predicted)

    @property
    def matrix(self) -> str | None:
        """What kind of blood the answering model was fitted to."""
        if self.answer is None or self.answer.by in CALCULATIONS:
            return None
        return "plasma" if self.answer.by == models.ENSEMBLE else models.get(self.answer.by).matrix

    @property
    def why(self) -> str:
        """The verdict's reason with what else a reader must know: the kind of blood, the relation, the spread."""
        if self.verdict is None or self.answer is None or self.predicted is None:
            return self.why_not
        parts = [self.verdict.because]
        seen, model = self.row.matrix, self.matrix
        if {seen, model} == {"arterial", "venous"}:
            parts.append(f"{seen} blood against a {model} model")
        elif (seen, model, self.verdict.passed) == ("not stated", "arterial", False):
            parts.append("an arterial model; which blood was sampled is not said")
        if self.answer.relation == "same-study":
            parts.append("the model was made from this study: no independent test")
        elif self.answer.relation == "set-from":
            parts.append("the model took a number from this observation: no test of it")
        if self.predicted.spread == "trials":
            parts.append("the interval is between trials, not patients")
        if self.predicted.spread == "assumed":
            parts.append("absorption is a range assumed by this project")
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """One entry of the list that ``limen validate --json`` prints."""
        seen, said, setting = self.observed, self.predicted, self.setting
        return {
            "id": self.row.id,
            "title": self.row.title,
            "population": self.row.population,
            "what": self.what,
            "verification": str((seen and seen.verification) or self.row.verification),
            "sources": list(self.row.sources),
            "product": setting and setting.product,
            "doses": list(setting.doses) if setting else None,
            "level_ng_per_mL": setting and setting.level_ng_per_mL,
            "patient": dict(setting.patient) if setting else None,
            "assumed": list(setting.assumed) if setting else None,
            "matrix": self.row.matrix,
            "observed": seen
            and {
                "measure": seen.measure,
                "of": seen.of,
                "per": seen.per,
                "at": seen.at,
                "value": seen.value,
                "low": seen.low,
                "high": seen.high,
                "unit": seen.unit,
                "statistic": seen.statistic,
                "spread": seen.spread and seen.spread.model_dump(mode="json"),
            },
            "by": self.answer and self.answer.by,
            "model_matrix": self.matrix,
            "relation": self.answer and self.answer.relation,
            "predicted": said
            and {
                "median": said.value,
                "typical": said.typical,
                "p05": said.low,
                "p95": said.high,
                "unit": said.unit,
                "spread": said.spread,
            },
            "ratio": self.ratio,
            "status": self.status,
            "why": self.why,
        }


def compare(rows: Sequence[Row]) -> Iterator[Comparison]:
    """Every number of these rows against every model that answers it, in order; one at a time, to show progress.

    Examples
    --------
    >>> from limen.pharmacology.validation.observations import chosen
    >>> [item.status for item in compare(chosen(["15"]))]
    ['not-answerable']
    """
    for row in rows:
        for setting in row.settings:
            for observed in setting.questions:
                for answer in observed.answers or setting.answers:
                    yield _compared(row, setting, observed, answer)
        for item in row.not_answerable:
            yield Comparison(row, item.what, why_not=item.because)


def _compared(row: Row, setting: Setting, observed: Observed, answer: Answer) -> Comparison:
    what = described(setting, observed)
    try:
        calculation = CALCULATIONS.get(answer.by)
        predicted = calculation(setting, observed) if calculation else predict(setting, observed, answer)
    except InputError as problem:
        return Comparison(row, what, setting, observed, answer, why_not=str(problem))
    return Comparison(row, what, setting, observed, answer, predicted, judge(observed, predicted))


_MEASURES = {
    "cmax": "peak",
    "tmax": "time of the peak",
    "auc-0-24": "area 0 to 24 h",
    "auc-to-end": "area to the end",
    "auc-ratio": "area",
    "vss": "volume at steady state",
    "at-level": "at that level",
}


def described(given: Setting | Check, observed: Observed | Target) -> str:
    """The number in words: dose, analyte, measure."""
    of = parts(observed.of)[0].replace("_", "-")
    measure = f"at {observed.at}" if observed.at is not None else _MEASURES.get(observed.measure, observed.measure)
    over = f" over {observed.per.replace('_', '-')}" if observed.per else ""
    if isinstance(given, Setting) and given.level_ng_per_mL is not None:
        doses = f"{given.product} held at {given.level_ng_per_mL:g} ng/mL"
    else:
        doses = given.doses[0] if len(given.doses) == 1 else f"{len(given.doses)} doses"
    return f"{doses}: {of}{over}, {measure}"


def counted(found: Sequence[Comparison]) -> dict[str, Any]:
    """How many pass, miss and cannot be answered, with those that are no test of a model kept apart."""
    answered = [item for item in found if item.verdict is not None and item.answer is not None]
    independent = [item for item in answered if item.answer is not None and item.answer.relation == "independent"]

    def tally(items: Sequence[Comparison]) -> dict[str, int]:
        passed = sum(item.status == "pass" for item in items)
        return {"pass": passed, "miss": len(items) - passed}

    unanswered = len(found) - len(answered)
    return {"all": tally(answered), "independent": tally(independent), NO_ANSWER: unanswered}


@dataclass(frozen=True, slots=True)
class Checked:
    """One number that printed parameters must give, and what the engine gives."""

    check: Check
    target: Target
    value: float | None
    unit: str
    why_not: str = ""

    @property
    def error_pct(self) -> float | None:
        """Of the target."""
        return None if self.value is None else 100.0 * (self.value / self.target.value - 1.0)

    @property
    def passed(self) -> bool | None:
        """Within 1 %, or half of the last digit printed; ``None`` where the model is not on file."""
        if self.value is None:
            return None
        half = 0.5 * 10.0**-self.target.decimals * (1.0 + 1e-9)
        return abs(self.value - self.target.value) <= max(TOLERANCE_PCT / 100.0 * self.target.value, half)

    def to_json(self) -> dict[str, Any]:
        """One entry of the list that ``limen validate --json`` prints, with the keys of an observation."""
        target, unit = self.target, self.unit
        known = self.value is not None and self.error_pct is not None
        return {
            "id": "code",
            "title": "The code against its printed parameters",
            "what": described(self.check, target),
            "verification": str(Verification.COMPUTED),
            "product": self.check.product,
            "doses": list(self.check.doses),
            "patient": dict(self.check.patient),
            "observed": {
                "measure": target.measure,
                "of": target.of,
                "per": target.per,
                "at": target.at,
                "value": target.value,
                "unit": unit,
            },
            "by": self.check.model,
            "predicted": {"median": self.value, "typical": self.value, "p05": None, "p95": None, "unit": unit}
            if known
            else None,
            "ratio": self.value / target.value if self.value is not None else None,
            "status": NO_ANSWER if self.passed is None else "pass" if self.passed else "miss",
            "why": self.why_not or f"{self.error_pct:+.1f} %; allowed {TOLERANCE_PCT:g} %, or half of the last digit",
        }


def verify(checks: Sequence[Check]) -> Iterator[Checked]:
    """Every number of section ``implementation`` against the engine: this tests the code, not the models."""
    for check in checks:
        # A target is read as an observation would be; nobody else answers it.
        answer = Answer(by=check.model)
        setting = Setting.model_construct(
            product=check.product,
            doses=check.doses,
            patient=check.patient,
            until=check.until,
            every=check.every,
            reference_dose=None,
            level_ng_per_mL=None,
            observed=(),
            series=(),
        )
        for target in check.targets:
            try:
                value = predict(setting, target, answer, population=False).typical
            except InputError as problem:
                yield Checked(check, target, None, target.unit, str(problem))
            else:
                yield Checked(check, target, value, target.unit)


def report(found: Sequence[Comparison], checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """What ``limen validate --json`` prints: the observations, then what printed parameters must give (id ``code``)."""
    drawn = {"patients": PATIENTS, "seed": SEED, "rule_verification": str(VERIFICATION)}
    return [{"kind": "observation", **item.to_json(), **drawn} for item in found] + [
        {"kind": "implementation", **item.to_json()} for item in checked
    ]
