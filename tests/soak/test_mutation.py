"""The clinical tables notice changed decisions: a sample of mutants of scoring, screening and planning."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = 25
# Of three subjects, on two processors: a slow machine tries fewer mutants, never longer than one part more.
BUDGET_S = 100
# Under these the tables have lost cases. docs/validation/mutation.md has the scores of a larger sample.
FLOORS_PCT = {"scoring": 80, "screening": 70, "planning": 65}


@pytest.mark.soak
@pytest.mark.skipif(importlib.util.find_spec("mutmut") is None, reason="mutmut is not installed: make setup-dev")
@pytest.mark.parametrize("subject", FLOORS_PCT)
def test_the_tables_notice_a_changed_decision(subject: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "mutation.py"), subject, "--sample", str(SAMPLE)]
    command += ["--seed", "1", "--budget-s", str(BUDGET_S)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(rf"^{subject}: (\d+) of (\d+) noticed", done.stdout, flags=re.MULTILINE)
    assert found is not None, done.stdout
    noticed, tried = int(found[1]), int(found[2])
    assert tried >= 10
    assert 100 * noticed / tried >= FLOORS_PCT[subject], done.stdout
