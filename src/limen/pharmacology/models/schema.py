"""What a model file may hold: one paper, its structure, its parameters, and how far it may be trusted."""

from __future__ import annotations

from pydantic import Field, model_validator

from limen.evidence.yaml import Record
from limen.pharmacology.models.values import (
    FLOWS,
    RATES,
    TIMES,
    VOLUMES,
    Caveat,
    Matrix,
    Parameter,
    Parameters,
    Product,
    Range,
    Route,
    Sourced,
    Studied,
    Unit,
    must_be_cited,
)
from limen.pharmacology.models.variability import Effect, Omega, Residual, summed
from limen.pharmacology.models.ways import Absorption, Covariate, Way, check_way

__all__ = [
    "Absorption",
    "Arm",
    "Caveat",
    "Covariate",
    "Effect",
    "Matrix",
    "Metabolite",
    "Model",
    "Omega",
    "Parameter",
    "Parameters",
    "Product",
    "Range",
    "Residual",
    "Route",
    "Sourced",
    "Studied",
    "Unit",
    "Way",
]

# What each name of the field is, and so what units it may have.
_KINDS = {
    **dict.fromkeys(("V1", "V2", "V3", "VH"), VOLUMES),
    **dict.fromkeys(("CL", "Q2", "Q3", "QH"), FLOWS),
    **dict.fromkeys(("k10", "k12", "k21", "k13", "k31", "KEL", "KMET"), RATES),
}
_PERIPHERAL = ((), ("V2", "Q2"), ("V2", "Q2", "V3", "Q3"))
_BY_FLOW = tuple({"V1", "CL", *more} for more in _PERIPHERAL)
_BY_LIVER = tuple({"V1", "QH", "VH", "KEL", "KMET", *more} for more in _PERIPHERAL)
_BY_RATE = ({"V1", "k10"}, {"V1", "k10", "k12", "k21"}, {"V1", "k10", "k12", "k21", "k13", "k31"})
_STRUCTURES = (*_BY_FLOW, *_BY_RATE, *_BY_LIVER)
# The random effects of a metabolite carry its short name.
_SHORT = {"norketamine": "NK_", "hydroxynorketamine": "HNK_"}


def _check_structure(parameters: Parameters, owner: str, taken: tuple[str, ...] = ()) -> None:
    names = {*parameters, *taken}
    if names not in _STRUCTURES:
        allowed = "; ".join(", ".join(sorted(group)) for group in _STRUCTURES)
        raise ValueError(f"{owner}: parameters {', '.join(sorted(names))} are no structure; allowed: {allowed}")
    for name, parameter in parameters.items():
        kinds = _KINDS[name]
        if parameter.unit not in kinds:
            raise ValueError(f"{owner}: {name} is in {parameter.unit}; allowed: {' or '.join(sorted(kinds))}")
        scaled = parameter.weight_exponent is not None
        if scaled != (parameter.unit in {"L", "L/h", "L/min"}):
            need = "needs" if not scaled else "takes no"
            raise ValueError(f"{owner}: {name} in {parameter.unit} {need} weight_exponent")


class Delay(Record):
    """A chain of equal first-order steps with a mean transit time."""

    steps: int = Field(ge=1, le=2)
    mean_time: Parameter

    @model_validator(mode="after")
    def _time(self) -> Delay:
        if self.mean_time.unit not in TIMES:
            raise ValueError(f"a delay is in {self.mean_time.unit}; allowed: min or h")
        return self


class Metabolite(Record):
    """A metabolite formed from the elimination of what it stands under, with its own disposition.

    Attributes
    ----------
    formed : Parameter
        Share of the elimination that forms it (of KMET's flow, where the parent has a liver).
    delay : Delay or None
        On the way from the parent's elimination to it.
    like_parent : tuple of str
        Parameters that are the parent's, with the patient's own effects.
    mass_ratio : Parameter or None
        Its own molar mass over that of ketamine, where it is to be shown in its own mass; amounts are in ketamine mass
        all along the chain, and so is what is shown where this is left out.
    clearance_growth : Parameter or None
        Clearance is multiplied by 1 + growth times the hours since the first dose.
    metabolite : Metabolite or None
        What is formed from this one in turn.
    """

    analyte: str
    formed: Parameter
    parameters: Parameters
    delay: Delay | None = None
    like_parent: tuple[str, ...] = ()
    mass_ratio: Parameter | None = None
    clearance_growth: Parameter | None = None
    metabolite: Metabolite | None = None

    @model_validator(mode="after")
    def _structure(self) -> Metabolite:
        _check_structure(self.parameters, self.analyte, self.like_parent)
        if "CL" not in self.parameters:
            raise ValueError(f"{self.analyte}: a metabolite is given by CL")
        if self.formed.unit != "fraction" or self.formed.value > 1:
            raise ValueError(f"{self.analyte}: formed is a fraction from 0 to 1")
        if self.analyte.partition("_")[2] not in _SHORT:
            raise ValueError(f"{self.analyte}: a metabolite is one of S_ or R_ with {', '.join(_SHORT)}")
        if self.mass_ratio is not None and self.mass_ratio.unit != "ratio":
            raise ValueError(f"{self.analyte}: mass_ratio is in ratio")
        if self.clearance_growth is not None:
            if self.clearance_growth.unit not in RATES:
                raise ValueError(f"{self.analyte}: clearance_growth is in 1/h or 1/min")
            if set(self.parameters) != {"V1", "CL"} or self.metabolite is not None or self.delay is not None:
                raise ValueError(f"{self.analyte}: clearance grows only in one compartment that forms nothing further")
        return self

    @property
    def prefix(self) -> str:
        """What its random effects begin with."""
        return _SHORT[self.analyte.partition("_")[2]]


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

    def metabolites(self) -> tuple[Metabolite, ...]:
        """Those formed one from the other, in order."""
        found: list[Metabolite] = []
        following = self.metabolite
        while following is not None:
            found.append(following)
            following = following.metabolite
        return tuple(found)


