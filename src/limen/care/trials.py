"""Did two adequate trials of antidepressants fail? Worked out from doses, weeks, adherence and response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from limen.errors import InputError
from limen.evidence import Verification
from limen.knowledge.naming import read_name
from limen.knowledge.trials import adequacy, trial_rules

ADHERENCE = ("good", "partial", "poor")
RESPONSES = ("none", "partial", "response", "remission", "intolerant")
EPISODES = ("current", "earlier")
Verdict = Literal["failed", "responded", "inadequate", "unknown"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One antidepressant that was tried.

    Attributes
    ----------
    dose_mg_per_day : float or None
        The highest dose that was held; ``None`` where it is not known.
    adherence : {"good", "partial", "poor"} or None
        Whether it was taken; ``None`` where nobody asked.
    response : {"none", "partial", "response", "remission", "intolerant"} or None
        ``partial`` is less than half better, ``intolerant`` stopped for side effects.
    improvement_pct : float or None
        By a scale, where one was used; decides before ``response``.
    episode : {"current", "earlier"}
        Only trials of the current episode count.
    """

    drug: str
    dose_mg_per_day: float | None = None
    weeks: float | None = None
    adherence: str | None = None
    response: str | None = None
    improvement_pct: float | None = None
    episode: str = "current"
    source: str = "entered"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("adherence", self.adherence, ADHERENCE),
            ("response", self.response, RESPONSES),
            ("episode", self.episode, EPISODES),
        ):
            if value is not None and value not in allowed:
                raise InputError(f"unknown {name} {value!r}", where=f"trials.{name}", allowed=", ".join(allowed))


@dataclass(frozen=True, slots=True)
class JudgedTrial:
    """One trial with what became of it.

    Attributes
    ----------
    resolved : str or None
        The drug it was read as.
    counted : bool
        Whether it adds to the number that failed: a drug counts once.
    """

    trial: Trial
    resolved: str | None
    verdict: Verdict
    counted: bool
    because: str
    minimum: str | None
    sources: tuple[str, ...]
    verification: Verification

    def to_json(self) -> dict[str, Any]:
        trial = self.trial
        return {
            "drug": trial.drug,
            "resolved": self.resolved,
            "dose_mg_per_day": trial.dose_mg_per_day,
            "weeks": trial.weeks,
            "adherence": trial.adherence,
            "response": trial.response,
            "improvement_pct": trial.improvement_pct,
            "episode": trial.episode,
            "verdict": self.verdict,
            "counted": self.counted,
            "because": self.because,
            "minimum": self.minimum,
            "sources": list(self.sources),
            "verification": self.verification.value,
        }


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """Every trial judged, and how many adequate ones failed.

    Attributes
    ----------
    at_least, at_most : int
        The number that failed for certain, and with every open one counted too.
    """

    trials: tuple[JudgedTrial, ...]
    at_least: int
    at_most: int

    @property
    def number(self) -> int | None:
        """The number where it is settled enough: all that are needed, or fewer whatever the open ones say."""
        needed = trial_rules().needed.number
        if self.at_least == self.at_most or self.at_least >= needed:
            return self.at_least
        return self.at_most if self.at_most < needed else None

    @property
    def words(self) -> str:
        open_ones = self.at_most - self.at_least
        waiting = f"; {open_ones} more for the prescriber to judge" if open_ones else ""
        return f"{self.at_least} of {len(self.trials)} listed trials adequate and failed{waiting}"

    def to_json(self, by_hand: int | None) -> dict[str, Any]:
        return {
            "needed": trial_rules().needed.number,
            "adequate_failed": {"at_least": self.at_least, "at_most": self.at_most},
            "by_hand": by_hand,
            "disagreement": self.disagreement(by_hand),
            "because": self.words,
            "trials": [item.to_json() for item in self.trials],
        }

    def disagreement(self, by_hand: int | None) -> str | None:
        """How a number given by hand differs from what the list allows; ``None`` where it does not."""
        if by_hand is None or self.at_least <= by_hand <= self.at_most:
            return None
        return f"by hand {by_hand}; {self.words}"


def judge_trials(trials: Iterable[Trial]) -> TrialHistory:
    """Judge a list of trials.

    Parameters
    ----------
    trials : iterable of Trial
        In any order.

    Returns
    -------
    TrialHistory
        A trial without a figure for its dose, or with something not known, is ``unknown``: the prescriber judges it.

    Notes
    -----
    Doses, weeks and the response that counts stand with their sources in ``limen.knowledge.trials``.

    Examples
    --------
    >>> history = judge_trials([
    ...     Trial("Zoloft", 100, 12, "good", "none"),
    ...     Trial("citalopram", 20, 3.5, "good", "none"),
    ...     Trial("venlafaxine", 150, 7, "good", improvement_pct=30),
    ... ])
    >>> [item.verdict for item in history.trials], history.number
    (['failed', 'inadequate', 'failed'], 2)
    """
    judged = [_judge(trial) for trial in trials]
    failed: set[str] = set()
    rows = []
    for item in judged:
        counted = item.verdict == "failed" and (item.resolved or item.trial.drug) not in failed
        if item.verdict == "failed":
            failed.add(item.resolved or item.trial.drug)
        rows.append(_with(item, counted))
    still_open = {item.resolved or item.trial.drug.lower() for item in judged if item.verdict == "unknown"} - failed
    return TrialHistory(tuple(rows), len(failed), len(failed) + len(still_open))


