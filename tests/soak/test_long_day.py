"""Twelve chairs for eight hours, and fifty chairs on one screen."""

from __future__ import annotations

import os

import pytest

from live_load import furnished, live_long, say, to_the_screen
from live_processes import House

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
def test_fifty_chairs_are_on_the_screen_within_a_second(tmp_path):
    made = House(tmp_path)
    try:
        furnished(made, 50)
        made.start("web")
        made.start("monitor")
        delays = to_the_screen(made, seconds=60)
    finally:
        made.stop()
        made.database.drop()
    p99 = delays[int(0.99 * len(delays))]
    say("fifty chairs", {"values": len(delays), "p50_s": delays[len(delays) // 2], "p99_s": p99, "max_s": delays[-1]})
    assert p99 < 1.0
