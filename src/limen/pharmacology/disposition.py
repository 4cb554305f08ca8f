"""A model, a patient and their effects made into linear systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.kinetics import LinearSystem
from limen.pharmacology.models.schema import Arm, Model, Parameter, Parameters, Product
from limen.pharmacology.patient import PatientProfile

Array = npt.NDArray[np.float64]

REFERENCE_WEIGHT_KG = 70.0
# mg/L to ng/mL
_NG_PER_ML = 1000.0


@dataclass(frozen=True, slots=True)
class Volumes:
    """Volumes and flows of one analyte, a row a patient; ``peripheral`` holds (volume L, flow L/h) pairs."""

    central_L: Array
    clearance_L_per_h: Array
    peripheral: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, slots=True)
class DosedArm:
    """One analyte with everything that follows from it: its metabolite and its effect sites.

    Attributes
    ----------
    dose_fraction : float
        Mass of the analyte in 1 mg of the product given.
    outputs : tuple of str
        What each output of ``system`` is: an analyte, or ``ANALYTE@LINK`` for a dosed analyte at an effect site; all
        in ng/mL.
    """

    analyte: str
    dose_fraction: float
    outputs: tuple[str, ...]
    system: LinearSystem


def volumes(
    parameters: Parameters, weight_kg: float | None, effects: Mapping[str, Array], rows: int, prefix: str = ""
) -> Volumes:
    """Parameters of a paper as volumes and flows for these patients.

    Parameters
    ----------
    parameters : dict of name to Parameter
        By flow (V1, CL, V2, Q2, ...) or by rate constant (V1, k10, k12, k21, ...).
    weight_kg : float or None
        ``None`` is allowed only where nothing scales with weight.
    effects : mapping of effect name to array (rows,)
        Log-normal effects; a missing name has none.
    prefix : str
        Prepended to a parameter's name to find its effect (``NK_`` for norketamine).
    """
    typical = {name: _typical(parameter, weight_kg) for name, parameter in parameters.items()}
    central_L = typical["V1"]
    if "CL" in typical:
        clearance_L_per_h = typical["CL"]
        pairs = [(typical[f"V{i}"], typical[f"Q{i}"]) for i in (2, 3) if f"V{i}" in typical]
    else:
        clearance_L_per_h = central_L * typical["k10"] * 60.0
        pairs = [
            (central_L * typical[f"k1{i}"] / typical[f"k{i}1"], central_L * typical[f"k1{i}"] * 60.0)
            for i in (2, 3)
            if f"k1{i}" in typical
        ]

    def vary(name: str, number: float) -> Array:
        effect = effects.get(prefix + name)
        return np.full(rows, number) if effect is None else number * np.exp(effect)

    return Volumes(
        vary("V1", central_L),
        vary("CL", clearance_L_per_h),
        tuple((vary(f"V{i}", pair[0]), vary(f"Q{i}", pair[1])) for i, pair in enumerate(pairs, start=2)),
    )


def _typical(parameter: Parameter, weight_kg: float | None) -> float:
    """In L, L/h or per minute, for this weight."""
    value = parameter.value
    if parameter.unit in {"L/min", "L/h"}:
        value *= 60.0 if parameter.unit == "L/min" else 1.0
    elif parameter.unit == "1/h":
        value /= 60.0
    exponent = parameter.weight_exponent
    if parameter.unit == "L/kg":
        return value * _known(weight_kg)
    return value * (_known(weight_kg) / REFERENCE_WEIGHT_KG) ** exponent if exponent else value


def _known(weight_kg: float | None) -> float:
    if weight_kg is None:
        return PatientProfile().need_weight_kg("The model scales with weight.")
    return weight_kg


def arms(
    model: Model,
    product: Product,
    weight_kg: float | None,
    effects: Mapping[str, Array],
    rows: int,
    *,
    links: Mapping[str, Array],
    clearance_ratio: float = 1.0,
    metabolites: bool = True,
) -> tuple[DosedArm, ...]:
    """The systems that answer one milligram of product.

    Parameters
    ----------
    links : mapping of LINK to array (rows,)
        Rate (ke0, per minute) of each effect site.
    clearance_ratio : float
        Multiplies clearance (another drug's effect).
    """
    made = []
    for arm in model.arms:
        share = arm.dose_fraction.get(product)
        if share is None:
            continue
        parent = volumes(model.parameters_of(arm), weight_kg, effects, rows)
        parent = Volumes(parent.central_L, parent.clearance_L_per_h * clearance_ratio, parent.peripheral)
        child = None
        if metabolites and arm.metabolite is not None:
            child = volumes(arm.metabolite.parameters, weight_kg, effects, rows, prefix="NK_")
        made.append(_assemble(arm, share, parent, child, links))
    return tuple(made)


def _assemble(arm: Arm, share: float, parent: Volumes, child: Volumes | None, links: Mapping[str, Array]) -> DosedArm:
    rows = len(parent.central_L)
    of_parent = 1 + len(parent.peripheral)
    of_child = 0 if child is None else 1 + len(child.peripheral)
    states = of_parent + of_child + len(links)
    rates = np.zeros((rows, states, states))
    _fill(rates, 0, parent)
    if child is not None and arm.metabolite is not None:
        _fill(rates, of_parent, child)
        rates[:, of_parent, 0] += arm.metabolite.formed.value * parent.clearance_L_per_h / parent.central_L / 60.0
    outputs = [arm.analyte]
    places = [0]
    scales = [_NG_PER_ML / parent.central_L]
    if child is not None and arm.metabolite is not None:
        outputs.append(arm.metabolite.analyte)
        places.append(of_parent)
        scales.append(_NG_PER_ML / child.central_L)
    for index, (link, ke0_per_min) in enumerate(links.items()):
        place = of_parent + of_child + index
        # An effect site of the central volume that takes nothing away from it.
        rates[:, place, 0] = ke0_per_min
        rates[:, place, place] = -ke0_per_min
        outputs.append(f"{arm.analyte}@{link}")
        places.append(place)
        scales.append(_NG_PER_ML / parent.central_L)
    readout = np.zeros((rows, len(outputs), states))
    for index, (place, scale) in enumerate(zip(places, scales, strict=True)):
        readout[:, index, place] = scale
    entry = np.zeros(states)
    entry[0] = share
    return DosedArm(arm.analyte, share, tuple(outputs), LinearSystem(rates, entry, readout))


def _fill(rates_per_min: Array, at: int, analyte: Volumes) -> None:
    """Write one analyte's compartments into the matrix, its central compartment at ``at``."""
    central = analyte.central_L
    rates_per_min[:, at, at] -= analyte.clearance_L_per_h / central / 60.0
    for offset, (volume_L, flow_L_per_h) in enumerate(analyte.peripheral, start=1):
        place = at + offset
        out = flow_L_per_h / central / 60.0
        back = flow_L_per_h / volume_L / 60.0
        rates_per_min[:, at, at] -= out
        rates_per_min[:, at, place] += back
        rates_per_min[:, place, at] += out
        rates_per_min[:, place, place] -= back
