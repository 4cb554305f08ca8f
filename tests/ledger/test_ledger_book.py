"""Every milligram closes: whatever legal thing is written, and however it is tampered with."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError, LimenError, RefusedError
from limen.ledger import Entry, Line, accounts, balance, fold, parse_amount, post, read_line, reconcile, show_mg, verify

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Book:
    """A site's book in memory, written only through ``post``."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, kind: str, amount: str, **other: Any) -> Entry:
        raw = {
            "kind": kind,
            "vial": "V1",
            "amount_mg": amount,
            "by": "nora",
            "key": f"k{len(self.entries) + 1}",
            "session": "S1" if kind in ("draw", "give", "waste", "return") else None,
            "witness": "pia" if kind in ("draw", "waste", "destroy") else None,
            "reason": "left over" if kind in ("waste", "lose", "destroy") else None,
            **other,
        }
        return self.add(read_line(raw)[0])

    def add(self, line: Line) -> Entry:
        last = self.entries[-1].hash if self.entries else ""
        position = len(self.entries) + 1
        entry = post(self.entries, line, at=NOON + timedelta(seconds=position), position=position, prev_hash=last)
        if entry.position == position:
            self.entries.append(entry)
        return entry

    @property
    def vial(self) -> dict[str, str]:
        return balance(self.entries)["vials"][0]


def opened(amount: str = "50.0") -> Book:
    book = Book()
    book.write("receive", amount)
    return book


def treated() -> Book:
    """The vial of the clinic's own example: 50.0 drawn = 35.0 given + 14.5 wasted + 0.5 returned."""
    book = opened()
    for kind, amount in (("draw", "50.0"), ("give", "35.0"), ("waste", "14.5"), ("return", "0.5")):
        book.write(kind, amount)
    return book


def test_a_treatment_closes_to_zero() -> None:
    book = treated()
    assert book.vial == {
        "vial": "V1",
        "received_mg": "50.0",
        "drawn_mg": "50.0",
        "given_mg": "35.0",
        "wasted_mg": "14.5",
        "returned_mg": "0.5",
        "in_syringe_mg": "0.0",
        "on_hand_mg": "0.5",
        "unexplained_mg": "0.0",
        "lost_mg": "0.0",
        "destroyed_mg": "0.0",
        "adjusted_mg": "0.0",
    }
    account = reconcile(book.entries, "S1", ordered_mg=Decimal("35.0"), pumped_mg=Decimal("35.0"))
    assert account.closes
    assert account.open_mg == 0


# --- what may not be written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "amount", "words"),
    [
        ("draw", "50.001", "vial V1 holds 50.0 mg"),
        ("give", "0.001", "holds 0.0 mg"),
        ("waste", "0.001", "holds 0.0 mg"),
        ("return", "0.001", "holds 0.0 mg"),
        ("lose", "50.001", "vial V1 holds 50.0 mg"),
        ("destroy", "50.001", "vial V1 holds 50.0 mg"),
        ("transfer", "50.001", "vial V1 holds 50.0 mg"),
    ],
)
def test_nothing_leaves_that_is_not_there(kind: str, amount: str, words: str) -> None:
    book = opened()
    with pytest.raises(RefusedError) as problem:
        book.write(kind, amount)
    assert words in str(problem.value)
    assert len(book.entries) == 1


def test_one_syringe_is_not_another() -> None:
    book = opened()
    book.write("draw", "20.0", session="S1")
    with pytest.raises(RefusedError, match="session S2"):
        book.write("give", "5.0", session="S2")


@pytest.mark.parametrize("kind", ["draw", "waste", "destroy"])
@pytest.mark.parametrize("witness", ["nora", "NORA", " Nora "])
def test_nobody_witnesses_themselves(kind: str, witness: str) -> None:
    book = opened()
    book.write("draw", "20.0")
    with pytest.raises(RefusedError, match="cannot witness their own act"):
        book.write(kind, "1.0", witness=witness)


@pytest.mark.parametrize("kind", ["draw", "waste", "destroy"])
@pytest.mark.parametrize("witness", [None, "", "  "])
def test_two_people_where_two_are_needed(kind: str, witness: str | None) -> None:
    book = opened()
    book.write("draw", "20.0")
    with pytest.raises(InputError, match="needs a second person"):
        book.write(kind, "1.0", witness=witness)


