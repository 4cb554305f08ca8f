"""A clock that the builder of the demonstration can turn, so that its past is lived through the real actions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.utils import timezone


class Clock:
    """The time that Django sees while the past is lived."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, minutes_min: float) -> None:
        """Let time pass."""
        self.at += timedelta(minutes=minutes_min)


@contextmanager
def living(at: datetime) -> Iterator[Clock]:
    """Every ``timezone.now()`` of this process answers with the clock's time."""
    clock = Clock(at)
    with patch.object(timezone, "now", clock):
        yield clock
