"""Every rule against a full chart: from the facts to the verdict with its reasons, and from the JSON to the JSON."""

from __future__ import annotations

from typing import Any

from limen.benchmarks.charts import FULL
from limen.benchmarks.measure import medians_s, report
from limen.care.case_json import case_from_json
from limen.care.screening import screen

RUNS = 200
# What a screening of a full chart may take.
TARGET_S = 0.005


def run() -> dict[str, Any]:
    """The contract's object; ``points`` are the rules judged, ``from_json_s`` is the whole of the command's work."""
    case = case_from_json(FULL)
    found = screen(case)
    judged = {item.rule for item in found.findings} | {item.rule for item in found.missing}
    judged |= {item.rule for item in found.passed}
    if len(judged) < 60 or not found.findings:
        raise AssertionError(f"{len(judged)} rules were judged")
    spent = medians_s(
        {"ours": lambda: screen(case), "json": lambda: screen(case_from_json(FULL)).to_json()},
        RUNS,
    )
    return report(
        "screening", n=1, points=len(judged), median_s=spent["ours"], runs=RUNS, fill_s=None, peers_s={},
        from_json_s=spent["json"], target_s=TARGET_S, within_target=spent["json"] < TARGET_S,
    )  # fmt: skip
