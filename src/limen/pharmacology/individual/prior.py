"""The virtual patients of every member, solved once for a session: what is believed before anything was seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology import population
from limen.pharmacology.individual.observations import Observation
from limen.pharmacology.individual.solving import (
    OBSERVED_EFFECTS,
    Candidate,
    Peaks,
    Stack,
    canonical,
    earlier_peaks,
    output_of,
    solve_member,
)
from limen.pharmacology.outcome import Flag
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

_MOST_SAMPLES = 200_000


@dataclass(frozen=True, slots=True)
class Prior:
    """Weighted samples of models and parameters with their curves.

    Attributes
    ----------
    candidates : tuple of Candidate
    member_of : array of int (samples,)
        The member of each sample.
    draws : array (samples, len(population.COLUMNS))
        Standard normal; sample i of every member is the same person.
    log_weight : array (samples,)
        Of each sample; the weights sum to 1.
    time_min : array (times,)
        Where the curves are solved.
    shown : array of int
        The times of bands, among ``time_min``.
    curves : mapping of NAME to array (samples, times)
        NaN where a member does not predict it, or must not be believed. A concentration's matrix is ``plasma``
        whatever the member's own.
    order : mapping of NAME to array of int (shown times, samples)
        The samples in rising order of the output; NaN last.
    by_time : mapping of NAME to array (shown times, samples)
        The curves at the shown times, each time in one piece of memory.
    earlier : mapping of doses to Peaks
        What each sample was like in an earlier session.
    drive_ng_per_mL : mapping of NAME to float
        The highest typical concentration behind each effect, the mean of the members that may be believed.
    flags : tuple of Flag
        What is to be said of the other drugs taken and of failing organs.
    """

    candidates: tuple[Candidate, ...]
    product: str
    doses: tuple[Dose, ...]
    member_of: npt.NDArray[np.int64]
    draws: Array
    log_weight: Array
    time_min: Array
    shown: npt.NDArray[np.intp]
    jump: npt.NDArray[np.bool_]
    curves: Mapping[str, Array]
    order: Mapping[str, Indices]
    by_time: Mapping[str, Array]
    earlier: Mapping[tuple[str, ...], Peaks]
    drive_ng_per_mL: Mapping[str, float]
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]

    @classmethod
    def prepare(
        cls,
        candidates: Sequence[Candidate],
        doses: Sequence[Dose],
        patient: PatientProfile,
        product: str,
        *,
        n: int,
        rng: np.random.Generator,
        until_min: float = 240.0,
        every_min: float = 5.0,
        solved_every_min: float = 1.0,
        at_min: Sequence[float] = (),
        shown_min: Sequence[float] = (),
        earlier: Sequence[Sequence[str]] = (),
        perpetrators: Sequence[str] = (),
        wanted_effects: Collection[str] = OBSERVED_EFFECTS,
    ) -> Prior:
        """Draw and solve the virtual patients of each member.

        Parameters
        ----------
        candidates : sequence of Candidate
            Members; their weights are made to sum to 1.
        n : int
            Virtual patients of each member.
        until_min, every_min : float
            Horizon and step of the bands.
        solved_every_min : float
            Step of the curves that observations are compared with; between two of its points a straight line.
        at_min : sequence of float
            Times that are solved exactly, where the times of observations are known beforehand.
        shown_min : sequence of float
            Rising times of the bands, in place of every ``every_min``.
        earlier : sequence of dose strings
            Earlier sessions of this patient, solved for the same virtual patients.
        perpetrators : sequence of str
            Drugs taken too.
        wanted_effects : collection of NAME
            The effects to solve beside concentrations.

        Raises
        ------
        InputError
            No member, no draws, too many of them; a product or a route that a member does not cover.

        Examples
        --------
        >>> from limen.pharmacology.models import get
        >>> members = [Candidate(get("fanta-otto-2021"), 1), Candidate(get("domino"), 1)]
        >>> prior = Prior.prepare(members, [Dose(35, "iv", 0, 40)],
        ...     PatientProfile(weight_kg=70), "racemic", n=100, rng=np.random.default_rng(1), until_min=60)
        >>> prior.curves["ketamine_plasma_ng_per_mL"].shape, len(prior.shown)
        ((200, 61), 13)
        """
        _check(candidates, n)
        total_weight = sum(candidate.weight for candidate in candidates)
        schedule = Schedule.of(doses)
        grid = _grid(until_min, min(every_min, solved_every_min), [*at_min, *shown_min], schedule)
        asked_min = np.asarray(shown_min) if shown_min else Grid.of(until_min, every_min, schedule).asked_min
        draws = population.draw(n, rng)
        flags: list[Flag] = []
        sources: list[str] = []
        curves = Stack(len(candidates), n)
        drives: list[Mapping[str, float]] = []
        for place, candidate in enumerate(candidates):
            response, changed = solve_member(
                candidate, doses, patient, product, grid, draws, perpetrators, wanted_effects
            )
            flags += [*changed.flags, *response.flags]
            sources += changed.sources
            drives.append(response.drive_ng_per_mL)
            for name, values in canonical(response.values, candidate.model, product).items():
                curves.put(name, place, values[1:])
        shown = np.searchsorted(grid.solved_min, asked_min)
        by_time = {name: np.ascontiguousarray(values.T[shown]) for name, values in curves.found.items()}
        weight = np.repeat([candidate.weight / total_weight / n for candidate in candidates], n)
        with np.errstate(divide="ignore"):
            log_weight = np.log(weight)
        return cls(
            tuple(candidates),
            product,
            tuple(doses),
            np.repeat(np.arange(len(candidates)), n),
            np.tile(draws, (len(candidates), 1)),
            log_weight,
            grid.solved_min,
            shown,
            np.isin(grid.solved_min, schedule.start_min[schedule.bolus_mg > 0]),
            curves.found,
            {name: np.argsort(values, axis=1).astype(np.int32) for name, values in by_time.items()},
            by_time,
            {
                tuple(session): earlier_peaks(
                    session, candidates, patient, product, draws, perpetrators, wanted_effects
                )
                for session in earlier
            },
            _mean_drives(drives),
            tuple(dict.fromkeys(flags)),
            tuple(dict.fromkeys(sources)),
        )

    @property
    def shown_min(self) -> Array:
        """The times of bands."""
        return self.time_min[self.shown]

    @property
    def ids(self) -> tuple[str, ...]:
        """The members' ids, in order."""
        return tuple(candidate.model.id for candidate in self.candidates)

    def members(self, place: int) -> slice:
        """The samples of one member."""
        each = len(self.log_weight) // len(self.candidates)
        return slice(place * each, (place + 1) * each)

    def at(self, observation: Observation) -> Array:
        """What each sample predicts for an observation; NaN where its member predicts nothing of the kind.

        Raises
        ------
        InputError
            An observation after the horizon.
        """
        if observation.t_min > self.time_min[-1]:
            raise InputError(
                f"t_min {observation.t_min:g} is after the end of the forecast",
                where=observation.kind,
                allowed=f"up to {self.time_min[-1]:g} min",
            )
        name = output_of(observation)
        if observation.session:
            if observation.session not in self.earlier:
                raise InputError(
                    f"the earlier session {'; '.join(observation.session)} was not solved",
                    where=observation.kind,
                    allowed="sessions named when the prior was prepared",
                )
            return self.earlier[observation.session].get(name, np.full(len(self.log_weight), np.nan))
        if name not in self.curves:
            return np.full(len(self.log_weight), np.nan)
        values = self.curves[name]
        right = int(np.searchsorted(self.time_min, observation.t_min))
        if self.time_min[right] == observation.t_min:
            return values[:, right].copy()
        left = right - 1
        # Just before a bolus the curve has not jumped yet.
        share = (
            0.0
            if self.jump[right]
            else (observation.t_min - self.time_min[left]) / (self.time_min[right] - self.time_min[left])
        )
        return values[:, left] if share == 0 else (1 - share) * values[:, left] + share * values[:, right]


