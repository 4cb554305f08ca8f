"""What is done when something goes wrong: the steps, and rescue drugs as standing orders that a site must sign.

An order here can be read by everyone and used by nobody until the medical director of a site has signed it as it
stands (its ``digest``). A number that no source gives is not filled in: the director names it when signing
(``terms_asked``).
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim, Statement
from limen.knowledge.interactions import agent_terms
from limen.knowledge.rules import code_sets

RescueRoute = Literal["iv", "im", "in", "odt", "po", "inhaled"]
Term = Literal["interval_min", "max_doses"]

ROUTE_WORDS: dict[str, str] = {
    "iv": "into a vein",
    "im": "into a muscle",
    "in": "into the nose",
    "odt": "on the tongue, melting",
    "po": "by mouth",
    "inhaled": "by mask",
}


class DoseBand(Claim):
    """The size of one dose, in a band of weight.

    Attributes
    ----------
    which : {"each", "first", "later"}
    low_mg, high_mg : float or None
        From and to; where both milligrams and milligrams per kilogram stand, the smaller holds.
    over_weight_kg, from_weight_kg, to_weight_kg : float or None
        Over, from, and up to this weight.
    """

    which: Literal["each", "first", "later"]
    low_mg: float | None = None
    high_mg: float | None = None
    low_mg_per_kg: float | None = None
    high_mg_per_kg: float | None = None
    over_weight_kg: float | None = None
    from_weight_kg: float | None = None
    to_weight_kg: float | None = None

    @model_validator(mode="after")
    def _sized(self) -> Self:
        if (self.low_mg is None) != (self.high_mg is None):
            raise ValueError("low_mg and high_mg go together")
        if (self.low_mg_per_kg is None) != (self.high_mg_per_kg is None):
            raise ValueError("low_mg_per_kg and high_mg_per_kg go together")
        if self.low_mg is None and self.low_mg_per_kg is None:
            raise ValueError("a band without a dose")
        for low, high in ((self.low_mg, self.high_mg), (self.low_mg_per_kg, self.high_mg_per_kg)):
            if low is not None and high is not None and not 0 < low <= high:
                raise ValueError("a dose rises from above 0")
        return self

    @property
    def by_weight(self) -> bool:
        """Whether the weight must be known."""
        bounds = (self.low_mg_per_kg, self.over_weight_kg, self.from_weight_kg, self.to_weight_kg)
        return any(bound is not None for bound in bounds)

    def holds(self, weight_kg: float) -> bool:
        """Whether a weight lies in the band."""
        return (
            (self.over_weight_kg is None or weight_kg > self.over_weight_kg)
            and (self.from_weight_kg is None or weight_kg >= self.from_weight_kg)
            and (self.to_weight_kg is None or weight_kg <= self.to_weight_kg)
        )


class Repeat(Claim):
    """When it may be given again, and how often; ``None`` is a number that the sources do not give."""

    text: str
    interval_min: Annotated[float, Field(gt=0)] | None = None
    max_doses: Annotated[int, Field(ge=2)] | None = None


class WithHistory(Statement):
    """Counts where a condition of this set is on the problem list."""

    kind: Literal["history"]
    of: str
    rule: str | None = None


class WithDrug(Statement):
    """Counts where a drug of these classes or names is taken."""

    kind: Literal["takes"]
    of: tuple[str, ...]
    rule: str | None = None


class SlowHeart(Statement):
    """Counts where the heart beats slower than this."""

    kind: Literal["heart-rate-under"]
    hr_per_min: float
    rule: str | None = None


Against = Annotated[WithHistory | WithDrug | SlowHeart, Field(discriminator="kind")]


class StandingOrder(Claim):
    """One rescue drug by one indication.

    Attributes
    ----------
    emergency : bool
        A question nobody has asked does not hold it back: it is shown beside the dose.
    group : str or None
        Orders of one group stand in for each other: a dose of one is a dose of all.
    allergy_words : tuple of str
        Beginnings of words in a list of allergies that mean this drug or its kind, beside its own name.
    single_max_mg, total_max_mg : float or None
        Never more at once, and in one session.
    over_min : float or None
        Give it over this long.
    strength_mg_per_mL : float or None
        The only strength it is drawn from.
    given_as : str or None
        How much, where it is not counted in milligrams.
    needs_report : bool
        Only while one of its problem's reports stands: pressure without symptoms gets no drug.
    withheld : Statement or None
        Why it is named and no standing order.
    """

    id: str
    drug: str
    title: str
    indication: str
    routes: tuple[RescueRoute, ...]
    emergency: bool = False
    group: str | None = None
    allergy_words: tuple[str, ...] = ()
    from_age_years: float | None = None
    age: Statement | None = None
    over_min: float | None = None
    strength_mg_per_mL: float | None = None
    given_as: str | None = None
    doses: tuple[DoseBand, ...] = ()
    single_max_mg: float | None = None
    total_max_mg: float | None = None
    repeat: Repeat | None = None
    refuse: tuple[Against, ...] = ()
    caution: tuple[Against, ...] = ()
    notes: tuple[Statement, ...] = ()
    needs_report: bool = False
    withheld: Statement | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.routes:
            raise ValueError(f"{self.id}: no route")
        if self.withheld is None and bool(self.doses) == (self.given_as is not None):
            raise ValueError(f"{self.id}: an order has doses, or says how it is given")
        if (self.from_age_years is None) != (self.age is None):
            raise ValueError(f"{self.id}: an age limit names its source")
        if any(band.which == "later" for band in self.doses) and self.repeat is None:
            raise ValueError(f"{self.id}: a later dose without a repeat")
        return self

    @property
    def digest(self) -> str:
        """The version that is signed: a hash over every value of the order."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @property
    def terms_asked(self) -> tuple[Term, ...]:
        """What the sources leave open and the director names: how long between two doses, how many doses.

        Examples
        --------
        >>> standing_orders()["midazolam-agitation"].terms_asked
        ('interval_min',)
        >>> standing_orders()["adrenaline-anaphylaxis"].terms_asked
        ('max_doses',)
        """
        if self.repeat is None:
            return ()
        asked: list[Term] = []
        if self.repeat.interval_min is None:
            asked.append("interval_min")
        if self.repeat.max_doses is None and self.total_max_mg is None:
            asked.append("max_doses")
        return tuple(asked)


