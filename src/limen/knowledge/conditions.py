"""The closed set of typed conditions that selection and interaction rules are written in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from limen.evidence.yaml import Record
from limen.knowledge.inputs import inputs

Compare = Literal["over", "at-least", "under", "at-most"]
# Values computed from a case or asked with a request, beside the recorded facts.
COMPUTED = {
    "computed.bmi_kg_per_m2": ("body mass index", "kg/m2"),
    "request.concentration_mg_per_mL": ("vial or syringe strength", "mg/mL"),
    "request.diluted": ("diluted before use", None),
    "computed.adequate_trials_at_most": ("adequate trials failed at most, of those listed", None),
}


class _OfInput(Record):
    input: str

    @model_validator(mode="after")
    def _known(self) -> _OfInput:
        if self.input not in inputs() and self.input not in COMPUTED:
            raise ValueError(f"unknown input {self.input!r}")
        return self


class Threshold(_OfInput):
    """A number beyond a limit. The limit is in the unit of the input."""

    kind: Literal["threshold"]
    compare: Compare
    limit: float


class Equals(_OfInput):
    """A fact that holds one of the values; ``unsettled`` names answers that leave it unknown, such as not-done."""

    kind: Literal["equals"]
    to: tuple[bool | int | str, ...]
    unsettled: tuple[str, ...] = ()


class History(Record):
    """A condition of one set on the problem list; unknown where it is not listed and was not asked."""

    kind: Literal["history"]
    of: str
    status: Literal["any", "active"] = "any"
    within_months: int | None = None


class Takes(Record):
    """A medicine of one of the classes or drugs on the list; unknown where it is not listed and was not asked."""

    kind: Literal["takes"]
    of: tuple[str, ...]


class Mixed(Record):
    """A drug of one of the classes in the same syringe as the ketamine that is asked for."""

    kind: Literal["mixed"]
    of: tuple[str, ...]


class PressureBeyond(Record):
    """A resting pressure beyond either number.

    ``settled`` decides on the mean of a documented set of repeats where there is one, else on the worst reading; a set
    is at least ``repeats`` readings, each at least ``spacing_min`` after the one before;
    ``any`` decides on every reading that counts. From ``stricter_from_age_years`` the stricter diastolic limit holds,
    also while the age is not known.
    """

    kind: Literal["pressure"]
    reading: Literal["any", "settled"]
    compare: Literal["over", "at-least"]
    sbp_mmHg: float
    dbp_mmHg: float
    repeats: int
    spacing_min: float
    stricter_from_age_years: float | None = None
    stricter_dbp_mmHg: float | None = None


class SuicideRisk(Record):
    """A C-SSRS screener of one of the tiers. A screener with an unasked question is at least moderate."""

    kind: Literal["suicide-risk"]
    tiers: tuple[Literal["low", "moderate", "high"], ...]


class Unrecorded(Record):
    """Never true: unknown until one of the inputs is on record, then false. For what must have been assessed."""

    kind: Literal["unrecorded"]
    any_of: tuple[str, ...]

    @model_validator(mode="after")
    def _known(self) -> Unrecorded:
        unknown = [key for key in self.any_of if key not in inputs()]
        if unknown or not self.any_of:
            raise ValueError(f"unknown inputs {unknown}")
        return self


class Unrecognised(Record):
    """A name on the medication list that no file knows; unknown where medicines were not asked."""

    kind: Literal["unrecognised"]


class Always(Record):
    """True wherever the rule bears on the case."""

    kind: Literal["always"]


class All(Record):
    """True when every part is; false when one is false; else unknown."""

    kind: Literal["all"]
    of: tuple[Condition, ...]


class AnyOf(Record):
    """True when one part is; false when every part is false; else unknown."""

    kind: Literal["any"]
    of: tuple[Condition, ...]


class Not(Record):
    kind: Literal["not"]
    of: Condition


class Presume(Record):
    """A part that counts as ``then`` while it is unknown: true for the stricter reading until a fact separates two.

    ``ask`` lists it as missing all the same, at that level, where it decided.
    """

    kind: Literal["presume"]
    then: bool
    ask: Literal["hold", "warn", "info"] | None = None
    of: Condition


Condition = Annotated[
    Threshold
    | Equals
    | History
    | Takes
    | Mixed
    | PressureBeyond
    | SuicideRisk
    | Unrecorded
    | Unrecognised
    | Always
    | All
    | AnyOf
    | Not
    | Presume,
    Field(discriminator="kind"),
]
for _model in (All, AnyOf, Not, Presume):
    _model.model_rebuild()


def parts(condition: Condition) -> tuple[Condition, ...]:
    """The condition and every condition inside it."""
    if isinstance(condition, All | AnyOf):
        return (condition, *(inner for part in condition.of for inner in parts(part)))
    if isinstance(condition, Not | Presume):
        return (condition, *parts(condition.of))
    return (condition,)


def input_words(key: str) -> tuple[str, str | None]:
    """The title and unit of an input, recorded or computed."""
    if key in COMPUTED:
        return COMPUTED[key]
    spec = inputs()[key]
    return spec.title, spec.unit
