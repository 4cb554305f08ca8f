"""Several commands in one process of their own, with a home and a database of their own.

Reads ``[[argument, ...], stdin]`` pairs as JSON, runs each by the front door, writes ``[code, out, err]`` of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from contracts.door import Done, limen

PASSWORD = "a long enough pass phrase"


def run(home: Path, *commands: tuple[tuple[str, ...], Any], **surroundings: str) -> list[Done]:
    """What each command answers; a stdin that is no text goes in as JSON."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LIMEN_", "DJANGO_"))}
    pairs = [[list(line), given if isinstance(given, str) else json.dumps(given)] for line, given in commands]
    done = subprocess.run(
        [sys.executable, "-m", "contracts.batch"],
        input=json.dumps(pairs),
        env=clean
        | {"PYTHONPATH": str(Path(__file__).parents[1]), "LIMEN_HOME": str(home), "LIMEN_NEW_PASSWORD": PASSWORD}
        | surroundings,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Done(*answer) for answer in json.loads(done.stdout)]


def main() -> None:
    answers = [limen(*line, stdin=text) for line, text in json.load(sys.stdin)]
    json.dump([[answer.code, answer.out, answer.err] for answer in answers], sys.stdout)


if __name__ == "__main__":
    main()
