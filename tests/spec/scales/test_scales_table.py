"""Every instrument against its published rule, as a table of cases; and what holds for all of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.answers import numbers_of
from limen.care.scoring import score
from limen.errors import InputError
from limen.knowledge.instruments import Instrument, instruments

TABLE = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml").read_text(encoding="utf-8"))
# Told apart in test_scoring.py and test_cssrs_triage.py.
ELSEWHERE = {"PHQ-9", "PHQ-2", "GAD-7", "MADRS", "AUDIT-C", "C-SSRS"}


def answers(name: str, items: Any) -> list[Any]:
    """Answers as the table writes them: ``4 x 3`` is four answers of 3; 1 and 0 are yes and no where asked so."""
    if isinstance(items, str):
        times, value = items.split(" x ")
        items = [int(value)] * int(times)
    asked = instruments()[name].items
    if asked is None:
        return list(items)
    return [
        bool(value) if value is not None and asked.range_of(number).kind == "yes-no" else value
        for number, value in enumerate(items, start=1)
    ]


def asked_of(row: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = (
        {"total": row["entered"]} if "entered" in row else {"items": answers(row["of"], row["items"])}
    )
    return entry | {"sex": row.get("sex"), "baseline": row.get("baseline")}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['of']}: {row['why']}")
def test_row(row: dict[str, Any]) -> None:
    if "refused" in row:
        with pytest.raises(InputError, match=row["refused"]):
            score(row["of"], asked_of(row))
        return
    found = score(row["of"], asked_of(row)).to_json()
    if "total" in row:
        assert found["total"] == row["total"]
    for key in ("band", "status", "flags", "subscales"):
        if key in row:
            assert found[key] == row[key]
    if "safety" in row:
        assert found["safety"]["action"] == row["safety"]
    for key in ("response", "remission", "important", "declines"):
        if key in row:
            assert found["change"][key] == row[key]


def test_every_instrument_stands_in_a_table() -> None:
    assert {row["of"] for row in TABLE} | ELSEWHERE == set(instruments())


@pytest.mark.parametrize("name", [name for name, one in instruments().items() if one.bands])
def test_each_end_of_each_band(name: str) -> None:
    bands = instruments()[name].bands
    assert bands is not None
    for band in bands.ranges:
        assert (bands.name_of(band.low), bands.name_of(band.high)) == (band.name, band.name)


SUMS = [one for one in instruments().values() if one.rule == "sum"]


def any_answers(instrument: Instrument) -> st.SearchStrategy[list[Any]]:
    asked = instrument.items
    assert asked is not None
    each = []
    for number in range(1, asked.count + 1):
        accepts = asked.range_of(number)
        if accepts.kind == "yes-no":
            each.append(st.booleans())
        elif accepts.only:
            each.append(st.sampled_from(accepts.only))
        else:
            each.append(st.integers(accepts.low, accepts.high))
    return st.tuples(*each).map(list)


@pytest.mark.parametrize("instrument", SUMS, ids=lambda one: one.id)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_total_lies_in_its_range_and_an_added_gap_never_gives_a_lower_status(
    instrument: Instrument, data: st.DataObject
) -> None:
    items = data.draw(any_answers(instrument))
    whole = score(instrument.id, {"items": items})
    assert whole.status == "complete"
    assert whole.total is not None
    assert instrument.lowest_total <= whole.total <= instrument.highest_total
    gap = data.draw(st.integers(0, len(items) - 1))
    holed = score(instrument.id, {"items": [*items[:gap], None, *items[gap + 1 :]]})
    assert holed.status in {"prorated", "incomplete"}
    assert (holed.total is None) == (holed.status == "incomplete")


def test_reversed_items_turn_about_the_middle_of_their_range() -> None:
    dast = instruments()["DAST-10"]
    assert dast.items is not None
    yes = numbers_of(dast, {f"q{number}": True for number in range(1, 11)})
    assert yes[3] == Fraction(0)
    assert sum(value for value in yes.values() if value is not None) == 9