@pytest.mark.parametrize("amount", ["0", "0.000", "-1", "+1", "1e3", "1.0001", "35,0", "", " 35", "NaN", "Infinity"])
def test_an_amount_that_cannot_be_read(amount: str) -> None:
    with pytest.raises(InputError) as problem:
        opened().write("draw", amount)
    assert "amount_mg" in str(problem.value)


@pytest.mark.parametrize("amount", [35.0, 35, True, None, ["35.0"]])
def test_an_amount_is_text_never_a_float(amount: Any) -> None:
    with pytest.raises(InputError):
        opened().write("draw", amount)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "pour"}, "unknown kind 'pour'"),
        ({"vial": None}, "no vial"),
        ({"vial": "V2"}, "unknown vial 'V2'"),
        ({"by": ""}, "no by"),
        ({"by": 3}, "not text"),
        ({"key": None}, "no key"),
        ({"session": None}, "without a session"),
        ({"kind": "waste", "reason": None}, "without a reason"),
        ({"lot": "6K114"}, "label on a draw line"),
        ({"corrects": "k1"}, "corrects on a draw line"),
        ({"reason": "x" * 301}, "301 characters"),
    ],
)
def test_a_line_that_lacks_something(change: dict[str, Any], words: str) -> None:
    book = opened()
    raw = {
        "kind": "draw",
        "vial": "V1",
        "amount_mg": "1.0",
        "by": "nora",
        "witness": "pia",
        "session": "S1",
        "key": "n",
    }
    with pytest.raises(LimenError) as problem:
        book.add(read_line({**raw, **change})[0])
    assert words in str(problem.value)
    assert len(book.entries) == 1


def test_keys_that_are_not_read_are_named() -> None:
    raw = {"kind": "receive", "vial": "V1", "amount_mg": "1.0", "by": "omar", "key": "n", "moon": 1, "colour": "red"}
    assert read_line(raw)[1] == ("moon", "colour")


# --- the same line twice --------------------------------------------------------------------------------------------


def test_the_same_line_twice_is_written_once() -> None:
    book = opened()
    first = book.write("draw", "20.0", key="once")
    again = book.write("draw", "20.00", key="once")
    assert again is first
    assert book.vial["drawn_mg"] == "20.0"


@pytest.mark.parametrize("change", [{"amount_mg": "20.1"}, {"by": "kim"}, {"session": "S2"}, {"witness": "kim"}])
def test_a_key_is_not_used_for_another_line(change: dict[str, str]) -> None:
    book = opened()
    book.write("draw", "20.0", key="once")
    with pytest.raises(RefusedError, match="used for another line"):
        book.write("draw", change.pop("amount_mg", "20.0"), key="once", **change)


# --- counts and corrections -----------------------------------------------------------------------------------------


def test_a_count_shows_what_is_unexplained_until_it_is() -> None:
    book = opened()
    book.write("count", "40.0")
    assert book.vial["unexplained_mg"] == "10.0"
    assert book.vial["on_hand_mg"] == "50.0"
    book.write("lose", "10.0")
    assert book.vial["unexplained_mg"] == "0.0"
    assert book.vial["on_hand_mg"] == "40.0"


def test_a_loss_after_a_true_count_is_not_a_surplus() -> None:
    book = opened()
    book.write("count", "50.0")
    book.write("lose", "50.0")
    assert (book.vial["unexplained_mg"], book.vial["on_hand_mg"]) == ("0.0", "0.0")


def test_a_correction_replaces_and_both_stay() -> None:
    book = opened("200.0")
    book.write("draw", "200.0")
    book.write("give", "60.0")
    book.write("waste", "138.5", key="wrong")
    assert book.vial["in_syringe_mg"] == "1.5"
    book.write("correct", "140.0", corrects="wrong", session="S1", witness="pia", reason="read the syringe again")
    assert book.vial["wasted_mg"] == "140.0"
    assert book.vial["in_syringe_mg"] == "0.0"
    assert [entry.line.amount_mg for entry in book.entries if entry.key == "wrong"] == [Decimal("138.5")]
    assert verify(book.entries)["ok"]


def test_a_correction_of_the_draw_explains_the_count() -> None:
    book = opened()
    book.write("draw", "35.0", key="wrong")
    book.write("count", "14.0")
    assert book.vial["unexplained_mg"] == "1.0"
    book.write("correct", "36.0", corrects="wrong", session="S1", witness="pia", reason="syringe held 0.72 mL")
    assert (book.vial["unexplained_mg"], book.vial["in_syringe_mg"]) == ("0.0", "36.0")


