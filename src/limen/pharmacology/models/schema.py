"""What a model file may hold: one paper, its structure, its parameters, and how far it may be trusted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from limen.evidence import Verification, sources
from limen.evidence.yaml import Record

Product = Literal["racemic", "s-ketamine", "esketamine-nasal"]
Route = Literal["iv", "im", "sc", "in", "po", "sl", "buccal", "pr"]
Matrix = Literal["arterial", "venous", "plasma"]
Unit = Literal["L", "L/h", "L/min", "L/kg", "1/min", "1/h", "ratio", "fraction"]

# Random effects by position: patient i draws the same person whichever model is asked.
Effect = Literal["V1", "CL", "V2", "Q2", "V3", "Q3", "NK_V1", "NK_CL"]

_VOLUMES = {"V1", "V2", "V3"}
_FLOWS = {"CL", "Q2", "Q3"}
_RATES = {"k10", "k12", "k21", "k13", "k31"}
_BY_FLOW = ({"V1", "CL"}, {"V1", "CL", "V2", "Q2"}, {"V1", "CL", "V2", "Q2", "V3", "Q3"})
_BY_RATE = ({"V1", "k10"}, {"V1", "k10", "k12", "k21"}, {"V1", "k10", "k12", "k21", "k13", "k31"})


def _must_be_cited(key: str) -> None:
    if key not in sources():
        raise ValueError(f"unknown source {key!r}; add it to evidence/data/sources")


class Sourced(Record):
    """A value's support: how far it was checked, and where it stands."""

    verification: Verification
    source: str
    note: str | None = None

    @model_validator(mode="after")
    def _cited(self) -> Sourced:
        _must_be_cited(self.source)
        return self


class Parameter(Sourced):
    """One number of a paper.

    Attributes
    ----------
    value : float
        In ``unit``, at 70 kg where ``weight_exponent`` is given.
    weight_exponent : float or None
        The value is multiplied by (weight / 70 kg) to this power.
    disputed_weight_exponent : float or None
        What another transcription of the same paper uses instead.
    """

    value: float = Field(gt=0, allow_inf_nan=False)
    unit: Unit
    weight_exponent: float | None = Field(default=None, ge=0, le=1)
    disputed_weight_exponent: float | None = Field(default=None, ge=0, le=1)


class Range(Sourced):
    """The ages or weights a paper studied."""

    low: float | None = None
    high: float | None = None
    unit: Literal["y", "kg"]

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low is None and self.high is None:
            raise ValueError("a range needs low or high")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low is not below high")
        return self


class Studied(Record):
    """Who the paper studied; ``None`` where that was not read."""

    age: Range | None
    weight: Range | None


Parameters = dict[str, Parameter]


def _check_structure(parameters: Parameters, owner: str) -> None:
    names = set(parameters)
    if names not in _BY_FLOW and names not in _BY_RATE:
        allowed = "; ".join(", ".join(sorted(group)) for group in (*_BY_FLOW, *_BY_RATE))
        raise ValueError(f"{owner}: parameters {', '.join(sorted(names))} are no structure; allowed: {allowed}")
    for name, parameter in parameters.items():
        kinds = {"L", "L/kg"} if name in _VOLUMES else {"L/h", "L/min"} if name in _FLOWS else {"1/min", "1/h"}
        if parameter.unit not in kinds:
            raise ValueError(f"{owner}: {name} is in {parameter.unit}; allowed: {' or '.join(sorted(kinds))}")
        scaled = parameter.weight_exponent is not None
        if scaled != (parameter.unit in {"L", "L/h", "L/min"}):
            need = "needs" if not scaled else "takes no"
            raise ValueError(f"{owner}: {name} in {parameter.unit} {need} weight_exponent")


class Metabolite(Record):
    """A metabolite formed from an arm's whole elimination, with its own disposition."""

    analyte: str
    formed: Parameter
    parameters: Parameters

    @model_validator(mode="after")
    def _structure(self) -> Metabolite:
        _check_structure(self.parameters, self.analyte)
        if self.formed.unit != "fraction" or self.formed.value > 1:
            raise ValueError(f"{self.analyte}: formed is a fraction from 0 to 1")
        return self


