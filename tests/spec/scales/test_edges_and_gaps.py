"""Both ends of every band by score, and the missing-answer rule, for every instrument there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.scoring import score
from limen.knowledge.instruments import Instrument, instruments

HERE = Path(__file__).parent
BANDS = YAML(typ="safe", pure=True).load((HERE / "bands.yaml").read_text(encoding="utf-8"))
MISSING = YAML(typ="safe", pure=True).load((HERE / "missing.yaml").read_text(encoding="utf-8"))
EDGES = [
    (row["of"], total, name)
    for row in BANDS
    for low, high, name in row["bands"]
    for total in dict.fromkeys((low, high))
]


def lowest(instrument: Instrument, number: int) -> Any:
    assert instrument.items is not None
    accepts = instrument.items.range_of(number)
    return False if accepts.kind == "yes-no" else accepts.low


def answers_of(name: str, total: int) -> dict[str, Any]:
    """Answers that come to a total by the published rule."""
    instrument = instruments()[name]
    asked = instrument.items
    if asked is None:
        return {"total": total}
    if name == "FIQR":
        # The second domain is a plain sum, the third is halved, the first is a third.
        overall = min(total, 20)
        symptoms = min(total - overall, 50)
        function = total - overall - symptoms
        return {"items": [*spread(3 * function, 9, 10), *spread(overall, 2, 10), *spread(2 * symptoms, 10, 10)]}
    if name == "QIDS-SR16":
        # One answer for each of the nine domains: 1-4, 5, 6-9, 10 to 14, 15-16.
        worst = spread(total, 9, 3)
        return {"items": [worst[0], 0, 0, 0, worst[1], worst[2], 0, 0, 0, *worst[3:8], worst[8], 0]}
    if name == "DAST-10":
        # Item 3 counts when the answer is no.
        yes = [True] * total + [False] * (10 - total)
        return {"items": [not value if number == 3 else value for number, value in enumerate(yes, start=1)]}
    items: list[Any] = [lowest(instrument, number) for number in range(1, asked.count + 1)]
    left = total - sum(items)
    for number in range(1, asked.count + 1):
        accepts = asked.range_of(number)
        room = [
            value for value in (accepts.only or range(accepts.low, accepts.high + 1)) if value - accepts.low <= left
        ]
        left -= max(room) - accepts.low
        items[number - 1] = max(room)
    assert left == 0
    return {"items": items}


def spread(total: int, count: int, high: int) -> list[int]:
    found = []
    for _ in range(count):
        found.append(min(high, total))
        total -= found[-1]
    assert total == 0
    return found


@pytest.mark.parametrize(("name", "total", "band"), EDGES)
def test_an_edge(name: str, total: int, band: str) -> None:
    found = score(name, answers_of(name, total)).to_json()
    assert (found["total"], found["band"], found["status"]) == (total, band, "complete")


def test_every_band_of_every_instrument_stands_in_the_table() -> None:
    told = {row["of"]: [tuple(band) for band in row["bands"]] for row in BANDS}
    held = {
        name: [(band.low, band.high, band.name) for band in one.bands.ranges]
        for name, one in instruments().items()
        if one.bands
    }
    assert told == held


@pytest.mark.parametrize("row", MISSING, ids=lambda row: f"{row['of']} without {row['open']}")
def test_a_gap(row: dict[str, Any]) -> None:
    instrument = instruments()[row["of"]]
    if row["open"] == "total":
        found = score(row["of"], {"total": None}).to_json()
    else:
        items = [
            None if number in row["open"] else lowest(instrument, number)
            for number in range(1, instrument.item_count + 1)
        ]
        found = score(row["of"], {"items": items}).to_json()
    assert found["status"] == row["is"]
    if row["is"] == "incomplete":
        assert (found["total"], found["band"], found["change"]["response"]) == (None, None, None)


def test_every_instrument_has_its_missing_rule_in_the_table() -> None:
    assert {row["of"] for row in MISSING} == set(instruments())
    # Where answers may be made up, or a part is enough, the last gap that is let pass and the first that is not.
    lenient = {
        name
        for name, one in instruments().items()
        if one.missing.prorate_up_to or any(part.need not in {None, len(part.items)} for part in one.parts)
    }
    for name in lenient:
        assert {row["is"] for row in MISSING if row["of"] == name} >= {"incomplete"}
        assert {row["is"] for row in MISSING if row["of"] == name} & {"prorated", "complete"}


def test_every_safety_item_left_open_must_be_asked() -> None:
    for name, one in instruments().items():
        if one.safety is None:
            continue
        items = [None if number == one.safety.item else lowest(one, number) for number in range(1, one.item_count + 1)]
        found = score(name, {"items": items}).to_json()
        assert found["safety"]["action"] == "safety-item-missing-ask-before-dosing"
        assert found["total"] is None