def test_a_correction_cannot_make_the_impossible() -> None:
    book = treated()
    with pytest.raises(RefusedError):
        book.write("correct", "36.0", corrects="k3", session="S1", reason="more was given")
    assert book.vial["given_mg"] == "35.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"corrects": "k9"}, "no entry of vial V1"),
        ({"session": "S2"}, "belongs to session S1"),
        ({"witness": None}, "needs a second person"),
        ({"reason": None}, "without a reason"),
    ],
)
def test_a_correction_that_does_not_fit(change: dict[str, Any], words: str) -> None:
    book = opened()
    book.write("draw", "35.0")
    raw = {"corrects": "k2", "session": "S1", "witness": "pia", "reason": "misread"}
    with pytest.raises(LimenError, match=words):
        book.write("correct", "34.0", **{**raw, **change})


def test_what_is_on_hand_can_be_set_right_by_two() -> None:
    book = opened()
    book.write("count", "49.0")
    with pytest.raises(InputError, match="second person"):
        book.write("correct", "49.0", reason="vial was short from the maker")
    book.write("correct", "49.0", witness="pia", reason="vial was short from the maker")
    assert (book.vial["on_hand_mg"], book.vial["unexplained_mg"], book.vial["adjusted_mg"]) == ("49.0", "0.0", "-1.0")


# --- the session's account ------------------------------------------------------------------------------------------


def test_a_session_with_drug_in_the_syringe_is_open() -> None:
    book = opened()
    book.write("draw", "35.0")
    book.write("give", "30.0")
    account = reconcile(book.entries, "S1")
    assert account.open_mg == Decimal("5.0")
    assert not account.closes


@pytest.mark.parametrize(("events", "closes"), [((), False), (("stopped at 34 min: nausea",), True)])
def test_a_difference_needs_an_event(events: tuple[str, ...], closes: bool) -> None:
    book = opened()
    book.write("draw", "35.0")
    book.write("give", "30.0")
    book.write("waste", "5.0")
    account = reconcile(book.entries, "S1", ordered_mg=Decimal("35.0"), order_explained_by=events)
    assert account.differences[0].difference_mg == Decimal("-5.0")
    assert account.closes is closes


def test_the_pump_may_differ_where_an_event_says_why() -> None:
    book = opened()
    book.write("draw", "35.0")
    book.write("give", "34.5")
    book.write("waste", "0.5")
    apart = reconcile(book.entries, "S1", pumped_mg=Decimal("35.0"))
    assert [difference.what for difference in apart.unexplained] == ["pumped against given"]
    assert reconcile(
        book.entries, "S1", pumped_mg=Decimal("35.0"), pump_explained_by=("0.5 mg left in the line",)
    ).closes


def test_one_session_of_a_shared_vial() -> None:
    book = opened("500.0")
    book.write("draw", "35.0", session="S1")
    book.write("draw", "60.0", session="S2")
    book.write("give", "35.0", session="S1")
    assert reconcile(book.entries, "S1").closes
    assert reconcile(book.entries, "S2").open_mg == 60


# --- properties -----------------------------------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(["receive", "draw", "give", "waste", "return", "lose", "destroy", "transfer"]),
    st.sampled_from(["V1", "V2"]),
    st.sampled_from(["S1", "S2"]),
    st.integers(min_value=1, max_value=200_000),
)