class Problem(Record):
    """One thing that can go wrong in a session.

    Attributes
    ----------
    answers : tuple of str
        The monitoring rules that lead here.
    reported : tuple of str
        The listed reports that lead here.
    only_reported : bool
        The rule alone does not lead here: one of the reports must stand.
    no_drug : Statement or None
        Why no drug is given.
    """

    id: str
    title: str
    answers: tuple[str, ...]
    reported: tuple[str, ...] = ()
    only_reported: bool = False
    no_drug: Statement | None = None
    steps: tuple[Statement, ...]
    orders: tuple[StandingOrder, ...]

    @model_validator(mode="after")
    def _nothing_against(self) -> Self:
        if self.no_drug is not None and self.orders:
            raise ValueError(f"{self.id}: no drug is given, and orders stand")
        return self


@functools.cache
def problems() -> dict[str, Problem]:
    """Every problem by its id, in the order of the reference.

    Raises
    ------
    KnowledgeError
        If a file is malformed, an id stands twice, or an order names conditions or drugs that no file holds.

    Examples
    --------
    >>> [order.drug for order in problems()["nausea"].orders]
    ['ondansetron']
    """
    folder = resources.files("limen.knowledge") / "data" / "rescue"
    found: dict[str, Problem] = {}
    ids: set[str] = set()
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".yaml"):
            continue
        problem = read_yaml(path, Problem)
        if problem.id in found:
            raise KnowledgeError(f"problem {problem.id!r} stands twice", where=path.name)
        for order in problem.orders:
            if order.id in ids:
                raise KnowledgeError(f"order {order.id!r} stands twice", where=path.name)
            ids.add(order.id)
            _known(order, path.name)
        found[problem.id] = problem
    return found


def _known(order: StandingOrder, where: str) -> None:
    for entry in (*order.refuse, *order.caution):
        if isinstance(entry, WithHistory) and entry.of not in code_sets():
            raise KnowledgeError(f"unknown code set {entry.of!r}", where=f"{where} {order.id}")
        if isinstance(entry, WithDrug) and (unknown := [name for name in entry.of if name not in agent_terms()]):
            raise KnowledgeError(f"unknown drug or class {unknown[0]!r}", where=f"{where} {order.id}")


@functools.cache
def standing_orders() -> dict[str, StandingOrder]:
    """Every order by its id, those that are withheld as well.

    Examples
    --------
    >>> order = standing_orders()["labetalol-hypertension"]
    >>> order.total_max_mg, [band.low_mg for band in order.doses]
    (300.0, [20.0, 40.0])
    """
    return {order.id: order for problem in problems().values() for order in problem.orders}


def get_order(name: str) -> StandingOrder:
    """The order with this id.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    found = standing_orders().get(name)
    if found is None:
        raise InputError(f"unknown standing order {name!r}", where="order", allowed=", ".join(standing_orders()))
    return found


def problem_of(order: str) -> Problem:
    """The problem that an order answers."""
    return next(problem for problem in problems().values() if any(item.id == order for item in problem.orders))


def problems_for(rule: str, reported: Iterable[str] = ()) -> tuple[Problem, ...]:
    """What a monitoring rule leads to, with what is reported.

    Parameters
    ----------
    rule : str
        Such as ``MON-8``.
    reported : iterable of str
        Ids of the listed reports that stand (``limen.knowledge.monitoring.Reported``).

    Examples
    --------
    >>> [problem.id for problem in problems_for("MON-8")]
    ['nausea']
    >>> [problem.id for problem in problems_for("MON-1")]
    ['hypertension-asymptomatic']
    >>> [problem.id for problem in problems_for("MON-1", ["chest-pain"])]
    ['hypertension-symptomatic']
    """
    said = set(reported)
    by_report = [problem for problem in problems().values() if said & set(problem.reported)]
    by_rule = [problem for problem in problems().values() if rule in problem.answers and not problem.only_reported]
    if any(rule in problem.answers for problem in by_report):
        # A report is more than the number: with a symptom, pressure is not pressure without one.
        by_rule = [problem for problem in by_rule if problem.no_drug is None]
    named = {problem.id for problem in (*by_report, *by_rule)}
    return tuple(problem for problem in problems().values() if problem.id in named)
