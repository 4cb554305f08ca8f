"""How the parts of a scale come together, and that every result names the version of the rule it was made by."""

from __future__ import annotations

from fractions import Fraction

import pytest

from limen.care.scoring import score
from limen.care.totals import total
from limen.knowledge.instruments import Instrument, instruments


def divided(by: int) -> Instrument:
    """The QIDS with each domain's worst answer divided."""
    qids = instruments()["QIDS-SR16"]
    return qids.model_copy(update={"parts": tuple(part.model_copy(update={"divide_by": by}) for part in qids.parts)})


def test_the_worst_answer_of_a_part_is_divided_as_a_sum_is() -> None:
    threes = dict.fromkeys(range(1, 17), Fraction(3))
    assert total(divided(1), threes).exact == 27
    assert total(divided(2), threes).exact == Fraction(27, 2)


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("PHQ-2", {"items": [1, 1]}),
        ("C-SSRS", {"items": {"q1": False, "q2": False, "q6": False}}),
        ("MoCA", {"total": 26}),
    ],
)
def test_a_result_names_the_version_of_its_rule(name: str, answers: dict[str, object]) -> None:
    assert score(name, answers).to_json()["version"] == instruments()[name].version == 1
