"""``import limen.pharmacology`` and what a forecast needs, in a fresh process, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from limen.benchmarks.measure import medians_s, report

RUNS = 9
# Slow to import and not needed for one patient.
HEAVY = ("numba", "scipy")


def run() -> dict[str, Any]:
    """The contract's object; ``heavy`` names what one patient's forecast imports and should not."""
    code = "import sys, limen.pharmacology, limen.pharmacology.simulate; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    took_s = medians_s(
        {
            "package": lambda: subprocess.run([sys.executable, "-c", "import limen.pharmacology"], check=True),
            "simulate": lambda: subprocess.run(
                [sys.executable, "-c", "import limen.pharmacology.simulate"], check=True
            ),
            "numpy": lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True),
        },
        RUNS,
    )
    return report(
        "import-time", n=1, points=1, median_s=took_s["package"], runs=RUNS, fill_s=None,
        peers_s={"import numpy": took_s["numpy"]}, simulate_s=took_s["simulate"],
        heavy=[name for name in HEAVY if name in loaded],
    )  # fmt: skip
