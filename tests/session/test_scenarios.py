"""Whole sessions as files: what goes in, and what the rules say must come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limen.session.replay import replay

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(FOLDER.glob("*.json"))


def samples(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups of samples written out: a value over a stretch, or values at named seconds."""
    found: list[dict[str, Any]] = []
    for group in groups:
        times = group.get("at_s") or list(range(group["from_s"], group["to_s"] + 1, group["every_s"]))
        for index, t_s in enumerate(times):
            found.append(
                {
                    "t_s": t_s,
                    "received_t_s": group["received_s"][index] if "received_s" in group else t_s,
                    "seq": int(t_s * 10),
                    "signal": group["signal"],
                    "value": group["values"][index] if "values" in group else group["value"],
                    "device": group.get("device", "chair"),
                }
            )
    return found


def dig(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    result = replay({**case["in"], "samples": samples(case["samples"])}).to_json()
    expect = case["expect"]
    if not expect.get("ignore_alarms"):
        seen = [
            alarm for alarm in result["alarms"] if not (expect.get("ignore_technical") and alarm["kind"] == "technical")
        ]
        told = [(alarm["t_s"], alarm["condition"], alarm["priority"]) for alarm in seen]
        assert len(seen) == len(expect["alarms"]), told
        for wanted, alarm in zip(expect["alarms"], seen, strict=True):
            because = wanted.pop("because_has", "")
            assert because in alarm["because"]
            assert {key: alarm[key] for key in wanted} == wanted
    for wanted, answer in zip(expect.get("discharge", []), result["discharge"], strict=True):
        rules = wanted.pop("unmet_rules", None)
        if rules is not None:
            assert [entry["rule"] for entry in answer["unmet"]] == rules
        assert {key: answer[key] for key in wanted} == wanted
    for part in ("state", "note"):
        for spot, value in expect.get(part, {}).items():
            assert dig(result[part], spot) == value, spot


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 15