def written(steps: list[tuple[str, str, str, int]]) -> tuple[Book, dict[str, dict[Any, Fraction]]]:
    """The book after every step that it accepts, and the same kept by hand in whole micrograms."""
    book = Book()
    book.write("receive", "500.0", vial="V1")
    book.write("receive", "500.0", vial="V2")
    hand: dict[str, dict[Any, Fraction]] = {
        vial: {"vial": Fraction(500_000), "out": Fraction(0)} for vial in ("V1", "V2")
    }
    for kind, vial, session, micrograms in steps:
        mine = hand[vial]
        source = "vial" if kind in ("draw", "lose", "destroy", "transfer") else session
        possible = kind == "receive" or mine.get(source, Fraction(0)) >= micrograms
        try:
            book.write(
                kind,
                f"{micrograms // 1000}.{micrograms % 1000:03d}",
                vial=vial,
                session=session if kind in ("draw", "give", "waste", "return") else None,
            )
        except RefusedError:
            assert not possible
            continue
        assert possible
        if kind != "receive":
            mine[source] -= micrograms
        target = {"receive": "vial", "return": "vial", "transfer": "vial", "draw": session}.get(kind, "out")
        mine[target] = mine.get(target, Fraction(0)) + micrograms
    return book, hand


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_any_legal_book_closes(steps: list[tuple[str, str, str, int]]) -> None:
    book, hand = written(steps)
    for vial, state in fold(book.entries).items():
        mine = hand[vial]
        assert Fraction(state.on_hand_mg) * 1000 == mine["vial"]
        assert Fraction(state.in_syringe_mg) * 1000 == sum(
            (mine.get(name, Fraction(0)) for name in ("S1", "S2")), Fraction(0)
        )
        assert state.drawn_mg == state.given_mg + state.wasted_mg + state.returned_mg + state.in_syringe_mg
        assert state.on_hand_mg >= 0
        assert state.unexplained_mg == 0
    totals = accounts(book.entries)
    assert sum(totals.values()) == 0
    assert totals["vial:V1"] == fold(book.entries)["V1"].on_hand_mg
    assert verify(book.entries) == {
        "entries": len(book.entries),
        "ok": True,
        "first_bad": None,
        "checkpoint": f"{len(book.entries)}:{book.entries[-1].hash}",
    }


CHANGES: list[tuple[str, Any]] = [
    ("kind", "destroy"),
    ("vial", "V9"),
    ("amount_mg", Decimal("0.001")),
    ("by", "mallory"),
    ("witness", "mallory"),
    ("session", "S9"),
    ("reason", "another"),
    ("key", "another"),
    ("corrects", "k1"),
    ("label", {"lot": "X"}),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=4, max_size=15), st.data())
def test_any_change_is_found_where_it_was_made(steps: list[tuple[str, str, str, int]], data: st.DataObject) -> None:
    book, _ = written(steps)
    index = data.draw(st.integers(min_value=0, max_value=len(book.entries) - 1))
    entry = book.entries[index]
    field, value = data.draw(
        st.sampled_from([*CHANGES, ("at", entry.at + timedelta(microseconds=1)), ("position", 99)])
    )
    if field in ("at", "position"):
        changed = dataclasses.replace(entry, **{field: value})
    else:
        if getattr(entry.line, field) == value:
            value = None if field == "witness" else Decimal("0.002") if field == "amount_mg" else "still another"
        changed = dataclasses.replace(entry, line=dataclasses.replace(entry.line, **{field: value}))
    found = verify([*book.entries[:index], changed, *book.entries[index + 1 :]])
    assert (found["ok"], found["first_bad"]) == (False, index + 1)


def test_a_missing_or_moved_entry_is_found() -> None:
    entries = treated().entries
    assert verify(entries[:2] + entries[3:])["first_bad"] == 3
    assert verify([entries[0], entries[2], entries[1], *entries[3:]])["first_bad"] == 2
    assert verify(entries[1:])["first_bad"] == 1


def test_a_checkpoint_shows_a_book_cut_short_or_written_anew() -> None:
    book = treated()
    noted = verify(book.entries)["checkpoint"]
    assert verify(book.entries, checkpoint=noted)["ok"]
    assert verify(book.entries[:-1])["ok"]
    assert verify(book.entries[:-1], checkpoint=noted)["first_bad"] == 5
    forged = Book()
    for kind, amount in (("receive", "50.0"), ("draw", "50.0"), ("give", "45.0"), ("waste", "4.5"), ("return", "0.5")):
        forged.write(kind, amount)
    assert verify(forged.entries)["ok"]
    assert not verify(forged.entries, checkpoint=noted)["ok"]
    with pytest.raises(InputError):
        verify(book.entries, checkpoint="latest")


def test_an_empty_book_is_whole() -> None:
    assert verify([]) == {"entries": 0, "ok": True, "first_bad": None, "checkpoint": None}
    assert balance([]) == {"vials": []}


@given(st.integers(min_value=1, max_value=9_999_999_999))
def test_amounts_survive_the_round_trip(micrograms: int) -> None:
    text = show_mg(Decimal(micrograms) / 1000)
    assert Fraction(parse_amount(text)) * 1000 == micrograms
