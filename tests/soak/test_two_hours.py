"""Two hours of a session, second by second, faster than time, and their replay."""

from __future__ import annotations

import sys

import pytest

from long_run import live_and_replay


@pytest.mark.soak
@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1])
def test_two_hours_replay_to_the_letter(seed):
    figures = live_and_replay(7200, seed=seed)
    sys.stderr.write(f"seed {seed}: {figures}\n")
    assert figures["seconds"] >= 7000
    assert figures["alarm_changes"] > 200