class Model(Record):
    """One published pharmacokinetic model.

    Attributes
    ----------
    product : str
        What the paper gave; ``products`` is what the model may be asked for.
    routes : tuple of str
        Those the paper studied: IV straight into the central compartment, the others by ``pathways``.
    absorption : dict
        The numbers of the pathways, by name.
    between_occasions : tuple of Omega
        Variances (nu2) of one patient from one occasion to the next.
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
    absorption: Parameters = {}
    pathways: tuple[Absorption, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    variability: tuple[Omega, ...] = ()
    between_occasions: tuple[Omega, ...] = ()
    residual: tuple[Residual, ...] = ()
    unusable_after_fast_input_min: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    caveats: tuple[Caveat, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Model:
        for key in self.sources:
            must_be_cited(key)
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
        self._check_routes()
        self._check_spread()
        return self

    def _check_routes(self) -> None:
        for pathway in self.pathways:
            taken = set(pathway.products or self.products)
            arms = [arm for arm in self.arms if taken & set(arm.dose_fraction)]
            states = {"central"}
            if all("VH" in self.parameters_of(arm) for arm in arms):
                states.add("liver")
            if all(arm.metabolite is not None and arm.metabolite.delay is not None for arm in arms):
                states.add("metabolism")
            check_way(pathway, self.absorption, states)
            if pathway.route not in self.routes:
                raise ValueError(f"a pathway for {pathway.route}, which is not among routes")
            if set(pathway.products) - set(self.products):
                raise ValueError(f"{pathway.route}: a product that is not among products")
        idle = set(self.absorption).difference(*(pathway.used() for pathway in self.pathways))
        if idle:
            raise ValueError(f"absorption has {', '.join(sorted(idle))}, which no way uses")

    def _check_spread(self) -> None:
        for blocks in (self.variability, self.between_occasions):
            effects = [effect for block in blocks for effect in block.effects]
            if len(effects) != len(set(effects)):
                raise ValueError("an effect stands in two blocks")
        known = self.varying()
        for block in (*self.variability, *self.between_occasions):
            for effect in block.effects:
                if effect not in known:
                    raise ValueError(f"the effect {effect} is of no parameter; allowed: {', '.join(sorted(known))}")
                if (known[effect].varies == "logit") != (block.logit_sd is not None):
                    raise ValueError(f"{effect}: logit_sd goes with a parameter that varies on the logit scale")
        if any(len(block.effects) > 1 for block in self.between_occasions):
            raise ValueError("between_occasions takes one effect a block")
        for covariate in self.covariates:
            if covariate.parameter not in known:
                raise ValueError(f"a covariate of {covariate.parameter}, which is no parameter")
            if covariate.change_L_per_h_per_y is not None and known[covariate.parameter].unit != "L/h":
                raise ValueError(f"a change in L/h of {covariate.parameter}, which is not in L/h")
        analytes = {name for arm in self.arms for name in (arm.analyte, *(m.analyte for m in arm.metabolites()))}
        for residual in self.residual:
            if residual.analyte not in analytes:
                raise ValueError(f"a residual of {residual.analyte}, which is no analyte")

    def varying(self) -> Parameters:
        """Every parameter under the name of its random effect (``CL``, ``NK_CL``, ``KA_NASAL``, ...)."""
        found: Parameters = dict(self.absorption)
        for arm in self.arms:
            for name, parameter in self.parameters_of(arm).items():
                found[{"k10": "CL", "k12": "Q2", "k21": "V2", "k13": "Q3", "k31": "V3"}.get(name, name)] = parameter
            for metabolite in arm.metabolites():
                found |= {metabolite.prefix + name: parameter for name, parameter in metabolite.parameters.items()}
                if metabolite.delay is not None:
                    found[f"{metabolite.prefix}MTT"] = metabolite.delay.mean_time
        return found

    @property
    def spread(self) -> tuple[Omega, ...]:
        """Between patients and between occasions together: what one patient on one day is drawn from."""
        return summed(self.variability, self.between_occasions)

    def pathway(self, route: Route, product: Product) -> Absorption | None:
        """The model's own ways in by this route, if any."""
        return next(
            (
                pathway
                for pathway in self.pathways
                if pathway.route == route and (not pathway.products or product in pathway.products)
            ),
            None,
        )

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
