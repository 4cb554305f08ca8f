"""The clinic as real processes on a database of their own: web server, monitor, and the means to kill them."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg

from limen.clinic.project.serving import KEEP_ALIVE_S

CSRF = "c" * 32  # cookie and header agree, as a page's form does
TESTS = Path(__file__).parent
BUILD = "import live_room; print(json.dumps(live_room.build(int(sys.argv[1]))))"
MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OwnDatabase:
    """A database for one house, of the engine that ``LIMEN_DATABASE_URL`` names: a file, or one more on that server.

    Its tables are made once in a process of the tests, and copied for each house: to migrate takes seconds.
    """

    _pattern: ClassVar[OwnDatabase | None] = None

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        given = os.environ.get("LIMEN_DATABASE_URL", "")
        self.server = given if given.startswith("postgres") else ""
        self.name = f"house_{uuid.uuid4().hex}"
        self.file = folder / "limen.sqlite3"
        self.url = f"sqlite:///{self.file}"
        pattern = None if empty else self.pattern()
        if self.server:
            self._tell(f'CREATE DATABASE "{self.name}"' + (f' TEMPLATE "{pattern.name}"' if pattern else ""))
            self.url = urlunsplit(urlsplit(self.server)._replace(path=f"/{self.name}"))
        elif pattern:
            shutil.copyfile(pattern.file, self.file)

    @classmethod
    def pattern(cls) -> OwnDatabase:
        """The database with every table and no row."""
        if cls._pattern is None:
            folder = Path(tempfile.mkdtemp())
            made = cls(folder, empty=True)
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            atexit.register(made.drop)
            env = environment(folder, made.url)
            subprocess.run([sys.executable, "-c", MIGRATE], env=env, check=True)
            cls._pattern = made
        return cls._pattern

    @contextmanager
    def direct(self) -> Iterator[Callable[[str], list[Any]]]:
        """SQL past the clinic, in one transaction that is kept at the end of the block."""
        with ExitStack() as stack:
            if self.server:
                link: Any = stack.enter_context(psycopg.connect(self.url))
                yield lambda statement: _rows(link.execute(statement.encode()))
            else:
                link = stack.enter_context(closing(sqlite3.connect(self.file, isolation_level=None, timeout=30)))
                link.execute("BEGIN IMMEDIATE")
                yield lambda statement: _rows(link.execute(statement))
                link.execute("COMMIT")

    def drop(self) -> None:
        if self.server:
            self._tell(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as link:
            link.execute(statement.encode())


def _rows(cursor: Any) -> list[Any]:
    return list(cursor.fetchall()) if cursor.description else []


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """What a process of a temporary clinic is told."""
    return {
        **os.environ,
        "LIMEN_HOME": str(folder),
        "LIMEN_DATABASE_URL": database_url,
        "LIMEN_SECRET_KEY": "only for this test",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "limen.clinic.project.settings"),
        "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
    }


class House:
    """A temporary clinic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = OwnDatabase(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(folder, self.database.url)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.facts: dict[str, Any] = {}

    def build(self, chairs: int) -> dict[str, Any]:
        self.facts = self.ask(BUILD, str(chairs))
        return self.facts

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, *arguments], env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def ask(self, code: str, *arguments: str) -> Any:
        """Run code in a process of the clinic; its last line is JSON."""
        return json.loads(self._run("-c", f"import sys, json, django; django.setup(); {code}", *arguments))

    def start(self, name: str) -> None:
        commands = {
            "web": [
                "-m",
                "uvicorn",
                "limen.clinic.project.asgi:application",
                "--port",
                str(self.port),
                "--timeout-keep-alive",
                str(KEEP_ALIVE_S),
                "--log-level",
                "warning",
            ],
            "serve": ["-m", "limen.cli.main", "serve", "--port", str(self.port)],
            "monitor": ["-m", "limen.cli.main", "monitor"],
        }
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen([sys.executable, *commands[name]], env=self.env, stdout=log, stderr=log)
        if name != "monitor":
            self.wait_for_web(name)

    def wait_for_web(self, name: str = "web", limit_s: float = 60.0) -> None:
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2.0, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.running[name].poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError((self.folder / f"{name}.log").read_text())

    def kill(self, name: str) -> None:
        """As a crash does: no farewell."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    @property
    def cookies(self) -> dict[str, str]:
        return {"sessionid": self.facts["cookie"], "csrftoken": CSRF}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, cookies=self.cookies, timeout=10.0, trust_env=False)

    def listen(self, path: str, last_id: int | None = None) -> Iterator[tuple[str, int | None, Any]]:
        """The events of a stream: kind, id, data."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(last_id)} if last_id is not None else {})
        with self.client() as client, client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            kind, number, data = "", None, None
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    number = int(value)
                elif name == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    yield kind, number, data
                    kind, number, data = "", None, None


@contextmanager
def house(folder: Path, chairs: int = 1) -> Iterator[House]:
    """A built clinic, ended with its processes."""
    made = House(folder)
    try:
        made.build(chairs)
        yield made
    finally:
        made.stop()
        made.database.drop()
