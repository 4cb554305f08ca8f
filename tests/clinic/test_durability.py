"""What was acknowledged stands: over a locked database, the end of the server, and connections that are cut."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from crowd import Crowd, crowd
from limen.clinic.audit.triggers import drop_statements
from live_processes import CSRF, House, house
from live_room import batch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[House]:
    """A clinic with one running session."""
    with house(tmp_path_factory.mktemp("durable"), chairs=1) as found:
        yield found


@pytest.fixture(scope="module")
def hands(made: House) -> Iterator[Crowd]:
    with crowd(made, processes=1) as found:
        yield found


# --- a database that is held by somebody -----------------------------------------------------------------------------


@contextmanager
def held(made: House) -> Iterator[None]:
    """The database held against every writer, until the end of the block."""
    with made.database.direct() as tell:
        if made.database.server:
            tell("LOCK TABLE treatment_session IN EXCLUSIVE MODE")
        yield


def serve(made: House) -> None:
    """As a clinic is served, by the command."""
    if "serve" not in made.running:
        made.start("serve")


def tap(made: House, key: str) -> httpx.Response:
    body = {"kind": "observation.recorded", "key": key, "data": {"moaas": 5}}
    with made.client() as client:
        client.timeout = httpx.Timeout(60.0)
        return client.post(f"/live/session/{made.facts['sessions'][0]}/act", json=body, headers={"X-CSRFToken": CSRF})


def send(made: House, seq: int) -> httpx.Response:
    headers = {"Authorization": f"Bearer {made.facts['tokens'][0]}"}
    with made.client() as client:
        client.timeout = httpx.Timeout(60.0)
        return client.post("/api/ingest", json=batch("chair-1", f"b{seq}", [(seq, "HR", 70.0)]), headers=headers)


def keys(hands: Crowd, made: House) -> list[str]:
    rows = hands.do("events", session=made.facts["sessions"][0])
    assert [row[0] for row in rows] == list(range(len(rows)))
    return [row[2] for row in rows if row[2]]


def test_a_write_waits_for_a_locked_database_and_stands_once(made: House, hands: Crowd) -> None:
    serve(made)
    assert tap(made, "before").status_code == 200
    with ThreadPoolExecutor() as pool:
        with held(made):
            waiting: list[Future[httpx.Response]] = [pool.submit(tap, made, "held"), pool.submit(send, made, 1)]
            begin = time.monotonic()
            with made.client() as client:  # who only reads does not wait
                assert client.get("/healthz").json()["database"] == "ok"
                assert client.get(f"/live/session/{made.facts['sessions'][0]}/state").status_code == 200
            time.sleep(max(0.0, begin + 5.0 - time.monotonic()))
            assert not any(item.done() for item in waiting)
        assert [item.result().status_code for item in waiting] == [200, 200]
    assert keys(hands, made).count("held") == 1
    assert hands.do("stored", session=made.facts["sessions"][0])["samples"] == [[1, "HR", 70.0]]


# --- a server that is told to end ------------------------------------------------------------------------------------


def once_is_enough(made: House) -> None:
    if made.database.server:
        pytest.skip("how a server ends is the same on either engine, and is shown on SQLite")


def ended(made: House) -> None:
    assert made.running.pop("serve").wait(timeout=60) is not None


def test_a_server_told_to_end_answers_what_it_has_begun(made: House, hands: Crowd) -> None:
    once_is_enough(made)
    serve(made)
    with ThreadPoolExecutor() as pool:
        with held(made):
            waiting = pool.submit(tap, made, "ending")
            time.sleep(2.0)
            made.running["serve"].terminate()
            time.sleep(0.5)
            assert not waiting.done()
        assert waiting.result().status_code == 200
    ended(made)
    assert keys(hands, made).count("ending") == 1


def test_what_a_dying_server_could_not_answer_stands_once_when_it_is_sent_again(made: House, hands: Crowd) -> None:
    once_is_enough(made)
    serve(made)
    with ThreadPoolExecutor() as pool:
        with held(made):
            waiting = pool.submit(tap, made, "cut")
            time.sleep(2.0)
            made.running["serve"].terminate()
            time.sleep(6.0)  # longer than the 3 s that open requests are given
        try:
            told = waiting.result().status_code
        except httpx.HTTPError:
            told = 0
    assert told == 0 or told >= 500, told
    ended(made)
    hands.do(
        "tap",
        slug="harbour",
        session=made.facts["sessions"][0],
        deed="record",
        kind="observation.recorded",
        data={"moaas": 5},
        key="cut",
    )
    assert keys(hands, made).count("cut") == 1


# --- lost connections ------------------------------------------------------------------------------------------------


def test_web_and_monitor_come_back_after_the_database_server_cut_every_connection(made: House, hands: Crowd) -> None:
    if not made.database.server:
        pytest.skip("SQLite has no connections to cut")
    serve(made)
    made.start("monitor")
    assert _watched(made)
    for _ in range(3):
        with made.database.direct() as tell:
            tell(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert _watched(made)
    assert tap(made, "after the cut").status_code == 200
    assert keys(hands, made).count("after the cut") == 1
    made.stop()


def _watched(made: House) -> bool:
    """Whether the monitor takes seconds again and a page hears of it: two pulses with a young second."""
    until = time.monotonic() + 60
    young = 0
    while time.monotonic() < until:
        try:
            for kind, _, data in made.listen("/live/board/events"):
                if kind == "pulse":
                    fresh = data["monitor_age_s"] is not None and data["monitor_age_s"] < 3
                    young = young + 1 if fresh and max(data["watched_age_s"].values()) < 4 else 0
                if young >= 2 or time.monotonic() > until:
                    break
        except httpx.HTTPError:
            time.sleep(0.2)
        if young >= 2:
            return True
    return False


# --- whoever writes past the clinic ----------------------------------------------------------------------------------


def test_the_command_finds_a_line_that_the_owner_of_the_database_changed(made: House, hands: Crowd) -> None:
    hands.do("room", slug="tampered")
    for number in range(4):
        hands.do("receive", slug="tampered", label=f"V{number}", content_mg=50, key=f"r{number}")
    command = [sys.executable, "-m", "limen.cli.main", "ledger", "verify", "--database", made.database.url]
    command += ["--site", "tampered", "--json"]
    whole = subprocess.run(command, env=made.env, capture_output=True, text=True, check=False)
    assert (whole.returncode, json.loads(whole.stdout)["ok"]) == (0, True), whole.stderr
    change = "UPDATE stock_ledgerentry SET amount_mg = 49.9 WHERE key = 'r2'"
    with pytest.raises(Exception, match="append-only"), made.database.direct() as tell:
        tell(change)
    with made.database.direct() as tell:
        for statement in drop_statements("stock_ledgerentry", "postgresql" if made.database.server else "sqlite"):
            tell(statement)
        tell(change)
    broken = subprocess.run(command, env=made.env, capture_output=True, text=True, check=False)
    assert broken.returncode == 1, broken.stderr
    found = json.loads(broken.stdout)
    assert (found["entries"], found["ok"], found["first_bad"]) == (4, False, 3)
