"""People in several processes who do the same thing at the same instant, and what came of it for each.

The test's side is :class:`Crowd`; :func:`serve` runs in each process, on the database of a temporary clinic. A deed is
a function of ``deeds`` that reads what it needs and returns the act itself, so that all acts begin together.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from live_processes import House

SERVE = "import django; django.setup(); import crowd; crowd.serve()"
LEAD_S = 0.15  # time for every process to read its order and its rows


class UnjudgedError(AssertionError):
    """An act ended in something that is neither done nor a refusal in words."""


class Crowd:
    """Processes that wait for orders."""

    def __init__(self, house: House, processes: int) -> None:
        self.workers = [
            subprocess.Popen(
                [sys.executable, "-c", SERVE], env=house.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(processes)
        ]

    def do(self, deed: str, /, **arguments: Any) -> Any:
        """One deed by one person; it must succeed."""
        (outcome,) = self._order({0: [(deed, arguments)]}, 0.0)
        if "done" not in outcome:
            raise UnjudgedError(outcome)
        return outcome["done"]

    def at_once(self, *wanted: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Each deed in a thread of its own, dealt out over the processes, all at one instant.

        Returns
        -------
        list of dict
            For each deed, in order, ``{"done": value}`` or ``{"refused": words}``.
        """
        dealt: dict[int, list[tuple[str, dict[str, Any]]]] = {}
        for index, item in enumerate(wanted):
            dealt.setdefault(index % len(self.workers), []).append(item)
        by_worker = iter(self._order(dealt, time.time() + LEAD_S))
        parts = {number: [next(by_worker) for _ in items] for number, items in sorted(dealt.items())}
        outcomes = [parts[index % len(self.workers)][index // len(self.workers)] for index in range(len(wanted))]
        for outcome in outcomes:
            if "broke" in outcome:
                raise UnjudgedError(outcome["broke"])
        return outcomes

    def same(self, count: int, deed: str, /, **arguments: Any) -> list[dict[str, Any]]:
        """The same deed so many times at once."""
        return self.at_once(*[(deed, arguments)] * count)

    def _order(self, dealt: dict[int, list[tuple[str, dict[str, Any]]]], at_s: float) -> list[dict[str, Any]]:
        for number, items in sorted(dealt.items()):
            pipe = self.workers[number].stdin
            assert pipe is not None
            pipe.write(json.dumps({"at_s": at_s, "deeds": items}) + "\n")
            pipe.flush()
        found: list[dict[str, Any]] = []
        for number in sorted(dealt):
            pipe = self.workers[number].stdout
            assert pipe is not None
            answer = pipe.readline()
            assert answer, "a process of the crowd has ended"
            found += json.loads(answer)
        return found

    def leave(self) -> None:
        for worker in self.workers:
            assert worker.stdin is not None
            worker.stdin.close()
        for worker in self.workers:
            worker.wait(timeout=30)


@contextmanager
def crowd(house: House, processes: int = 2) -> Iterator[Crowd]:
    """A crowd that goes home at the end."""
    made = Crowd(house, processes)
    try:
        yield made
    finally:
        made.leave()


def serve() -> None:
    """The loop of one process: an order a line, an answer a line."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for line in sys.stdin:
        order = json.loads(line)
        outcomes: list[dict[str, Any]] = [{} for _ in order["deeds"]]
        threads = [
            threading.Thread(target=_perform, args=(name, arguments, order["at_s"], outcome))
            for (name, arguments), outcome in zip(order["deeds"], outcomes, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sys.stdout.write(json.dumps(outcomes) + "\n")
        sys.stdout.flush()


def _perform(name: str, arguments: dict[str, Any], at_s: float, outcome: dict[str, Any]) -> None:
    from django.db import connections

    import deeds
    from limen.errors import LimenError

    try:
        act = getattr(deeds, name)(**arguments)
        time.sleep(max(0.0, at_s - time.time()))
        outcome["done"] = act()
    except LimenError as problem:
        outcome["refused"] = str(problem)
    except Exception:  # noqa: BLE001  it is the test that judges
        outcome["broke"] = traceback.format_exc()
    finally:
        connections.close_all()
