"""Twenty kills of the web server and the monitor in mid-session, two chairs running."""

from __future__ import annotations

import os

import pytest

from killing import kill_and_count
from live_processes import house

KILLS = int(os.environ.get("LIMEN_KILLS", "20"))


@pytest.mark.soak
def test_kills_lose_and_double_nothing(tmp_path):
    with house(tmp_path, chairs=2) as made:
        figures = kill_and_count(made, kills=KILLS)
    assert figures["taps"] > KILLS
    assert figures["lines"] > KILLS
