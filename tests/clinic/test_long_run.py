"""A session from start to discharge, and its replay. The short form; two hours are in ``make soak``."""

from __future__ import annotations

import pytest

from long_run import live_and_replay


@pytest.mark.slow
@pytest.mark.django_db
def test_five_minutes_replay_to_the_letter():
    figures = live_and_replay(300, seed=11)
    assert figures["seconds"] >= 290
    assert figures["alarm_changes"] > 20
