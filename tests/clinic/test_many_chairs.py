"""Many chairs, in short: nothing lost, every second watched, every value on the screen. Hours are in ``make soak``."""

from __future__ import annotations

import pytest

from live_load import furnished, live_long, to_the_screen
from live_processes import House


@pytest.mark.slow
def test_a_room_of_chairs_loses_nothing(tmp_path):
    made = House(tmp_path)
    try:
        figures = live_long(made, chairs=3, seconds=40)
    finally:
        made.database.drop()
    assert figures["offered"] == figures["stored"] == figures["distinct"] == 3 * 40 * 6
    assert figures["least_watched_s"] >= 39


@pytest.mark.slow
def test_every_value_of_three_chairs_comes_to_the_screen(tmp_path):
    made = House(tmp_path)
    try:
        furnished(made, 3)
        made.start("web")
        assert len(to_the_screen(made, seconds=4)) == 12
    finally:
        made.stop()
        made.database.drop()
