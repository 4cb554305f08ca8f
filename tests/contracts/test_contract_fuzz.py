"""Whatever document is given, a command answers or refuses in one line; it never falls over.

Two kinds of documents are drawn: any JSON at all, and the contract's own with a few of its values replaced, taken
away or doubled, which gets past the first door.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.documents import BUNDLE, CASE, PATIENT, SESSION
from contracts.door import check_refusal, limen, strict_json

SCREENER = {"items": {"q1": True, "q2": True, "q3": False, "q4": False, "q5": False, "q6": True, "q6_recent": False}}
LIVED = copy.deepcopy(SESSION)
LIVED["samples"] = LIVED["samples"][:5]
LIVED["session"]["limits"] = {"SPO2": {"low": 90}}
LIVED["events"] += [
    {"t_s": 62, "kind": "observation.recorded", "moaas": 5, "sbp_mmHg": 120, "dbp_mmHg": 70, "symptoms": ["dizzy"]},
    {"t_s": 64, "kind": "symptom.reported", "text": "severe headache"},
    {"t_s": 66, "kind": "limits.changed", "limits": {"HR": {"high": 120}}},
    {"t_s": 68, "kind": "device.associated", "device": "chair", "streams": {"HR": {"period_s": 1}}},
    {"t_s": 70, "kind": "infusion.stopped", "pump_volume_mL": 3},
    {"t_s": 71, "kind": "entry.corrected", "entry": "#1", "changes": {"dose_mg": 30}},
    {"t_s": 72, "kind": "discharge.asked"},
]
SIMULATE = ("simulate", "--model", "ensemble", "--patient", "-", "--dose", "0.5 mg/kg iv over 40 min")

COMMANDS: dict[str, tuple[tuple[str, ...], Any]] = {
    "screen": (("screen", "-"), CASE),
    "screen a bundle": (("screen", "-", "--on", "2026-11-21"), BUNDLE),
    "plan": (("plan", "-", "--protocol", "TRD-IV", "--population", "0"), CASE),
    "simulate": ((*SIMULATE, "--until", "1 h", "--every", "10 min"), PATIENT),
    "score PHQ-9": (("score", "PHQ-9", "-"), {"items": [1] * 9, "sex": "female", "baseline": {"items": [2] * 9}}),
    "score AUDIT-C": (("score", "AUDIT-C", "-"), {"items": {"q1": 1, "q2": 2, "q3": 0}, "baseline": {"total": 8}}),
    "score C-SSRS": (("score", "C-SSRS", "-"), SCREENER),
    "replay": (("session", "replay", "-"), LIVED),
}

# What a form, a wrong unit, another system or a bad day puts into a field.
ODD = (
    *(None, True, False, 0, -1, 1, 5, 3.5, 0.1, 1e-320, 1e15, 1e308, -1e308, 10**299, 2**63),
    *("", " ", "x", "NaN", "0", "trd", "TRD-IV", "iv", "SPO2", "\x00", "\u202e", "é" * 300, "#0"),
    *("2026-11-21", "2026-13-45", "0001-01-01", "9999-12-31", "2026-11-21T00:00", "2026-11-21T00:00:00Z", "2024"),
    *("0.5 mg/kg iv over 40 min", "35 mg po", "9e9 mg iv", "١ mg iv over 1 min", "1 mg iv over 99999999 week"),
    *([], {}, [[]], [None], ["a"], [{}], {"a": 1}, {"q1": True}, {"low": 1}, [1] * 30, {"reference": 5}),
)
SMALL_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document, but the document itself."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [way] if way else []
    return found + [place for key, part in inner for place in places(part, (*way, key))]


@st.composite
def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """The document with one to three of its values replaced, taken away, doubled, or joined by a stranger."""
    fresh = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        ways = places(fresh)
        if not ways:
            break
        *way, last = draw(st.sampled_from(ways))
        here = fresh
        for part in way:
            here = here[part]
        match draw(st.sampled_from(("odd", "odd", "odd", "any", "away", "more"))):
            case "odd":
                here[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "any":
                here[last] = draw(SMALL_JSON)
            case "away":
                del here[last]
            case _ if isinstance(here, list):
                here.append(copy.deepcopy(here[last]))
            case _:
                here[draw(st.text(max_size=5))] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return fresh


def answers_or_refuses(name: str, document: Any) -> None:
    done = limen(*COMMANDS[name][0], "--json", stdin=json.dumps(document))
    if done.code == 0:
        assert done.err == ""
        strict_json(done.out)
    else:
        check_refusal(done)


SETTINGS = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", COMMANDS)
@settings(SETTINGS, max_examples=15)
@given(document=SMALL_JSON)
def test_any_json(name: str, document: Any) -> None:
    answers_or_refuses(name, document)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
@settings(SETTINGS, max_examples=80)
@given(data=st.data())
def test_a_spoiled_document(name: str, data: st.DataObject) -> None:
    answers_or_refuses(name, data.draw(spoiled(COMMANDS[name][1])))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_document_as_it_is(name: str) -> None:
    """The seeds of the tests above are good ones: what fails there is the spoiling."""
    assert limen(*COMMANDS[name][0], "--json", stdin=json.dumps(COMMANDS[name][1])).code == 0
