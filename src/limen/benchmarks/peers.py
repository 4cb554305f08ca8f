"""Other people's engines, given the same patients, doses and times.

Each takes the rates of change as infix formulas of the states and parameters, and returns the states asked for at each
time: (patients, states, times). They are optional; the one that is not installed is named with the reason.
"""

from __future__ import annotations

import ast
import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.benchmarks.measure import difference_ratio

Array = npt.NDArray[np.float64]
# Numbers by the names that the formulas give them.
Named = Mapping[str, float]

KINETICS = {
    "c1": "rate / V1 - (k10 + k12 + k13) * c1 + k21 * c2 + k31 * c3",
    "c2": "k12 * c1 - k21 * c2",
    "c3": "k13 * c1 - k31 * c3",
    "ce": "ke0 * (c1 - ce)",
}
EFFECT = {
    **KINETICS,
    "r": "kout * (1 + emax * ce / (ec50 + ce) - r * (1 + tolerance * (m - 1)))",
    "m": "ktol * (r - m)",
}
_RTOL, _ATOL = 1e-10, 1e-13


@dataclass(frozen=True, slots=True)
class Problem:
    """One infusion from time 0, then nothing.

    Attributes
    ----------
    formulas : mapping of state to infix
    start : mapping of state to its value at time 0
    patients : sequence of mapping of parameter to value
    rate_mg_per_min, infusion_min : float
    time_min : array (times,)
        Rising from 0; the end of the infusion is one of them.
    shown : sequence of states
    """

    formulas: Mapping[str, str]
    start: Named
    patients: Sequence[Named]
    rate_mg_per_min: float
    infusion_min: float
    time_min: Array
    shown: Sequence[str]

    @property
    def switch(self) -> int:
        """Place of the end of the infusion among the times."""
        return int(np.searchsorted(self.time_min, self.infusion_min))


Engine = Callable[[Problem], Array]


@dataclass(slots=True)
class Comparison:
    """What the peers took and how far they are from ours."""

    peers_s: dict[str, float] = field(default_factory=dict)
    differences_ratio: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def keys(self) -> dict[str, Any]:
        """The report's keys on the peers."""
        return {
            "peers": self.peers_s,
            "peer_differences": self.differences_ratio,
            "peer_n": self.counts,
            "peers_skipped": self.skipped,
        }


def compare(
    engines: Mapping[str, tuple[Engine, int]],
    problem: Callable[[int], Problem],
    ours: Array,
    n: int,
    *,
    rtol_ratio: float,
) -> Comparison:
    """Run each engine on its number of the same patients; seconds are scaled to all ``n``.

    Parameters
    ----------
    engines : mapping of name to (engine, patients it is given)
    problem : callable
        Makes the problem of the first so many patients.
    ours : array (patients, states, times)
        Our answer for at least as many.
    rtol_ratio : float
        How far an engine may be from ours.

    Raises
    ------
    AssertionError
        If an engine does not agree: then one of the two is wrong, and no time is worth anything.
    """
    found = Comparison()
    for name, (engine, count) in engines.items():
        given = problem(count)
        try:
            engine(given)
        except ImportError as reason:
            found.skipped[name] = f"not installed: {reason.name}"
            continue
        begun = time.perf_counter()
        answer = engine(given)
        spent_s = time.perf_counter() - begun
        found.differences_ratio[name] = difference_ratio(answer, ours[:count])
        if not found.differences_ratio[name] <= rtol_ratio:
            raise AssertionError(f"{name} is {found.differences_ratio[name]:.2g} from ours, over {rtol_ratio:g}")
        found.peers_s[name] = spent_s * n / count
        found.counts[name] = count
    return found


def by_scipy(problem: Problem) -> Array:
    """``scipy.integrate.solve_ivp``, LSODA."""
    solve_ivp = importlib.import_module("scipy.integrate").solve_ivp
    states = list(problem.formulas)
    out = np.empty((len(problem.patients), len(problem.shown), len(problem.time_min)))
    for place, patient in enumerate(problem.patients):
        slope = _compiled(problem.formulas, patient)
        now = np.array([problem.start[name] for name in states])
        curves = np.empty((len(states), len(problem.time_min)))
        for first, last, rate in _spans(problem):
            time_min = problem.time_min[first : last + 1]
            solved = solve_ivp(
                slope, (time_min[0], time_min[-1]), now, "LSODA", time_min,
                args=(rate,), rtol=_RTOL, atol=_ATOL,
            )  # fmt: skip
            curves[:, first : last + 1] = solved.y
            now = solved.y[:, -1]
        out[place] = curves[[states.index(name) for name in problem.shown]]
    return out


def by_roadrunner(problem: Problem) -> Array:
    """libRoadRunner: SBML compiled by LLVM, stepped by CVODE."""
    roadrunner = importlib.import_module("roadrunner")
    engine = roadrunner.RoadRunner(_sbml(problem))
    engine.getIntegrator().setValue("relative_tolerance", _RTOL)
    engine.getIntegrator().setValue("absolute_tolerance", _ATOL)
    engine.timeCourseSelections = list(problem.shown)
    out = np.empty((len(problem.patients), len(problem.shown), len(problem.time_min)))
    for place, patient in enumerate(problem.patients):
        engine.resetAll()
        for name, value in {**patient, **problem.start}.items():
            engine.setValue(name, value)
        for first, last, rate in _spans(problem):
            engine.setValue("rate", rate)
            time_min = problem.time_min[first : last + 1]
            out[place, :, first : last + 1] = engine.simulate(time_min[0], time_min[-1], len(time_min)).T
    return out


