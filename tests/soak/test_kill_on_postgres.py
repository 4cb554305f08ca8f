"""The same kills against PostgreSQL, fewer of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.soak
@pytest.mark.postgres
def test_kills_on_postgres_lose_and_double_nothing():
    if os.environ.get("LIMEN_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("this run is on PostgreSQL already")
    test = ROOT / "tests" / "soak" / "test_kill_live.py"
    done = subprocess.run(
        [ROOT / "scripts" / "with-postgres", sys.executable, "-m", "pytest", "-q", "-s", "-m", "soak", str(test)],
        env={**os.environ, "LIMEN_KILLS": "8"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    sys.stderr.write(done.stderr)
