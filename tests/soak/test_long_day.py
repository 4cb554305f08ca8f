"""Twelve chairs for eight hours, and fifty chairs on one screen."""

from __future__ import annotations

import os

import pytest

from live_load import live_long, say
from live_processes import House
from live_screens import open_house, to_the_screens

HOURS = float(os.environ.get("LIMEN_HOURS", "8"))


@pytest.mark.soak
def test_eight_hours_of_twelve_chairs_lose_nothing_and_grow_no_memory(tmp_path):
    made = House(tmp_path)
    try:
        figures = live_long(made, chairs=12, seconds=int(HOURS * 3600), report=os.environ.get("LIMEN_REPORT", ""))
    finally:
        made.database.drop()
    say("twelve chairs", figures)
    assert figures["offered"] == figures["stored"] == figures["distinct"] == 12 * 6 * int(HOURS * 3600)
    assert figures["least_watched_s"] >= HOURS * 3600 - 1
    first = next(row["resident_mb"] for row in figures["hours"] if row["hour"] >= 1)
    assert figures["hours"][-1]["resident_mb"] <= 1.05 * first


@pytest.mark.soak
@pytest.mark.parametrize(("chairs", "viewers", "aim_s"), [(4, 10, 0.25), (50, 4, 1.0)])
def test_what_is_sent_and_tapped_is_on_every_screen_in_time(tmp_path, chairs, viewers, aim_s):
    made = House(tmp_path)
    try:
        open_house(made, chairs)
        delays = to_the_screens(made, 60, viewers=viewers, taps=True)
    finally:
        made.stop()
        made.database.drop()
    figures = delays.to_json()
    say(f"{chairs} chairs, {viewers} viewers", figures)
    assert delays.lost == 0
    assert figures["p99_s"] < aim_s
