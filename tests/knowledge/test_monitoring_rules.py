"""Monitoring and discharge knowledge: every number has a source and a mark, and a wrong file is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from limen.evidence import Verification, cite
from limen.knowledge.discharge import DischargeRules, discharge
from limen.knowledge.monitoring import MonitoringRules, monitoring


def test_every_limit_is_sourced_and_marked() -> None:
    for limit in monitoring().limits:
        assert limit.sources
        for key in limit.sources:
            assert cite(key)
        if "unsourced" in limit.sources:
            assert limit.verification is Verification.UNVERIFIED


def test_the_rules_are_those_of_the_reference() -> None:
    rules = {limit.rule for limit in monitoring().limits} | {entry.rule for entry in monitoring().reported}
    assert rules == {f"MON-{number}" for number in range(1, 9)}
    assert {limit.verification for limit in monitoring().limits if limit.tier == "stop" and limit.signal == "SPO2"} == {
        Verification.UNVERIFIED
    }


def test_silence_is_the_contracts() -> None:
    technical = monitoring().technical
    assert (technical.stale.floor_s, technical.stale.periods, technical.stale.priority) == (10, 2, "low")
    assert (technical.lost.floor_s, technical.lost.periods, technical.lost.priority) == (30, 3, "medium")
    assert technical.live_period_max_s == 5


def test_a_snapshot_is_the_same_rules() -> None:
    assert MonitoringRules.model_validate(monitoring().model_dump(mode="json")) == monitoring()
    assert DischargeRules.model_validate(discharge().model_dump(mode="json")) == discharge()


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("default_schedule", "nowhere", "no schedule"),
        ("tiers", {}, "tiers must be"),
        ("scores", {}, "unknown signal MOAAS"),
    ],
)
def test_inconsistent_rules_are_refused(part: str, value: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        MonitoringRules.model_validate({**monitoring().model_dump(mode="json"), part: value})
