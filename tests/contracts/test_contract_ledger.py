"""``limen ledger`` on a database named by its URL, with the rights of the people it names; ``serve`` in the clear."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts import batch
from contracts.door import Done, check_refusal, keys_present, refused

PEOPLE = {"omar": "pharmacist", "nora": "nurse", "paul": "prescriber", "mira": "medical-director"}
BALANCE = (("ledger", "balance", "--json"), "")
VERIFY = (("ledger", "verify", "--json"), "")


def line(kind: str, key: str, amount_mg: Any = "500.0", **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "vial": "V1", "amount_mg": amount_mg, "by": "omar", "key": key} | rest


RECEIVED = line("receive", "r1")

# What a line may not be: each is refused in one line that names it, and the book stays as it was.
WRONG: dict[str, Any] = {
    "a float": line("receive", "k1", 35.0),
    "no number": line("receive", "k2", "much"),
    "nothing": line("receive", "k3", "0.0"),
    "negative": line("receive", "k4", "-35.0"),
    "NaN": line("receive", "k5", "NaN"),
    "Infinity": line("receive", "k6", "Infinity"),
    "a hundredth": line("receive", "k7", "35.05"),
    "null": line("receive", "k8", None),
    "an unknown kind": line("steal", "k9"),
    "by nobody": line("receive", "k10", by="nobody"),
    "a nurse receives": line("receive", "k11", by="nora"),
    "a prescriber receives": line("receive", "k12", by="paul"),
    "by missing": {key: value for key, value in RECEIVED.items() if key != "by"},
    "key missing": {key: value for key, value in RECEIVED.items() if key != "key"},
    "another amount under a key that stands": line("receive", "r1", "400.0"),
    "an unknown vial": line("count", "k14", "10.0", vial="V9"),
    "a vial that is a number": line("receive", "k15", vial=7),
    "a draw for no session": line("draw", "k16", "35.0", by="nora", witness="omar"),
    "a draw for an unknown session": line("draw", "k17", "35.0", by="nora", witness="omar", session="S1"),
    "over what is there": line("destroy", "k18", "500.1", witness="mira", reason="expired"),
    "witnessed by the same person": line("destroy", "k19", "5.0", witness="omar", reason="expired"),
    "witnessed by nobody": line("destroy", "k20", "5.0", reason="expired"),
    "not an object": "receive 500 mg",
    "a list in a list": [RECEIVED],
}


class Clinic:
    """A clinic's database, and commands on it by its URL."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def run(self, *commands: tuple[tuple[str, ...], Any]) -> list[Done]:
        named = [((*words, "--database", f"sqlite:///{self.file}"), given) for words, given in commands]
        return batch.run(self.file.parent, *named)


def post(*lines: Any) -> tuple[tuple[str, ...], Any]:
    return (("ledger", "post", "-", "--json"), list(lines))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    home = tmp_path_factory.mktemp("clinic")
    made = [(("admin", "create-site", "Harbour Clinic"), "")]
    made += [
        (("admin", "create-user", name, "--site", "harbour-clinic", "--role", role, "--name", name.title()), "")
        for name, role in PEOPLE.items()
    ]
    for done in batch.run(home, *made):
        assert done.code == 0, done.err
    return Clinic(home / "limen.sqlite3")


def copy_of(clinic: Clinic, folder: Path) -> Clinic:
    """An empty book of its own."""
    with sqlite3.connect(clinic.file) as source, sqlite3.connect(folder / "limen.sqlite3") as target:
        source.backup(target)
    return Clinic(folder / "limen.sqlite3")


