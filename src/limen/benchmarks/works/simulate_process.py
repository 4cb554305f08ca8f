"""``limen simulate`` for one patient as a whole process, warm, beside a Python that does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from limen.benchmarks.measure import medians_s, report

RUNS = 7
POINTS = 241


def run() -> dict[str, Any]:
    """The contract's object; the peer is the interpreter's own start."""
    with tempfile.TemporaryDirectory() as folder:
        patient = Path(folder) / "patient.json"
        patient.write_text(json.dumps({"age_years": 42, "weight_kg": 70}), encoding="utf-8")
        command = [
            sys.executable, "-m", "limen.cli.main", "simulate", "--model", "fanta-otto-2021", "--patient", str(patient),
            "--dose", "0.5 mg/kg iv over 40 min", "--until", "4 h", "--json",
        ]  # fmt: skip

        def simulate() -> None:
            done = subprocess.run(command, check=True, capture_output=True)
            if len(json.loads(done.stdout)["time_h"]) != POINTS:
                raise AssertionError("not the points asked for")

        took_s = medians_s(
            {
                "simulate": simulate,
                "python": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
            },
            RUNS,
        )
    return report(
        "simulate-process", n=1, points=POINTS, median_s=took_s["simulate"], runs=RUNS, fill_s=None,
        peers_s={"python -c pass": took_s["python"]},
    )  # fmt: skip
