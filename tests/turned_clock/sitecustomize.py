"""A process whose clock the test turns: the seconds to add to it stand in the file that ``LIMEN_TEST_CLOCK`` names.

Python imports this module by itself where its folder is on the path; without that variable it does nothing. Only wall
clocks are turned, as when somebody sets the time of the machine: the steady clock goes on.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


class Clock:
    """This process's clock, as the file says."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.turned_s = 0.0
        self.held: Any = None

    def look(self) -> None:
        """Turn it where the file has changed."""
        wanted_s = float(self.file.read_text() or 0) if self.file.exists() else 0.0
        if wanted_s == self.turned_s:
            return
        import time_machine

        if self.held is None:
            self.held = time_machine.travel(datetime.now(UTC) + timedelta(seconds=wanted_s), tick=True).start()
        else:
            self.held.shift(wanted_s - self.turned_s)
        time.time()  # it begins to run with the first look at it, and not before
        self.turned_s = wanted_s

    def follow(self) -> None:
        """Look for as long as the process lives."""
        while True:
            self.look()
            time.sleep(0.05)


if os.environ.get("LIMEN_TEST_CLOCK"):
    clock = Clock(Path(os.environ["LIMEN_TEST_CLOCK"]))
    clock.look()  # a process that begins later begins with the turned clock
    threading.Thread(target=clock.follow, daemon=True).start()