class Arm(Record):
    """One analyte that is dosed: its share of each product and its disposition, or a likeness of another arm.

    Attributes
    ----------
    dose_fraction : dict
        Product to the mass of this analyte in 1 mg of it.
    like, ratios
        Another arm whose parameters this one takes, and the ratios by which some differ.
    """

    analyte: str
    dose_fraction: dict[Product, float]
    parameters: Parameters | None = None
    like: str | None = None
    ratios: dict[str, Parameter] = {}
    metabolite: Metabolite | None = None

    @model_validator(mode="after")
    def _structure(self) -> Arm:
        if (self.parameters is None) == (self.like is None):
            raise ValueError(f"{self.analyte}: give parameters or like, one of them")
        if self.parameters is not None:
            _check_structure(self.parameters, self.analyte)
        if any(ratio.unit != "ratio" for ratio in self.ratios.values()):
            raise ValueError(f"{self.analyte}: ratios are in ratio")
        if self.ratios and self.like is None:
            raise ValueError(f"{self.analyte}: ratios go with like")
        if not all(0 < share <= 1 for share in self.dose_fraction.values()):
            raise ValueError(f"{self.analyte}: a share of the dose is over 0 and at most 1")
        return self


class Omega(Sourced):
    """One block of between-patient variability: lower triangle of the covariance of the log-normal effects."""

    effects: tuple[Effect, ...]
    omega_log_variance: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _triangle(self) -> Omega:
        if [len(row) for row in self.omega_log_variance] != list(range(1, len(self.effects) + 1)):
            raise ValueError("omega_log_variance is the lower triangle: one row an effect, of 1, 2, ... entries")
        if any(row[-1] <= 0 for row in self.omega_log_variance):
            raise ValueError("a variance is over 0")
        if len(self.effects) == 2:
            (first,), (between, second) = self.omega_log_variance
            if between**2 >= first * second:
                raise ValueError("the covariance is larger than the variances allow")
        if len(self.effects) > 2:
            raise ValueError("blocks of one or two effects are supported")
        return self


class Caveat(Record):
    """Something the user must be told whenever the model is used with one of ``products`` (all, where empty)."""

    code: str
    verification: Verification
    message: str
    products: tuple[Product, ...] = ()
    on_metabolite: bool = False


class Model(Record):
    """One published pharmacokinetic model.

    Attributes
    ----------
    product : str
        What the paper gave; ``products`` is what the model may be asked for.
    unusable_after_fast_input_min : float or None
        Concentrations this soon after a bolus (or an infusion shorter than this) are not to be believed.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str
    product: Product
    products: tuple[Product, ...]
    routes: tuple[Route, ...]
    matrix: Matrix
    population: str
    sources: tuple[str, ...]
    studied: Studied
    arms: tuple[Arm, ...]
    variability: tuple[Omega, ...] = ()
    unusable_after_fast_input_min: float | None = None
    caveats: tuple[Caveat, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Model:
        for key in self.sources:
            _must_be_cited(key)
        if self.product not in self.products:
            raise ValueError("product is not among products")
        by_name = {arm.analyte: arm for arm in self.arms}
        if len(by_name) != len(self.arms):
            raise ValueError("an analyte has two arms")
        for arm in self.arms:
            original = by_name.get(arm.like) if arm.like else None
            if arm.like and (original is None or original.parameters is None):
                raise ValueError(f"{arm.analyte} is like {arm.like}, which is no arm with parameters")
            if original is not None and original.parameters is not None and set(arm.ratios) - set(original.parameters):
                raise ValueError(f"{arm.analyte}: a ratio names a parameter that {arm.like} does not have")
        for product in self.products:
            total = sum(arm.dose_fraction.get(product, 0.0) for arm in self.arms)
            if abs(total - 1) > 1e-9:
                raise ValueError(f"the arms take {total:g} of each mg of {product}, not 1")
        effects = [effect for block in self.variability for effect in block.effects]
        if len(effects) != len(set(effects)):
            raise ValueError("an effect stands in two blocks")
        return self

    def parameters_of(self, arm: Arm) -> Parameters:
        """The arm's own parameters, or those of the arm it is like times its ratios."""
        if arm.parameters is not None:
            return arm.parameters
        original = next(other.parameters for other in self.arms if other.analyte == arm.like and other.parameters)
        changed = {
            name: original[name].model_copy(update={"value": original[name].value * ratio.value})
            for name, ratio in arm.ratios.items()
        }
        return {**original, **changed}

    def with_disputed_weight_exponents(self) -> Model:
        """The same model as its other transcription scales it with weight.

        Examples
        --------
        >>> from limen.pharmacology.models import get
        >>> get("kamp-2020").with_disputed_weight_exponents().arms[0].parameters["CL"].weight_exponent
        1.0
        """
        arms = []
        for arm in self.arms:
            changed = {
                name: item.model_copy(update={"weight_exponent": item.disputed_weight_exponent})
                if item.disputed_weight_exponent is not None
                else item
                for name, item in (arm.parameters or {}).items()
            }
            arms.append(arm.model_copy(update={"parameters": changed}) if arm.parameters else arm)
        return self.model_copy(update={"arms": tuple(arms)})
