"""What is predicted for an observation, against sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from limen.pharmacology.validation.comparison import compare, counted, verify
from limen.pharmacology.validation.observations import checks, chosen
from limen.pharmacology.validation.prediction import predict
from limen.pharmacology.validation.schema import Answer, Check, Observed, Setting

FANTA = Answer(by="fanta-otto-2021")


def setting(**more: object) -> Setting:
    return Setting.model_validate(
        {
            "product": "s-ketamine",
            "doses": ["10 mg iv over 30 min"],
            "until": "72 h",
            "every": "2 min",
            "answers": [FANTA],
            "observed": [{"measure": "cmax", "of": "S_ketamine", "value": 1, "unit": "ng/mL", "statistic": "mean"}],
        }
        | more
    )


def asked(measure: str, unit: str, of: str = "S_ketamine", **more: object) -> Observed:
    entry = {"measure": measure, "of": of, "unit": unit, "value": 1, "statistic": "mean"} | more
    return Observed.model_validate(entry)


def typical(item: Observed, by: Answer = FANTA, **more: object) -> float:
    return predict(setting(**more), item, by, population=False).typical


def test_clearance_is_the_model_s_own_in_each_unit() -> None:
    """95.2 L/h at 70 kg."""
    assert typical(asked("clearance", "L/h")) == pytest.approx(95.2, rel=0.002)
    assert typical(asked("clearance", "mL/min")) == pytest.approx(95_200 / 60, rel=0.002)
    assert typical(asked("clearance", "mL/min/kg")) == pytest.approx(95_200 / 60 / 70, rel=0.002)


def test_volume_at_steady_state_is_the_sum_of_the_volumes() -> None:
    """133 + 187 + 98.8 L."""
    assert typical(asked("vss", "L/kg")) == pytest.approx((133 + 187 + 98.8) / 70, rel=0.005)


def test_the_terminal_half_life_is_the_slowest_root() -> None:
    """7.37 h by the roots of the three compartments."""
    k = np.array(
        [
            [-(95.2 + 23.2 + 157) / 133, 23.2 / 187, 157 / 98.8],
            [23.2 / 133, -23.2 / 187, 0],
            [157 / 133, 0, -157 / 98.8],
        ]
    )
    slowest_per_h = float(np.min(np.abs(np.linalg.eigvals(k).real)))
    assert typical(asked("half-life", "h")) == pytest.approx(np.log(2) / slowest_per_h, rel=0.005)


def test_norketamine_in_ketamine_mass_is_counted_in_moles_of_ketamine() -> None:
    level = typical(asked("value-at", "ng/mL", "S_norketamine", at="2 h"))
    moles = typical(
        asked("value-at", "nmol/mL", "S_norketamine", at="2 h"), FANTA.model_copy(update={"ketamine_mass": True})
    )
    assert moles == pytest.approx(level / 237.73)


def test_units_of_time_and_area() -> None:
    assert typical(asked("tmax", "min")) == pytest.approx(30)
    assert typical(asked("tmax", "h")) == pytest.approx(0.5)
    assert typical(asked("auc-to-end", "ng min/mL")) == pytest.approx(60 * typical(asked("auc-to-end", "ng h/mL")))


def test_virtual_patients_only_where_the_model_has_them() -> None:
    found = {item.answer.by: item.predicted for item in compare(chosen(["1"])) if item.answer}
    fanta, domino = found["fanta-otto-2021"], found["domino"]
    assert fanta is not None
    assert domino is not None
    assert fanta.low is not None
    assert fanta.low < fanta.value < (fanta.high or 0)
    assert (domino.low, domino.high, domino.spread) == (None, None, "none")


def test_the_same_comparison_twice_is_the_same() -> None:
    assert [item.to_json() for item in compare(chosen(["9"]))] == [item.to_json() for item in compare(chosen(["9"]))]


def test_a_model_that_cannot_answer_is_listed_with_the_reason() -> None:
    row = chosen(["1"])[0].model_copy(
        update={"settings": (setting(doses=("10 mg po",), answers=(Answer(by="nobody-1900"),)),)}
    )
    (item,) = compare([row])
    assert item.status == "not-answerable"
    assert "nobody-1900" in item.why
    assert counted([item])["not-answerable"] == 1


def test_the_code_gives_what_the_printed_parameters_must_give() -> None:
    """Every number of the digest's table of targets, to 1 % or the last digit printed."""
    checked = list(verify(checks()))
    assert len(checked) == 79
    wrong = {
        (item.check.model, item.check.doses[0], item.target.of, item.target.measure): item.error_pct
        for item in checked
        if not item.passed
    }
    assert wrong == {}


def test_a_wrong_number_would_be_seen() -> None:
    check = Check.model_validate(
        {
            "model": "domino",
            "product": "racemic",
            "doses": ["35 mg iv over 40 min"],
            "until": "4 h",
            "targets": [{"measure": "cmax", "of": "ketamine", "value": 245, "unit": "ng/mL"}],
        }
    )
    assert [item.passed for item in verify([check])] == [False]
