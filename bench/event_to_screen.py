"""From a device's sending and a nurse's tap to every page's hearing: a treatment room, and a floor of fifty chairs."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from live_processes import House
from live_screens import open_house, to_the_screens

SECONDS = 60
FLOORS = {"event-to-screen": (4, 10), "event-to-screen-50": (50, 4)}


def main() -> None:
    """Print a line of the ``bench`` contract for each floor."""
    for work, (chairs, viewers) in FLOORS.items():
        with tempfile.TemporaryDirectory() as folder:
            made = House(Path(folder))
            try:
                open_house(made, chairs)
                figures = to_the_screens(made, SECONDS, viewers=viewers, taps=True).to_json()
            finally:
                made.stop()
                made.database.drop()
        found = {
            "work": work,
            "n": chairs,
            "points": figures["samples"] + figures["taps"],
            **figures,
            "runs": 1,
            "rate_mpt_per_s": None,
            "fill_mpt_per_s": None,
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "peers": {},
        }
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
