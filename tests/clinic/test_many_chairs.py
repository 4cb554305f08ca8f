"""Many chairs, in short: nothing lost, every second watched, every value on the screen. Hours are in ``make soak``."""

from __future__ import annotations

import pytest

from live_load import live_long
from live_processes import House
from live_screens import open_house, to_the_screens


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
def test_every_value_and_tap_of_three_chairs_comes_to_every_screen(tmp_path):
    made = House(tmp_path)
    try:
        open_house(made, 3)
        delays = to_the_screens(made, 5, viewers=5, taps=True)
    finally:
        made.stop()
        made.database.drop()
    # Two boards see all three chairs, three chairs' pages one each: five values and one tap of each chair.
    assert delays.lost == 0
    assert len(delays.samples_s) == 5 * (2 * 3 + 3)
    assert len(delays.taps_s) == 2 * 3 + 3