def _with(item: JudgedTrial, counted: bool) -> JudgedTrial:
    again = item.verdict == "failed" and not counted
    return JudgedTrial(
        trial=item.trial,
        resolved=item.resolved,
        verdict=item.verdict,
        counted=counted,
        because=f"{item.because}; the same drug counts once" if again else item.because,
        minimum=item.minimum,
        sources=item.sources,
        verification=item.verification,
    )


def _judge(trial: Trial) -> JudgedTrial:
    rules = trial_rules()
    read = read_name(trial.drug)
    drug = read.agents[0].id if len(read.agents) == 1 and not read.guesses and not read.unknown else None
    figure = adequacy().get(drug) if drug else None
    against: list[str] = []
    unsure: list[str] = []
    said: list[str] = []
    for holds, text in (
        _dose(trial, drug),
        _weeks(trial),
        _adherence(trial),
        (trial.episode == "current", "in this episode" if trial.episode == "current" else "in an earlier episode"),
    ):
        (said if holds else unsure if holds is None else against).append(text)
    better, text = _response(trial)
    if better is False:
        said.append(text)
    verdict: Verdict
    if trial.response == "intolerant" and trial.improvement_pct is None:
        verdict, why = "inadequate", [*against, "stopped for side effects"]
    elif better:
        verdict, why = "responded", [text]
    elif against:
        verdict, why = "inadequate", against
    elif unsure or better is None:
        verdict, why = "unknown", [*unsure, *([text] if better is None else []), "the prescriber judges"]
    else:
        verdict, why = "failed", said
    claims = [rules.weeks, rules.response, *([figure] if figure else [])]
    marks = [claim.verification for claim in claims]
    weakest = next((mark for mark in (Verification.UNVERIFIED, Verification.SECONDARY) if mark in marks), marks[0])
    return JudgedTrial(
        trial=trial,
        resolved=drug,
        verdict=verdict,
        counted=False,
        because="; ".join(why),
        minimum=figure.words if figure else None,
        sources=tuple(dict.fromkeys(key for claim in claims for key in claim.sources)),
        verification=weakest,
    )


def _dose(trial: Trial, drug: str | None) -> tuple[bool | None, str]:
    figure = adequacy().get(drug) if drug else None
    if drug is None:
        return None, f"{trial.drug!r} is not a drug that is known here"
    if figure is None:
        return None, f"no least dose of {drug} was read in a source"
    if trial.dose_mg_per_day is None:
        return None, "the dose is not known"
    dose = f"{trial.dose_mg_per_day:g} mg a day"
    enough = figure.enough(trial.dose_mg_per_day)
    if enough is None:
        return None, f"{dose}: sources differ on the least dose, {figure.words}"
    return enough, f"{dose} of {drug} is {'enough' if enough else 'too low'} ({figure.words})"


def _weeks(trial: Trial) -> tuple[bool | None, str]:
    rule = trial_rules().weeks
    if trial.weeks is None:
        return None, "how long is not known"
    shown = f"{round(trial.weeks, 1):g} weeks"
    if trial.weeks < rule.too_short_under_weeks:
        return False, f"{shown} is too short (under {rule.too_short_under_weeks:g})"
    if trial.weeks < rule.enough_from_weeks:
        both = f"{rule.too_short_under_weeks:g} or {rule.enough_from_weeks:g}"
        return None, f"{shown}: sources differ on the least time, {both} weeks"
    return True, f"{shown} is long enough ({rule.enough_from_weeks:g})"


def _adherence(trial: Trial) -> tuple[bool | None, str]:
    if trial.adherence is None:
        return None, "whether it was taken was not asked"
    held = {"good": True, "partial": None, "poor": False}[trial.adherence]
    return held, {"good": "taken as prescribed", "partial": "taken in part", "poor": "not taken as prescribed"}[
        trial.adherence
    ]


def _response(trial: Trial) -> tuple[bool | None, str]:
    """Whether it helped; ``None`` where that is not known."""
    limit_pct = trial_rules().response.from_pct
    if trial.improvement_pct is not None:
        better = trial.improvement_pct >= limit_pct
        return better, f"{trial.improvement_pct:g} % better ({'at least' if better else 'under'} {limit_pct:g})"
    if trial.response is None or trial.response == "intolerant":
        return None, "the response is not on record"
    return trial.response in ("response", "remission"), f"response: {trial.response}"
