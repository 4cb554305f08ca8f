"""From a wanted concentration or effect to a regimen that a person can follow, inside named limits. It advises."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.exposure import Percentiles, unit_of
from limen.pharmacology.forecast import flags_of, summary_of
from limen.pharmacology.members import Solved, solve
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.regimen_search import Amounts, Answers, Bounds, changes, nearest, scaled, settable
from limen.pharmacology.targets import Advice, Pump, Setting, Target, Wall

__all__ = ["Advice", "Pump", "Setting", "Target", "Wall", "aim"]

Array = npt.NDArray[np.float64]

# A target counts as reached when the mean over its window is within this part of what was asked (project rule).
WITHIN_FRACTION = 0.1
_SETTLE_ROUNDS = 8
_CLOSE_FRACTION = 0.005
_CHANGES_MOST = 48
_GRID_POINTS = 240
# Where the search for an effect starts.
_FIRST_LEVEL_NG_PER_ML = 50.0


@dataclass(frozen=True, slots=True)
class _Found:
    """A regimen, what it comes to, and what the ensemble says of it."""

    amounts: Amounts
    solved: Solved | None
    time_min: Array
    typical: Mapping[str, Array]
    bands: Mapping[str, Percentiles]
    peaks: Mapping[str, float]

    def mean(self, target: Target, statistic: str) -> float:
        """Over the target's window."""
        of_typical = self.typical[target.output]
        curve = of_typical if statistic == "typical" else getattr(self.bands[target.output], statistic)
        inside = (self.time_min >= target.from_min) & (self.time_min <= target.until_min)
        return float(np.nanmean(curve[inside]))


class _Search:
    """The ensemble, asked again and again for regimens of one patient; the same virtual patients every time."""

    def __init__(
        self,
        target: Target,
        patient: PatientProfile,
        product: str,
        walls: tuple[Wall, ...],
        pump: Pump,
        n: int,
        seed: int,
        options: Mapping[str, Any],
    ) -> None:
        self.target, self.patient, self.product, self.walls = target, patient, product, walls
        self.n, self.seed, self.options = n, seed, options
        self.every_min = max(1.0, target.until_min / _GRID_POINTS)
        self.bolus_step_mg = pump.bolus_step_mL * pump.concentration_mg_per_mL
        self.rate_step_mg_per_h = pump.rate_step_mL_per_h * pump.concentration_mg_per_mL
        watched = [target.output, *(wall.output for wall in walls if wall.output is not None)]
        self.watched = tuple(dict.fromkeys(watched))
        analyte = "ketamine" if product == "racemic" else "S_ketamine"
        self.driver = target.output if _is_level(target.output) else f"{analyte}_effect_site_ng_per_mL"
        self.answers = self._answers()
        self.bounds = Bounds(
            self._least("bolus"),
            self._least("rate"),
            self._least("total"),
            tuple(
                (self.answers[wall.output], wall.limit)
                for wall in walls
                if wall.output in self.answers and wall.statistic == "typical"
            ),
        )

    def _least(self, kind: str) -> float | None:
        return min((wall.limit for wall in self.walls if wall.kind == kind), default=None)

    def ask(self, doses: Sequence[Dose], n: int) -> Solved:
        return solve(
            doses,
            self.patient,
            self.product,
            self.target.until_min + self.every_min,
            self.every_min,
            n,
            np.random.default_rng(self.seed) if n else None,
            wanted_effects=[name for name in self.watched if not _is_level(name)],
            **self.options,
        )

    def _answers(self) -> dict[str, Answers]:
        """Of the driver and of every concentration under a ceiling, by the typical patient."""
        horizon_min = self.target.until_min + self.every_min
        once = self.ask([Dose(1.0, "iv")], 0)
        always = self.ask([Dose(horizon_min, "iv", 0.0, horizon_min)], 0)
        for name in (*self.watched, self.driver):
            if name not in once.shared():
                raise InputError(f"{name} is not forecast", where="target", allowed=", ".join(once.shared()))
        return {
            name: Answers(
                once.grid.asked_min,
                once.grid.shown(once.typical(name).mean),
                always.grid.shown(always.typical(name).mean),
            )
            for name in dict.fromkeys((self.driver, *self.watched))
            if _is_level(name)
        }

    def found(self, amounts: Amounts) -> _Found:
        """What the whole ensemble says of these amounts."""
        doses = amounts.doses()
        if not doses:
            time_min = self.answers[self.driver].time_min
            still = np.zeros(len(time_min))
            bands = dict.fromkeys(self.watched, Percentiles(still, still, still)) if self.n else {}
            nothing = {wall.name: 0.0 for wall in self.walls}
            return _Found(amounts, None, time_min, dict.fromkeys(self.watched, still), bands, nothing)
        solved = self.ask(doses, self.n)
        typical = {name: solved.grid.shown(solved.typical(name).mean) for name in self.watched}
        bands = {name: solved.pooled(name) for name in self.watched} if self.n else {}
        used = {
            "bolus": amounts.bolus_mg,
            "rate": max(amounts.rates_mg_per_min, default=0.0) * 60.0,
            "total": amounts.total_mg,
        }
        peaks = {}
        for wall in self.walls:
            if wall.output is None:
                peaks[wall.name] = used[wall.kind]
            else:
                # The very number that a forecast of the regimen shows.
                peaks[wall.name] = summary_of(solved, wall.output).to_json()["cmax"][wall.statistic]
        return _Found(amounts, solved, solved.grid.asked_min, typical, bands, peaks)

    def regimen(self, level: float, changes_min: tuple[float, ...], bolus: bool) -> _Found:
        """The settable regimen nearest to a typical level of the driver, brought down until every wall holds."""
        time_min = self.answers[self.driver].time_min
        inside = (time_min >= self.target.from_min) & (time_min <= self.target.until_min)
        wanted = nearest(self.answers[self.driver], level, inside, changes_min, self.bounds, bolus=bolus)
        found = self.found(settable(wanted, self.bolus_step_mg, self.rate_step_mg_per_h, self.bounds))
        while (over := self._over(found)) > 1.0 + 1e-9:
            less = min(1.0 / over, 0.98)
            found = self.found(scaled(found.amounts, less, self.bolus_step_mg, self.rate_step_mg_per_h))
        return found

    def _over(self, found: _Found) -> float:
        """How many times its limit the worst wall is at."""
        worst_ratio = 0.0
        for wall in self.walls:
            used = found.peaks[wall.name]
            if used > 0:
                worst_ratio = max(worst_ratio, used / wall.limit if wall.limit > 0 else math.inf)
        return worst_ratio


