"""Twenty kills of the web server and the monitor in mid-session, two chairs running."""

from __future__ import annotations

import pytest

from killing import kill_and_count
from live_processes import house


@pytest.mark.soak
def test_twenty_kills_lose_and_double_nothing(tmp_path):
    with house(tmp_path, chairs=2) as made:
        kill_and_count(made, kills=20)
