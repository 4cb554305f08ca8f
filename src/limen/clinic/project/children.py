"""Processes that run beside the server: started with it, restarted when they fall, ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType

LIFELINE = "LIMEN_LIFELINE"
RESTART_AFTER_S = 15.0
END_WITHIN_S = 5.0


def end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went and on every system.

    The parent holds the other end of standard input. An orphan would go on writing, into the next demonstration too.
    """
    if os.environ.pop(LIFELINE, None) is not None:
        threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_WITHIN_S)
    os._exit(1)


class Children:
    """Commands of ours, each kept running until the block ends."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Children:
        return self

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        """Run ``limen ARGUMENTS...`` beside this process."""
        command = [sys.executable, "-m", "limen.cli.main", *arguments]
        surroundings = {**os.environ, **(environment or {}), LIFELINE: "stdin"}
        thread = threading.Thread(target=self._keep, args=(command, surroundings), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _keep(self, command: list[str], surroundings: dict[str, str]) -> None:
        while not self._stopping.is_set():
            with self._lock:
                if self._stopping.is_set():
                    return
                child = subprocess.Popen(
                    command,
                    env=surroundings,
                    stdin=subprocess.PIPE,  # never written to: its end is the sign that this process is gone
                    stdout=subprocess.DEVNULL,
                )
                self._running[child.pid] = child
            child.wait()
            with self._lock:
                self._running.pop(child.pid, None)
            self._stopping.wait(RESTART_AFTER_S)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        with self._lock:
            for child in self._running.values():
                child.terminate()
        for thread in self._threads:
            thread.join(timeout=5)
        with self._lock:
            for child in self._running.values():
                child.kill()
