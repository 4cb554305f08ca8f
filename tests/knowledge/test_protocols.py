"""Protocols and products as data: TRD-IV carries the published numbers, and a file without support cannot load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.errors import InputError, KnowledgeError
from limen.evidence import sources
from limen.knowledge.claim import Claim
from limen.knowledge.drugs import get_product, products
from limen.knowledge.instruments import instruments
from limen.knowledge.protocols import get_protocol, protocols, read_protocol

SHIPPED = Path(__file__).parents[2] / "src" / "limen" / "knowledge" / "data" / "protocols" / "trd-iv.yaml"


def claims(value: Any) -> list[Claim]:
    found = [value] if isinstance(value, Claim) else []
    if isinstance(value, tuple):
        return [claim for item in value for claim in claims(item)]
    if hasattr(type(value), "model_fields"):
        found += [claim for name in type(value).model_fields for claim in claims(getattr(value, name))]
    return found


def test_trd_iv_carries_the_published_numbers() -> None:
    protocol = get_protocol("TRD-IV")
    (step,) = protocol.steps
    assert (step.amount.lower, step.amount.typical, step.amount.upper, step.amount.unit) == (0.1, 0.5, 0.75, "mg/kg")
    assert step.duration is not None
    assert (step.duration.lower_min, step.duration.typical_min, step.duration.upper_min) == (2, 40, 100)
    limits = {wall.name: (wall.kind, wall.limit, wall.unit, wall.rule) for wall in protocol.walls}
    assert limits["soft maximum"] == ("soft", 0.75, "mg/kg", "TRD-IV")
    assert limits["hard maximum"] == ("hard", 1.0, "mg/kg", "TRD-IV")
    assert limits["first-infusion cap"] == ("soft", 60, "mg", "SEL-23")
    assert [(phase.sessions, len(phase.days)) for phase in protocol.course] == [(6, 6), (4, 4), (None, 0)]


def test_every_claim_names_a_source_on_file() -> None:
    everything = [*protocols().values(), *products().values(), *instruments().values()]
    found = [claim for record in everything for claim in claims(record)]
    assert len(found) > 60
    for claim in found:
        assert set(claim.sources) <= set(sources())


def test_racemic_strengths_and_the_vial_that_must_be_diluted() -> None:
    racemic = get_product("racemic")
    assert racemic.strengths_mg_per_mL == (10, 50, 100)
    assert [vial.dilute_before_iv for vial in racemic.vials] == [False, False, True]
    assert [vial.amount_mg for vial in racemic.vials] == [200, 500, 500]


@pytest.mark.parametrize("strength", [5, 1, 25, 1000])
def test_a_strength_not_made_is_refused_with_those_that_are(strength: float) -> None:
    with pytest.raises(InputError) as refusal:
        get_product("racemic").vial(strength)
    assert refusal.value.allowed == "10, 50, 100 mg/mL"


def test_no_strength_is_assumed_for_a_product_that_was_not_read() -> None:
    with pytest.raises(InputError, match="no strength of this product is on record"):
        get_product("s-ketamine").vial(25)


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(InputError, match="TRD-IV"):
        get_protocol("TRD-XX")
    with pytest.raises(InputError, match="racemic"):
        get_product("ketamine")


def drop_sources(tree: Any) -> None:
    del tree["walls"][0]["sources"]


def empty_sources(tree: Any) -> None:
    tree["walls"][0]["sources"] = []


def unknown_source(tree: Any) -> None:
    tree["walls"][0]["sources"] = ["nobody-1999"]


def read_without_reading(tree: Any) -> None:
    tree["walls"][0]["sources"] = ["unsourced"]


def no_mark(tree: Any) -> None:
    del tree["steps"][0]["amount"]["verification"]


def disordered(tree: Any) -> None:
    tree["steps"][0]["amount"]["lower"] = 0.6


def soft_beyond_hard(tree: Any) -> None:
    tree["walls"][0]["limit"] = 1.2


def twin_names(tree: Any) -> None:
    tree["walls"][1]["name"] = tree["walls"][0]["name"]


def wrong_unit(tree: Any) -> None:
    tree["walls"][0]["unit"] = "min"


def wrong_days(tree: Any) -> None:
    tree["course"][0]["days"] = [1, 3, 5]


def unknown_key(tree: Any) -> None:
    tree["dose"] = 0.5


def wrong_route(tree: Any) -> None:
    tree["route"] = "pr"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_sources, "sources"),
        (empty_sources, "at least one source"),
        (unknown_source, "unknown source 'nobody-1999'"),
        (read_without_reading, "no source that can be read"),
        (no_mark, "verification"),
        (disordered, "lower <= typical <= upper"),
        (soft_beyond_hard, "lies beyond"),
        (twin_names, "stands twice"),
        (wrong_unit, "a wall on the dose is in"),
        (wrong_days, "3 days for 6 sessions"),
        (unknown_key, "dose"),
        (wrong_route, "not given pr"),
    ],
)
def test_a_file_that_must_not_be_used_does_not_load(change: Callable[[Any], None], says: str, tmp_path: Path) -> None:
    yaml = YAML()
    tree = yaml.load(SHIPPED)
    change(tree)
    path = tmp_path / "trd-iv.yaml"
    yaml.dump(tree, path)
    with pytest.raises(KnowledgeError) as refusal:
        read_protocol(path)
    assert says in str(refusal.value)
    assert refusal.value.where.startswith("trd-iv.yaml:")
