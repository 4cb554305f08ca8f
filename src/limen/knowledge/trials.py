"""When a trial of an antidepressant was long and strong enough: schema and loader of ``data/trials``."""

from __future__ import annotations

import functools
from importlib import resources

from pydantic import model_validator

from limen.errors import KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim
from limen.knowledge.interactions import agents


class Needed(Claim):
    """How many adequate trials must have failed before depression counts as resistant."""

    number: int


class Weeks(Claim):
    """Shorter than the one is too short, from the other it is long enough; between them sources differ."""

    too_short_under_weeks: float
    enough_from_weeks: float


class Response(Claim):
    """The improvement from which a trial is a response."""

    from_pct: float


class Adequacy(Claim):
    """The daily dose of one drug. Between too low and enough sources differ: the prescriber judges.

    Attributes
    ----------
    too_low_under_mg_per_day, too_low_to_mg_per_day : float or None
        Under, or up to and with, this dose a trial does not count; one of the two.
    enough_from_mg_per_day, enough_over_mg_per_day : float or None
        From, or over, this dose it does; one of the two.
    """

    drug: str
    too_low_under_mg_per_day: float | None = None
    too_low_to_mg_per_day: float | None = None
    enough_from_mg_per_day: float | None = None
    enough_over_mg_per_day: float | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Adequacy:
        low, enough = self.too_low_mg_per_day, self.enough_mg_per_day
        if low is None or enough is None or low > enough:
            raise ValueError(f"{self.drug}: a dose that is too low, and one that is enough and not lower")
        both = (self.too_low_under_mg_per_day, self.too_low_to_mg_per_day)
        if None not in both or None not in (self.enough_from_mg_per_day, self.enough_over_mg_per_day):
            raise ValueError(f"{self.drug}: one figure for each end")
        return self

    @property
    def too_low_mg_per_day(self) -> float | None:
        under = self.too_low_under_mg_per_day
        return self.too_low_to_mg_per_day if under is None else under

    @property
    def enough_mg_per_day(self) -> float | None:
        start = self.enough_from_mg_per_day
        return self.enough_over_mg_per_day if start is None else start

    @property
    def words(self) -> str:
        """The figure, or both where sources differ."""
        if self.enough_over_mg_per_day is not None:
            return f"over {self.enough_over_mg_per_day:g} mg a day"
        low, enough = self.too_low_mg_per_day, self.enough_mg_per_day
        return f"{low:g} mg a day" if low == enough else f"{low:g} or {enough:g} mg a day, by the source"

    def enough(self, dose_mg_per_day: float) -> bool | None:
        """Whether a dose counts; ``None`` where sources differ.

        Examples
        --------
        >>> table = adequacy()
        >>> [table["nortriptyline"].enough(dose) for dose in (25, 100, 150)]
        [False, None, True]
        """
        under, up_to = self.too_low_under_mg_per_day, self.too_low_to_mg_per_day
        if (under is not None and dose_mg_per_day < under) or (up_to is not None and dose_mg_per_day <= up_to):
            return False
        start, over = self.enough_from_mg_per_day, self.enough_over_mg_per_day
        if (start is not None and dose_mg_per_day >= start) or (over is not None and dose_mg_per_day > over):
            return True
        return None


class TrialRules(Record):
    """Everything that is known of adequacy."""

    needed: Needed
    weeks: Weeks
    response: Response
    drugs: tuple[Adequacy, ...]


@functools.cache
def trial_rules() -> TrialRules:
    """The rules on trials.

    Raises
    ------
    KnowledgeError
        If a drug stands twice, or is not one of the known drugs.
    """
    path = resources.files("limen.knowledge") / "data" / "trials" / "adequacy.yaml"
    found = read_yaml(path, TrialRules)
    names = [item.drug for item in found.drugs]
    for name in names:
        if names.count(name) > 1 or name not in agents():
            raise KnowledgeError(f"{name!r} stands twice or is no known drug", where=path.name)
    return found


@functools.cache
def adequacy() -> dict[str, Adequacy]:
    """The daily dose that counts, by drug; a drug that is not here has no figure that was read."""
    return {item.drug: item for item in trial_rules().drugs}
