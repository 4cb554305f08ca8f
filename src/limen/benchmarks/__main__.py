"""``python -m limen.benchmarks WORK``: one work in a process of its own, as one JSON object."""

from __future__ import annotations

import json
import sys

from limen.benchmarks import run

if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1]), allow_nan=False) + "\n")
