"""``limen ledger`` on a database of its own, as a shell runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LINE = {"kind": "receive", "vial": "V1", "amount_mg": "200.0", "by": "omar", "key": "1"}


def run(home: Path, *arguments: str, given: Any = None, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("LIMEN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "limen.cli.main", *arguments],
        env=surroundings | {"LIMEN_HOME": str(home)} | environment,
        input=given if isinstance(given, str) else json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    for arguments in (
        ("admin", "create-site", "Harbour Clinic"),
        ("admin", "create-user", "omar", "--site", "harbour-clinic", "--role", "pharmacist", "--name", "Omar Oduya"),
    ):
        done = run(folder, *arguments, LIMEN_NEW_PASSWORD="a long enough pass phrase")
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_post_balance_verify(home: Path) -> None:
    posted = run(home, "ledger", "post", "-", "--json", given=[LINE, LINE | {"key": "2", "vial": "V2"}])
    assert posted.returncode == 0, posted.stderr
    assert json.loads(posted.stdout)["posted"] == 2
    vials = json.loads(run(home, "ledger", "balance", "--json").stdout)["vials"]
    assert [vial["vial"] for vial in vials] == ["V1", "V2"]
    assert {
        "vial",
        "received_mg",
        "drawn_mg",
        "given_mg",
        "wasted_mg",
        "returned_mg",
        "in_syringe_mg",
        "on_hand_mg",
        "unexplained_mg",
    } <= set(vials[0])
    named = run(home, "ledger", "verify", "--json", "--database", f"sqlite:///{home}/limen.sqlite3")
    checked = json.loads(named.stdout)
    assert (checked["entries"], checked["ok"], checked["first_bad"]) == (2, True, None)
    assert run(home, "ledger", "verify", "--checkpoint", checked["checkpoint"]).returncode == 0
    assert run(home, "ledger", "verify", "--checkpoint", f"2:{'0' * 64}").returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (("post", "-"), [LINE | {"amount_mg": "-1"}], "line[0].amount_mg: cannot read '-1'"),
        (("post", "-"), "{", "not JSON"),
        (("balance", "--site", "moon"), None, "no site 'moon'"),
        (("verify", "--checkpoint", "yesterday"), None, "checkpoint"),
        (("balance", "--database", "sqlite:////nowhere/at/all.sqlite3"), None, "no database at"),
        (("balance", "--database", "mongo://x/y"), None, "--database"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_line_and_exit_2(home: Path, arguments: tuple[str, ...], given: Any, words: str) -> None:
    done = run(home, "ledger", *arguments, given=given)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_writers_at_the_same_time_never_take_more_than_there_is(home: Path) -> None:
    """200 mg, five processes that each write off 60 mg: three succeed, two are refused, the chain is whole."""
    received = run(home, "ledger", "post", "-", given=[LINE | {"key": "race", "vial": "RACE"}])
    assert received.returncode == 0, received.stderr
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("LIMEN_", "DJANGO_"))}
    writers = []
    for number in range(5):
        line = LINE | {"kind": "lose", "vial": "RACE", "amount_mg": "60.0", "reason": "test", "key": f"race-{number}"}
        process = subprocess.Popen(
            [sys.executable, "-m", "limen.cli.main", "ledger", "post", "-"],
            env=surroundings | {"LIMEN_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        writers.append((process, json.dumps([line])))
    answers = [(process.communicate(text)[1], process.returncode) for process, text in writers]
    assert sorted(code for _, code in answers) == [0, 0, 0, 2, 2], answers
    assert all("holds 20.0 mg" in said for said, code in answers if code == 2)
    vials = json.loads(run(home, "ledger", "balance", "--json").stdout)["vials"]
    assert next(vial for vial in vials if vial["vial"] == "RACE")["on_hand_mg"] == "20.0"
    assert json.loads(run(home, "ledger", "verify", "--json").stdout)["ok"]