@pytest.mark.slow
def test_post_balance_verify_and_a_rewritten_book(clinic: Clinic, tmp_path: Path) -> None:
    book = copy_of(clinic, tmp_path)
    lines = [
        RECEIVED,
        line("receive", "r2", "200.0", vial="V2"),
        line("count", "c1", "500.0", witness="nora"),
        line("destroy", "d1", "200.0", vial="V2", witness="mira", reason="expired"),
    ]
    unknown = (("session", "export", "no-such-session"), "")
    posted, again, balance, verify, export = book.run(post(*lines), post(*lines), BALANCE, VERIFY, unknown)
    assert "no-such-session" in check_refusal(export)
    assert (posted.json()["posted"], again.json()["posted"]) == (4, 0)
    vials = {vial["vial"]: vial for vial in balance.json()["vials"]}
    for vial in vials.values():
        keys_present(
            vial,
            *("vial", "received_mg", "drawn_mg", "given_mg", "wasted_mg", "returned_mg", "in_syringe_mg"),
            *("on_hand_mg", "unexplained_mg"),
        )
        amounts = [value for name, value in vial.items() if name.endswith("_mg")]
        assert all(isinstance(value, str) for value in amounts)
        assert all(Decimal(value).as_tuple().exponent == -1 for value in amounts)
    assert (vials["V1"]["received_mg"], vials["V1"]["on_hand_mg"]) == ("500.0", "500.0")
    assert (vials["V2"]["on_hand_mg"], vials["V2"]["unexplained_mg"]) == ("0.0", "0.0")
    checked = verify.json()
    keys_present(checked, "entries", "ok", "first_bad", "checkpoint")
    assert (checked["entries"], checked["ok"], checked["first_bad"]) == (4, True, None)

    # Somebody with the file and a database tool: the triggers fall, the seal does not.
    with sqlite3.connect(book.file) as database:
        named = list(database.execute("select type, name from sqlite_master"))
        for name in [name for kind, name in named if kind == "trigger"]:
            database.execute(f'drop trigger "{name}"')
        table = next(name for kind, name in named if kind == "table" and name.endswith("ledgerentry"))
        assert database.execute(f"update {table} set amount_mg = '400.0' where position = 1").rowcount == 1  # noqa: S608
    (done,) = book.run(VERIFY)
    assert done.code == 1
    assert '"ok": false' in done.out
    assert '"first_bad": 1' in done.out


@pytest.mark.slow
def test_what_a_line_may_not_be(clinic: Clinic, tmp_path: Path) -> None:
    first, *answers, beside, balance, verify = copy_of(clinic, tmp_path).run(
        post(RECEIVED),
        *(post(given) for given in WRONG.values()),
        post(line("receive", "r2", vial="V2"), line("receive", "r3", "-1", vial="V3")),
        BALANCE,
        VERIFY,
    )
    assert first.code == 0
    for (name, given), done in zip(WRONG.items(), answers, strict=True):
        assert done.code == 2, (name, given, done)
        assert "line[0]" in check_refusal(done)
    assert "line[1].amount_mg" in check_refusal(beside), "all lines or none"
    assert [vial["vial"] for vial in balance.json()["vials"]] == ["V1"]
    assert balance.json()["vials"][0]["on_hand_mg"] == "500.0"
    assert verify.json()["entries"] == 1


@pytest.mark.slow
def test_a_database_that_is_not_one(tmp_path: Path) -> None:
    urls = {
        "sqlite:////nowhere/at/all.sqlite3": "no database",
        "sqlite:///": "--database",
        "mongo://x/y": "mongo",
        "limen.sqlite3": "--database",
        "": "database",
    }
    answers = batch.run(tmp_path, *((("ledger", "balance", "--database", url), "") for url in urls))
    for said, done in zip(urls.values(), answers, strict=True):
        assert said in check_refusal(done)
    assert not list(tmp_path.iterdir()), "an empty database was made"


@pytest.mark.slow
def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite3"
    text.write_text("only its name says that this is a database; " * 50, encoding="utf-8")
    (done,) = Clinic(text).run(BALANCE)
    assert str(text) in check_refusal(done)
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    (done,) = Clinic(empty).run(BALANCE)
    assert "not ready" in check_refusal(done)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "clinic.example"])  # noqa: S104
def test_serve_refuses_a_network_in_the_clear(host: str) -> None:
    said = refused("serve", "--host", host, "--port", "0")
    for word in (host, "--tls-cert", "--insecure-lan"):
        assert word in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tls-cert", "/no/such.pem"),
        ("--tls-cert", "/no/such.pem", "--tls-key", "/no/such.key"),
        ("--port", "70000"),
        ("--port", "-1"),
    ],
    ids=" ".join,
)
def test_serve_refuses_what_cannot_be(arguments: tuple[str, ...]) -> None:
    refused("serve", *arguments)
