"""What holds for every protocol, patient, order and history: no hard limit is passed, more before never allows more."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.case_json import case_from_json
from limen.care.exposure import Exposure, History
from limen.care.planning import plan
from limen.care.site_dosing import SiteDosing, site_dosing
from limen.knowledge.protocols import Protocol, protocols

CLEAN = json.loads((Path(__file__).parents[1] / "screening" / "clean_trd.json").read_text(encoding="utf-8"))
ON = date(2026, 11, 21)
EVERY = list(protocols().values())
WINDOW_DAYS = {"day": 1, "week": 7, "year": 365}
# A site's own limits over the spans for which no source gives one.
SITE = site_dosing(
    {
        "limits": [
            {"name": f"site, {measure}", "kind": "hard", "measure": measure, "limit": mg, "unit": "mg", "why": "own"}
            for measure, mg in (("week", 800), ("course", 2500), ("lifetime", 9000))
        ]
    }
)

exposures = st.builds(
    Exposure,
    at=st.integers(0, 13 * 1440).map(lambda minute: datetime(2026, 11, 8, tzinfo=UTC) + timedelta(minutes=minute)),
    dose_mg=st.integers(1, 600).map(float),
    product=st.sampled_from(["racemic", "esketamine-nasal", "s-ketamine", None]),
    route=st.sampled_from(["iv", "im", "sc", "in", "po"]),
    protocol=st.none(),
    duration_min=st.sampled_from([0.0, 40.0, 240.0]),
)
orders = st.fixed_dictionaries(
    {
        "which": st.integers(0, len(EVERY) - 1),
        "amounts_mg": st.lists(st.one_of(st.floats(5, 40), st.floats(0.5, 700)), min_size=2, max_size=2),
        "weight_kg": st.floats(30, 200),
        "session_number": st.integers(1, 9),
    }
)


def planned(order: dict[str, Any], history: History | None, site: SiteDosing = SITE) -> dict[str, Any]:
    protocol = EVERY[order["which"]]
    facts = CLEAN["facts"] | {
        "session_number": order["session_number"],
        "rems_site_certified": True,
        "rems_patient_enrolled": True,
        "therapy_programme": True,
        "ventilated": protocol.id == "SE",
    }
    from_syringe = protocol.product == "racemic" and all(step.kind in {"bolus", "infusion"} for step in protocol.steps)
    entry = CLEAN | {
        "patient": CLEAN["patient"] | {"weight_kg": order["weight_kg"]},
        "indication": protocol.indication,
        "product": protocol.product,
        "route": protocol.route,
        "protocol": protocol.id,
        "setting": protocol.settings[0],
        "facts": facts,
        "request": {"concentration_mg_per_mL": 50 if from_syringe else None, "diluted": True},
    }
    parts = []
    for step, amount_mg in zip(protocol.steps, order["amounts_mg"], strict=False):
        usual = step.duration.typical_min if step.duration is not None else None
        span = "" if step.duration is None else f" over {usual or 30:g} min"
        mg = 28 * max(1, round(amount_mg / 200)) if step.kind == "device" else amount_mg
        parts.append(f"{mg:.3f} mg {protocol.route}{span}")
    text = "; ".join(parts)
    return plan(case_from_json(entry), protocol.id, text, history=history, site=site).to_json()


def allowed_mg(made: dict[str, Any]) -> float:
    return float(made["dose"]["dose_mg"]) if made["released"] else 0.0


def given_mg(history: list[Exposure], protocol: Protocol, days: int | None) -> float:
    """The slow way: minute by minute where an infusion lasts, everything else on its day."""
    start = None if days is None else datetime.combine(ON, datetime.min.time(), UTC) - timedelta(days=days - 1)
    end = datetime.combine(ON, datetime.min.time(), UTC) + timedelta(days=1)
    total = 0.0
    for item in history:
        if item.product not in (None, protocol.product) or not isinstance(item.at, datetime):
            continue
        minutes = max(1, int(item.duration_min))
        inside = sum(
            (start is None or item.at + timedelta(minutes=minute) >= start)
            and item.at + timedelta(minutes=minute) < end
            for minute in range(minutes)
        )
        total += (item.dose_mg or 0.0) * inside / minutes
    return total


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(order=orders, before=st.lists(exposures, max_size=5))
def test_no_input_makes_a_plan_exceed_a_hard_limit(order: dict[str, Any], before: list[Exposure]) -> None:
    protocol = EVERY[order["which"]]
    made = planned(order, History(tuple(before)))
    assert (made["dose"] is None) == (not made["released"])
    if not made["released"]:
        return
    steps, dosing_kg = made["dose"]["steps"], made["dose"]["weight_kg"]
    for wall in (*protocol.walls, *SITE.walls_for(protocol.product)):
        applies = wall.first_sessions is None or order["session_number"] <= wall.first_sessions
        if wall.kind == "soft" or not applies or wall.measure in {"duration", "apart"} or wall.unit == "sessions":
            continue
        limit = wall.limit * (dosing_kg if wall.unit.startswith("mg/kg") else 1)
        seen = steps if wall.step is None else [steps[wall.step - 1]]
        reached = sum(step["dose_mg"] for step in seen)
        if wall.measure == "rate":
            reached = max(
                (60 * step["dose_mg"] / step["duration_min"] for step in seen if step["duration_min"]), default=0
            )
        elif wall.measure != "dose":
            # A course without a first day counts what is under its protocol: here everything.
            reached = sum(
                step["dose_mg"] * min(1, 1440 * WINDOW_DAYS.get(wall.measure, 10**6) / (step["duration_min"] or 1))
                for step in seen
            )
            reached += given_mg(before, protocol, WINDOW_DAYS.get(wall.measure))
        # A minute of an infusion that ends within it: what the slow count of whole minutes may be off by.
        assert reached <= limit + sum((item.dose_mg or 0) / 40 for item in before if item.duration_min) + 1e-6, (
            wall.name
        )
    for wall in protocol.walls:
        if wall.kind == "hard" and wall.measure in WINDOW_DAYS and wall.unit == "sessions":
            first = ON - timedelta(days=WINDOW_DAYS[wall.measure] - 1)
            assert 1 + sum(first <= item.day(UTC) <= ON for item in before) <= wall.limit, wall.name


def long_ago(protocol: Protocol) -> list[Exposure]:
    """Sessions enough that none of the walls on first ones stands, at the top of the titration, two years ago."""
    rule = protocol.titration
    top_mg = 84.0 if rule is None or not rule.rungs else 200.0 * rule.rungs[-1] * (30 if rule.unit == "mg/kg/h" else 1)
    day = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        Exposure(day + timedelta(days=place), top_mg, protocol.product, protocol.route, protocol.id, 1440.0)
        for place in range(9)
    ]


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(order=orders, before=st.lists(exposures, max_size=4), more=exposures, larger=st.floats(1, 3))
def test_more_before_never_allows_more(
    order: dict[str, Any], before: list[Exposure], more: Exposure, larger: float
) -> None:
    fixed = order | {"session_number": 9}
    base = [*long_ago(EVERY[order["which"]]), *before]
    # Two years ago counts for a life, so no limit of the site is laid on it here.
    first = allowed_mg(planned(fixed, History(tuple(base)), SiteDosing()))
    added = allowed_mg(planned(fixed, History((*base, more)), SiteDosing()))
    grown = [
        item
        if place < 9
        else Exposure(item.at, (item.dose_mg or 0) * larger, item.product, item.route, None, item.duration_min)
        for place, item in enumerate(base)
    ]
    assert added <= first
    assert allowed_mg(planned(fixed, History(tuple(grown)), SiteDosing())) <= first


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(order=orders, before=st.lists(exposures, min_size=2, max_size=5), data=st.data())
def test_the_order_in_which_a_history_is_told_changes_nothing(
    order: dict[str, Any], before: list[Exposure], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(before))
    assert planned(order, History(tuple(before))) == planned(order, History(tuple(shuffled)))
