"""A model, a patient and their random effects made into linear systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from limen.pharmacology.kinetics import LinearSystem
from limen.pharmacology.models.schema import Arm, Metabolite, Model, Parameter, Parameters, Product
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values

if TYPE_CHECKING:
    from limen.pharmacology.populations.crowd import Cohort

Array = npt.NDArray[np.float64]
Values = Mapping[str, Array]

# mg/L to ng/mL
_NG_PER_ML = 1000.0
# Equal steps in a chain have no full set of eigenvectors. Two are set this far apart on either side of their rate,
# which changes what has passed by the square of it: 1e-8 of the dose.
_APART = 1e-4


@dataclass(frozen=True, slots=True)
class Grown:
    """A one-compartment metabolite whose clearance rises with time: outside the linear system, driven by it.

    Attributes
    ----------
    formed_per_min : array (rows,)
        Of the amount in the parent's central compartment.
    volume_L, clearance_L_per_h, growth_per_h : array (rows,)
        Clearance is multiplied by 1 + growth times the hours since the first dose.
    """

    analyte: str
    formed_per_min: Array
    volume_L: Array
    clearance_L_per_h: Array
    growth_per_h: Array


@dataclass(frozen=True, slots=True)
class DosedArm:
    """One analyte with everything that follows from it: its metabolites and its effect sites.

    Attributes
    ----------
    dose_fraction : float
        Mass of the analyte in 1 mg of the product given.
    outputs : tuple of str
        What each output of ``system`` is: an analyte, or ``ANALYTE@LINK`` for a dosed analyte at an effect site; all
        in ng/mL.
    states : tuple of str
        What each state of ``system`` is, in mg: ``central``, ``peripheral2``, ``liver``, ``metabolism``, ...
    grown : Grown or None
    """

    analyte: str
    dose_fraction: float
    outputs: tuple[str, ...]
    states: tuple[str, ...]
    system: LinearSystem
    grown: Grown | None = None


@dataclass(slots=True)
class Body:
    """Compartments and the first-order flows between them, being put together."""

    rows: int
    states: list[str] = field(default_factory=list)
    flows: list[tuple[int, int | None, Array]] = field(default_factory=list)

    def add(self, name: str) -> int:
        """A new compartment; its place."""
        self.states.append(name)
        return len(self.states) - 1

    def flow(self, source: int, target: int | None, rate_per_min: Array) -> None:
        """What leaves ``source``, for ``target`` or for good."""
        self.flows.append((source, target, rate_per_min))

    def exchange(self, one: int, other: int, flow_L_per_h: Array, one_L: Array, other_L: Array) -> None:
        """A flow both ways between two volumes."""
        self.flow(one, other, flow_L_per_h / one_L / 60.0)
        self.flow(other, one, flow_L_per_h / other_L / 60.0)

    def chain(self, names: Sequence[str], rates_per_min: Sequence[Array]) -> list[int]:
        """Steps one after the other; what leaves the last is not yet said where to."""
        places = [self.add(name) for name in names]
        for step, following in zip(range(len(places) - 1), places[1:], strict=True):
            self.flow(places[step], following, rates_per_min[step])
        return places

    def rates_per_min(self) -> Array:
        """The matrix A (rows, states, states)."""
        size = len(self.states)
        rates = np.zeros((self.rows, size, size))
        for source, target, rate_per_min in self.flows:
            rates[:, source, source] -= rate_per_min
            if target is not None:
                rates[:, target, source] += rate_per_min
        return rates


def arms(
    model: Model,
    product: Product,
    patient: PatientProfile | Cohort,
    effects: Mapping[str, Array],
    rows: int,
    *,
    links: Mapping[str, Array],
    ratios: Mapping[str, Array | float] | None = None,
    metabolites: bool = True,
) -> tuple[DosedArm, ...]:
    """The systems that answer one milligram of product given into the vein.

    Parameters
    ----------
    effects : mapping of effect name to array (rows,)
        On the log scale (logit for fractions that vary so); a missing name has none.
    links : mapping of LINK to array (rows,)
        Rate (ke0, per minute) of each effect site.
    ratios : mapping of parameter to ratio, optional
        What else multiplies a parameter (another drug, a failing organ).
    """

    def values(parameters: Parameters, prefix: str = "") -> dict[str, Array]:
        return patient_values(
            parameters, patient, effects, rows, prefix=prefix, covariates=model.covariates, ratios=ratios
        )

    made = []
    for arm in model.arms:
        share = arm.dose_fraction.get(product)
        if share is None:
            continue
        parent = values(model.parameters_of(arm))
        children = []
        if metabolites:
            above = parent
            for metabolite in arm.metabolites():
                own = values(metabolite.parameters, metabolite.prefix)
                own |= {name: above[name] for name in metabolite.like_parent}
                if metabolite.delay is not None:
                    own |= values({"MTT": metabolite.delay.mean_time}, metabolite.prefix)
                children.append((metabolite, own))
                above = own
        made.append(_assemble(arm, share, parent, children, links, rows))
    return tuple(made)


def _assemble(
    arm: Arm,
    share: float,
    parent: Values,
    children: Sequence[tuple[Metabolite, Values]],
    links: Mapping[str, Array],
    rows: int,
) -> DosedArm:
    body = Body(rows)
    central = _compartments(body, "", parent)
    outputs = {arm.analyte: (central, parent["V1"])}
    if "VH" in parent:
        liver = body.add("liver")
        body.exchange(central, liver, parent["QH"], parent["V1"], parent["VH"])
        body.flow(liver, None, parent["KEL"])
        leaving, rate_per_min = liver, parent["KMET"]
    else:
        leaving, rate_per_min = central, parent["CL"] / parent["V1"] / 60.0
    grown = None
    for depth, (metabolite, own) in enumerate(children):
        if metabolite.clearance_growth is not None:
            grown = _grown(metabolite, metabolite.clearance_growth, own, rate_per_min)
            break
        leaving, rate_per_min = _form(body, metabolite, own, leaving, rate_per_min, first=depth == 0)
        mass_ratio = 1.0 if metabolite.mass_ratio is None else metabolite.mass_ratio.value
        outputs[metabolite.analyte] = (leaving, own["V1"] / mass_ratio)
    body.flow(leaving, None, rate_per_min)
    for link, ke0_per_min in links.items():
        outputs[f"{arm.analyte}@{link}"] = (body.add(f"site {link}"), parent["V1"])
        body.flow(len(body.states) - 1, None, ke0_per_min)
    rates_per_min = body.rates_per_min()
    for link, ke0_per_min in links.items():
        # An effect site of the central volume that takes nothing away from it.
        rates_per_min[:, body.states.index(f"site {link}"), central] = ke0_per_min
    readout = np.zeros((rows, len(outputs), len(body.states)))
    for index, (place, volume_L) in enumerate(outputs.values()):
        readout[:, index, place] = _NG_PER_ML / volume_L
    entry = np.zeros(len(body.states))
    entry[central] = share
    system = LinearSystem(rates_per_min, entry, readout)
    return DosedArm(arm.analyte, share, tuple(outputs), tuple(body.states), system, grown)


def _compartments(body: Body, prefix: str, values: Values) -> int:
    """A central compartment with its peripheral ones; the place of the central one."""
    central = body.add(f"{prefix}central")
    for i in (2, 3):
        if f"V{i}" in values:
            place = body.add(f"{prefix}peripheral{i}")
            body.exchange(central, place, values[f"Q{i}"], values["V1"], values[f"V{i}"])
    return central


def _form(
    body: Body, metabolite: Metabolite, own: Values, source: int, rate_per_min: Array, *, first: bool
) -> tuple[int, Array]:
    """Join a metabolite to what it is formed from; where it leaves from in turn, and at what rate."""
    if metabolite.delay is not None:
        step_per_min = metabolite.delay.steps / own["MTT"]
        rates = apart([step_per_min] * metabolite.delay.steps)
        kind = "metabolism" if first else f"{metabolite.prefix}formation"
        names = [kind, *(f"{kind}{step}" for step in range(2, len(rates) + 1))]
        places = body.chain(names, rates)
        body.flow(source, places[0], rate_per_min)
        source, rate_per_min = places[-1], rates[-1]
    central = _compartments(body, metabolite.prefix, own)
    body.flow(source, central, metabolite.formed.value * rate_per_min)
    if metabolite.formed.value < 1:
        body.flow(source, None, (1.0 - metabolite.formed.value) * rate_per_min)
    return central, own["CL"] / own["V1"] / 60.0


def _grown(metabolite: Metabolite, growth: Parameter, own: Values, rate_per_min: Array) -> Grown:
    per_h = growth.value * (60.0 if growth.unit == "1/min" else 1.0)
    return Grown(
        metabolite.analyte,
        metabolite.formed.value * rate_per_min,
        own["V1"],
        own["CL"],
        np.full(len(rate_per_min), per_h),
    )


def apart(rates_per_min: Sequence[Array]) -> list[Array]:
    """The steps of a chain, any two equal ones set a hair's breadth apart."""
    found = list(rates_per_min)
    for place in range(len(found) - 1):
        same = np.abs(found[place] - found[place + 1]) <= _APART * found[place]
        if same.any():
            middle = 0.5 * (found[place] + found[place + 1])
            found[place] = np.where(same, middle * (1.0 + _APART), found[place])
            found[place + 1] = np.where(same, middle * (1.0 - _APART), found[place + 1])
    return found
