"""Real processes, killed in mid-session. The short form; ``make soak`` holds the long one."""

from __future__ import annotations

import pytest

from killing import kill_and_count
from live_processes import house


@pytest.mark.slow
def test_two_kills_lose_and_double_nothing(tmp_path):
    with house(tmp_path, chairs=1) as made:
        kill_and_count(made, kills=2)