def _is_level(name: str) -> bool:
    """Whether an output is a concentration, and so a sum over doses."""
    return name.endswith("_ng_per_mL")


def aim(
    target: Target,
    patient: PatientProfile,
    product: str,
    walls: Sequence[Wall],
    pump: Pump,
    *,
    bolus: bool = True,
    steps: int = 3,
    every_min: float = 5.0,
    n: int = 0,
    seed: int = 1,
    **options: Any,
) -> Advice:
    """A bolus and a few rates, by vein, that bring an output to a level and hold it there.

    Parameters
    ----------
    target : Target
    patient : PatientProfile
    product : str
    walls : sequence of Wall
        Never passed: by the amounts, and by the peaks that the forecast of the regimen shows.
    pump : Pump
        Rates and boluses are whole steps of it.
    bolus : bool
        Whether one bolus at the start is allowed.
    steps : int
        Rates at most; as many as the window has stretches of ``every_min`` makes a table for a pump.
    every_min : float
        Rates change at whole numbers of this.
    n : int
        Virtual patients of each model, for percentiles.
    seed : int
        Of the virtual patients.
    options
        ``setting``, ``member_weight`` and ``perpetrators`` of the ensemble.

    Returns
    -------
    Advice
        A target out of reach is said to be, with the limit that holds it, or that drug cannot be taken out again.

    Raises
    ------
    InputError
        An output that is not forecast, a percentile without virtual patients, an amount that cannot be.

    Notes
    -----
    The kinetics are linear, so the typical concentration is a sum of the answers to one milligram and to one rate; the
    regimen is the linear program that keeps the sum nearest to the level inside the walls. An effect or a percentile is
    brought to its level by moving the concentration aimed at until the forecast of the whole ensemble shows it.

    Examples
    --------
    >>> wall = Wall("most of a session", "total", 60, "mg")
    >>> wanted = Target("ketamine_effect_site_ng_per_mL", 100, 20, 60)
    >>> advice = aim(wanted, PatientProfile(age_years=42, weight_kg=70), "racemic", [wall], Pump(1.0), steps=2)
    >>> advice.reached, advice.total_mg < 60
    (True, True)
    """
    if target.statistic != "typical" and n == 0:
        raise InputError("a percentile needs virtual patients", where="population", allowed="100 or more")
    if any(wall.statistic != "typical" for wall in walls) and n == 0:
        raise InputError("a limit on a percentile needs virtual patients", where="population", allowed="100 or more")
    if len({wall.name for wall in walls}) != len(walls):
        raise InputError("two limits have one name", where="limit", allowed="each name once")
    if not 1 <= steps <= _CHANGES_MOST:
        raise InputError(f"{steps} rates", where="steps", allowed=f"1 to {_CHANGES_MOST}")
    if not 0 < every_min <= target.until_min:
        raise InputError(f"a change every {every_min:g} min", where="every", allowed=f"over 0 to {target.until_min:g}")
    search = _Search(target, patient, product, tuple(walls), pump, n, seed, options)
    answers = search.answers[search.driver]
    inside = (answers.time_min >= target.from_min) & (answers.time_min <= target.until_min)
    changes_min = changes(answers, inside, every_min, target.until_min, steps, bolus)

    def misses(found: _Found) -> float:
        return found.mean(target, target.statistic) / target.level

    level = target.level if _is_level(target.output) else _FIRST_LEVEL_NG_PER_ML
    best = search.regimen(level, changes_min, bolus)
    if not _is_level(target.output) or target.statistic != "typical":
        best = _moved(best, level, lambda asked: search.regimen(asked, changes_min, bolus), misses)
    return _advice(search, best, pump, bolus)


