"""The demonstration clinic as a user starts it: ``limen demo`` in a folder of its own, and commands beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from live_processes import free_port

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 150.0


class DemoHouse:
    """A running demonstration, and what is started beside it. Only processes started here are ever ended."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / "demo.log"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("LIMEN_", "DJANGO_"))}
        self.beside: list[subprocess.Popen[bytes]] = []
        with self.log.open("wb") as log:
            command = [*self._limen("demo"), "--home", str(home), "--port", str(self.port)]
            self.server = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=log, stderr=log)

    @staticmethod
    def _limen(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "limen.cli.main", *arguments]

    def wait(self) -> None:
        """Until the clinic answers and its monitor has given a sign of life."""
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until and self.server.poll() is None:
            with suppress(httpx.HTTPError):
                answer = httpx.get(f"{self.url}/healthz", timeout=2.0, trust_env=False)
                if answer.status_code == 200 and answer.json()["monitor_age_s"] is not None:
                    return
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Another ``limen`` command beside the clinic, such as a device."""
        with (self.home.parent / "beside.log").open("ab") as log:
            made = subprocess.Popen(
                self._limen(*arguments), env=self.env | environment, cwd=ROOT, stdout=log, stderr=log
            )
        self.beside.append(made)
        return made

    def command(self, *arguments: str) -> Any:
        """A ``limen`` command on the clinic's own home, and its JSON."""
        done = subprocess.run(
            self._limen(*arguments),
            env=self.env | {"LIMEN_HOME": str(self.home)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def kill_monitor(self) -> None:
        """The alarm monitor dies as in a crash. It is found among the children of the clinic started here."""
        children = Path(f"/proc/{self.server.pid}/task").glob("*/children")
        pids = {int(pid) for path in children for pid in path.read_text().split()}
        wanted = [pid for pid in pids if b"\0monitor\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(wanted) == 1, wanted
        os.kill(wanted[0], signal.SIGKILL)

    def end(self) -> None:
        """Ask each to end; then insist."""
        for process in (*self.beside, self.server):
            if process.poll() is None:
                process.terminate()
        for process in (*self.beside, self.server):
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def demo_house(home: Path) -> Iterator[DemoHouse]:
    """The demonstration in ``home``, ended with everything started beside it."""
    made = DemoHouse(home)
    try:
        made.wait()
        yield made
    finally:
        made.end()