def by_diffrax(problem: Problem) -> Array:
    """diffrax on JAX: Dormand and Prince's order 8, every patient in one compiled batch."""
    jax = importlib.import_module("jax")
    diffrax = importlib.import_module("diffrax")
    jax.config.update("jax_enable_x64", True)
    jnp = importlib.import_module("jax.numpy")
    states = list(problem.formulas)
    names = list(problem.patients[0])
    run = _diffrax_run(tuple(problem.formulas.items()), tuple(names), jax, diffrax, jnp)
    parameters = jnp.array([[patient[name] for name in names] for patient in problem.patients])
    now = jnp.tile(jnp.array([problem.start[name] for name in states]), (len(problem.patients), 1))
    out = np.empty((len(problem.patients), len(states), len(problem.time_min)))
    for first, last, rate in _spans(problem):
        curves = run(now, parameters, rate, jnp.array(problem.time_min[first : last + 1]))
        out[:, :, first : last + 1] = np.swapaxes(np.asarray(curves), 1, 2)
        now = curves[:, -1]
    return out[:, [states.index(name) for name in problem.shown]]


def by_pytci(problem: Problem) -> Array:
    """PyTCI: matrix exponentials, one state at a time; kinetics and effect site only."""
    three = importlib.import_module("PyTCI.models.base").Three
    out = np.empty((len(problem.patients), 2, len(problem.time_min)))
    for place, patient in enumerate(problem.patients):
        body = three()
        body.v1, body.keo = patient["V1"], patient["ke0"]
        for name in ("k10", "k12", "k13", "k21", "k31"):
            setattr(body, name, patient[name])
        body.setup()
        body.set_integrator("exact")
        out[place, :, 0] = 0.0
        for first, last, rate in _spans(problem):
            steps_s = np.diff(problem.time_min[first : last + 1]) * 60.0
            for step, span_s in enumerate(steps_s.tolist(), start=first + 1):
                body.giveoverseconds(rate / 60.0, span_s)
                out[place, 0, step], out[place, 1, step] = body.x1, body.xeo
    return out


_RUNS: dict[Any, Any] = {}


def _diffrax_run(
    formulas: tuple[tuple[str, str], ...], names: tuple[str, ...], jax: Any, diffrax: Any, jnp: Any
) -> Any:
    """The compiled batch, made once for one set of formulas."""
    if (formulas, names) in _RUNS:
        return _RUNS[formulas, names]
    states = [name for name, _ in formulas]
    code = [compile(formula, name, "eval") for name, formula in formulas]

    def slope(_: Any, y: Any, given: Any) -> Any:
        parameters, rate = given
        values = {**dict(zip(states, y, strict=True)), **dict(zip(names, parameters, strict=True)), "rate": rate}
        return jnp.stack([eval(item, {}, values) for item in code])  # noqa: S307  # our own formulas

    def one(start: Any, parameters: Any, rate: Any, time_min: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(slope), diffrax.Dopri8(), time_min[0], time_min[-1], None, start, (parameters, rate),
            saveat=diffrax.SaveAt(ts=time_min),
            stepsize_controller=diffrax.PIDController(rtol=_RTOL, atol=_ATOL),
        ).ys  # fmt: skip

    _RUNS[formulas, names] = jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)))
    return _RUNS[formulas, names]


def _spans(problem: Problem) -> tuple[tuple[int, int, float], ...]:
    """First and last time of each stretch of constant input, and its rate."""
    return ((0, problem.switch, problem.rate_mg_per_min), (problem.switch, len(problem.time_min) - 1, 0.0))


def _compiled(
    formulas: Mapping[str, str], patient: Mapping[str, float]
) -> Callable[[float, Array, float], list[float]]:
    """The rates of change as one Python function with the patient's numbers in it."""
    body = ", ".join(formulas.values())
    text = f"def slope(_, y, rate):\n    {', '.join(formulas)} = y\n    return [{body}]\n"
    space: dict[str, Any] = dict(patient)
    exec(compile(text, "<formulas>", "exec"), space)  # noqa: S102  # our own formulas
    found: Callable[[float, Array, float], list[float]] = space["slope"]
    return found


def _sbml(problem: Problem) -> str:
    """The formulas as SBML: parameters with rate rules."""
    names = [*problem.formulas, *problem.patients[0], "rate"]
    parameters = "".join(f'<parameter id="{name}" value="0" constant="false"/>' for name in names)
    rules = "".join(
        f'<rateRule variable="{name}"><math xmlns="http://www.w3.org/1998/Math/MathML">'
        f"{_mathml(ast.parse(formula, mode='eval').body)}</math></rateRule>"
        for name, formula in problem.formulas.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">'
        f"<listOfParameters>{parameters}</listOfParameters><listOfRules>{rules}</listOfRules></model></sbml>"
    )


def _mathml(node: ast.expr) -> str:
    signs = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide"}
    if isinstance(node, ast.BinOp):
        return f"<apply><{signs[type(node.op)]}/>{_mathml(node.left)}{_mathml(node.right)}</apply>"
    if isinstance(node, ast.Name):
        return f"<ci>{node.id}</ci>"
    if isinstance(node, ast.UnaryOp):
        return f"<apply><minus/>{_mathml(node.operand)}</apply>"
    if isinstance(node, ast.Constant):
        return f"<cn>{node.value!r}</cn>"
    raise TypeError(f"{ast.dump(node)} has no place in a formula")