def _moved(best: _Found, level: float, at: Callable[[float], _Found], share: Callable[[_Found], float]) -> _Found:
    """Move the typical concentration aimed at until the share of the target that is reached is 1, or moves no more."""
    low, high = 0.0, np.inf
    for _ in range(_SETTLE_ROUNDS):
        reached = share(best)
        if abs(reached - 1.0) < _CLOSE_FRACTION:
            break
        if reached < 1.0:
            low = level
        else:
            high = level
        ahead = level / reached if reached > 0 else level * 4.0
        if not low < ahead < high:
            ahead = (low + high) / 2.0 if np.isfinite(high) else level * 2.0
        nearer = at(ahead)
        if nearer.amounts == best.amounts:
            break
        level = ahead
        if abs(share(nearer) - 1.0) < abs(reached - 1.0) or reached > 1.0:
            best = nearer
    return best


def _advice(search: _Search, best: _Found, pump: Pump, bolus: bool) -> Advice:
    target = search.target
    statistics = ["typical", *(("p05", "p50", "p95") if search.n else ())]
    achieved = {statistic: best.mean(target, statistic) for statistic in statistics}
    reached = abs(achieved[target.statistic] / target.level - 1.0) <= WITHIN_FRACTION
    steps = {"bolus": search.bolus_step_mg, "rate": search.rate_step_mg_per_h}
    binding = tuple(
        wall
        for wall in search.walls
        if best.peaks[wall.name] > 0.98 * wall.limit or wall.limit - best.peaks[wall.name] <= steps.get(wall.kind, 0.0)
    )
    doses = best.amounts.doses()
    return Advice(
        target,
        search.product,
        tuple(_setting(dose, pump) for dose in doses),
        doses,
        search.walls,
        binding,
        dict(best.peaks),
        achieved,
        reached,
        best.time_min / 60.0,
        best.typical[target.output],
        best.bands.get(target.output),
        search.n,
        tuple(_flags(search, best, reached, binding, bolus, achieved[target.statistic])),
    )


def _setting(dose: Dose, pump: Pump) -> Setting:
    volume_mL = dose.amount_mg / pump.concentration_mg_per_mL
    if dose.duration_min == 0:
        return Setting("bolus", dose.start_min, dose.amount_mg, 0.0, None, volume_mL, None)
    hours = dose.duration_min / 60.0
    return Setting(
        "infusion",
        dose.start_min,
        dose.amount_mg,
        dose.duration_min,
        dose.amount_mg / hours,
        volume_mL,
        round(volume_mL / hours, 9),
    )


def _flags(
    search: _Search, best: _Found, reached: bool, binding: Sequence[Wall], bolus: bool, achieved: float
) -> list[Flag]:
    target, unit = search.target, unit_of(search.target.output)
    found = [Flag("advice-only", "A regimen to consider: it advises, and a licensed person decides [P]")]
    if not reached:
        why = (
            f"held by {', '.join(wall.name for wall in binding)}"
            if binding
            else "no limit holds it: with these few changes, or because drug that is in cannot be taken out again"
        )
        found.append(
            Flag(
                "target-not-reached",
                f"{target.output}: asked {target.level:g} {unit} ({target.statistic}), reached {achieved:.3g} in the"
                f" mean of the window; {why}",
            )
        )
    given = {wall.kind for wall in search.walls}
    missing = [kind for kind in ("bolus", "rate", "total", "peak") if kind not in given and (bolus or kind != "bolus")]
    if missing:
        found.append(Flag("no-limit-given", f"No limit was given on: {', '.join(missing)}"))
    if best.solved is not None:
        found += flags_of(best.solved)
    return found