def _check(candidates: Sequence[Candidate], n: int) -> None:
    if not candidates:
        raise InputError("no model", where="models", allowed="one or more")
    if n < 1:
        raise InputError(f"{n} virtual patients", where="population", allowed="1 or more of each model")
    if n * len(candidates) > _MOST_SAMPLES:
        raise InputError(
            f"{n} virtual patients of {len(candidates)} models",
            where="population",
            allowed=f"up to {_MOST_SAMPLES // len(candidates)} of each",
        )
    weights = [candidate.weight for candidate in candidates]
    if not all(0 <= weight < np.inf for weight in weights) or sum(weights) <= 0:
        raise InputError("weights that cannot be", where="models", allowed="0 or more, one of them over 0")


def _mean_drives(drives_ng_per_mL: Sequence[Mapping[str, float]]) -> dict[str, float]:
    found = {}
    for name in dict.fromkeys(name for drives in drives_ng_per_mL for name in drives):
        known = [drives[name] for drives in drives_ng_per_mL if name in drives and not np.isnan(drives[name])]
        found[name] = float(np.mean(known)) if known else np.nan
    return found


def _grid(until_min: float, every_min: float, at_min: Sequence[float], schedule: Schedule) -> Grid:
    """The regular grid with exact times put in."""
    plain = Grid.of(until_min, every_min, schedule)
    extra = [time for time in at_min if 0 <= time <= until_min]
    solved_min = np.unique(np.concatenate([plain.solved_min, np.asarray(extra, dtype=np.float64)]))
    corners_min = plain.solved_min[plain.corner]
    return Grid(
        plain.asked_min,
        solved_min,
        np.searchsorted(solved_min, plain.asked_min),
        np.isin(solved_min, corners_min),
    )
