"""Processes that run beside the server: started with it, restarted when they fall, ended with it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import TracebackType

_PR_SET_PDEATHSIG = 1
RESTART_AFTER_S = 15.0


def _die_with_parent() -> None:
    # Linux only: a parent that is killed outright leaves no orphan that goes on writing.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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
        surroundings = {**os.environ, **(environment or {})}
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
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
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
