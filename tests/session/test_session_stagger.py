"""Starting a chair so that one person's observations do not fall due together: thirteen minutes, not fifteen."""

from __future__ import annotations

import pytest

from limen.errors import InputError
from limen.knowledge.monitoring import monitoring
from limen.session.stagger import DueElsewhere, advise_room, advise_start, due_minutes, stacks

RULES = monitoring().schedule_for("TRD-IV")
APART_S = monitoring().observation_grace_s
# IV depression by the rules of monitoring: every 10 min in 40 min of infusion, every 15 min for two hours after.
MINUTES = (0, 10, 20, 30, 40, 55, 70, 85, 100, 115, 130, 145, 160)


def left_of(gone_min: float, chair: str = "Chair 1") -> list[DueElsewhere]:
    """What a chair that began ``gone_min`` ago still owes."""
    return [DueElsewhere(chair, 60.0 * (minute - gone_min)) for minute in MINUTES if minute > gone_min]


def test_the_minutes_of_an_infusion() -> None:
    assert due_minutes(RULES, 40.0) == MINUTES


@pytest.mark.parametrize(
    ("apart_min", "meets"),
    [(5, False), (10, True), (12, False), (13, False), (14, False), (15, True), (20, True), (30, True)],
)
def test_fifteen_minutes_meet_again_and_thirteen_do_not(apart_min: int, meets: bool) -> None:
    own = [60.0 * minute for minute in MINUTES]
    assert bool(stacks(own, left_of(apart_min), APART_S)) is meets


def test_four_chairs_thirteen_minutes_apart_never_meet() -> None:
    own = [60.0 * minute for minute in MINUTES]
    others = [due for number in (1, 2, 3) for due in left_of(13.0 * number, f"Chair {number}")]
    assert stacks(own, others, APART_S) == ()


@pytest.mark.parametrize(
    ("gone_min", "better_min", "near"),
    [
        (0, 13, True),  # both at once: thirteen minutes later
        (5, 8, True),
        (12, 1, True),  # one short of the stagger
        (13, None, False),  # the stagger itself
        (15, 1, False),  # meets at 55 and 70: one minute more does not
        (16, None, False),
        (25, 1, False),
    ],
)
def test_a_better_minute_is_offered_only_where_now_is_worse(gone_min: int, better_min: int | None, near: bool) -> None:
    advice = advise_start(RULES, 40.0, left_of(gone_min), apart_s=APART_S, starts_s=[("Chair 1", 60.0 * gone_min)])
    assert advice.better_min == better_min
    assert advice.near_start == ("Chair 1" if near else None)
    assert advice.left == 0


def test_an_empty_room_may_start_now() -> None:
    advice = advise_start(RULES, 40.0, [], apart_s=APART_S)
    assert (advice.stacked, advice.better_min) == ((), None)


def test_what_is_stacked_is_named_with_its_chair() -> None:
    advice = advise_start(RULES, 40.0, left_of(15), apart_s=APART_S, starts_s=[("Chair 1", 900.0)])
    assert {(stack.own_s / 60, stack.chair) for stack in advice.stacked} >= {(40.0, "Chair 1"), (55.0, "Chair 1")}


def test_a_room_with_no_free_minute_gets_the_least_bad_one_and_says_so() -> None:
    everywhere = [DueElsewhere("Chair 1", 60.0 * minute) for minute in range(300)]
    advice = advise_start(RULES, 40.0, everywhere, apart_s=APART_S)
    assert advice.better_min is None
    assert advice.left == len(MINUTES)


def test_a_dose_that_ends_before_it_begins_is_refused() -> None:
    for duration_min in (-1.0, float("nan")):
        with pytest.raises(InputError, match="duration_min"):
            advise_start(RULES, duration_min, [], apart_s=APART_S)


# Into a muscle: baseline and 15, 30, 45, 60, 90, 120 min after, by the rules of monitoring.
def test_a_dose_at_once_owes_its_own_minutes() -> None:
    assert due_minutes(monitoring().schedule_for("TRD-IM"), 0.0) == (0, 15, 30, 45, 60, 90, 120)


def owed(gone_min: float, chair: str, owner: str) -> list[DueElsewhere]:
    return [DueElsewhere(due.chair, due.due_s, owner) for due in left_of(gone_min, chair)]


@pytest.mark.parametrize("gone_min", [5, 10, 13, 15, 25])
def test_a_colleagues_chair_is_told_and_moves_no_start_of_mine(gone_min: int) -> None:
    theirs = owed(gone_min, "Chair 1", "N. Berg")
    starts = [("Chair 1", 60.0 * gone_min, "N. Berg")]
    advice = advise_room(RULES, 40.0, theirs, owner="D. Kessel", apart_s=APART_S, starts_s=starts)
    assert (advice.own.better_min, advice.own.stacked, advice.own.near_start) == (None, (), None)
    assert bool(advice.colleagues) is (gone_min in (10, 15, 25))
    assert {item.owner for item in advice.colleagues} <= {"N. Berg"}
    assert advice.silent is (gone_min in (5, 13))


def test_whose_list_is_stacked_is_named_where_both_are() -> None:
    mine, theirs = owed(15, "Chair 1", "D. Kessel"), owed(10, "Chair 2", "N. Berg")
    starts = [("Chair 1", 900.0, "D. Kessel"), ("Chair 2", 600.0, "N. Berg")]
    advice = advise_room(RULES, 40.0, [*mine, *theirs], owner="D. Kessel", apart_s=APART_S, starts_s=starts)
    assert {(item.chair, item.owner) for item in advice.own.stacked} == {("Chair 1", "D. Kessel")}
    assert {(item.chair, item.owner) for item in advice.colleagues} == {("Chair 2", "N. Berg")}
    assert advice.own.better_min == 1  # 16 min apart from my own: nothing meets
    # the whole room: 1 min is 11 from Chair 2 and 16 from Chair 1, and neither meets
    assert (advice.room.better_min, advice.room.left) == (1, 0)


def test_the_same_chairs_in_one_hand_are_one_list() -> None:
    """After a hand-over, or in an emergency that leaves one nurse: what was a colleague's is mine."""
    before = owed(15, "Chair 1", "N. Berg")
    after = owed(15, "Chair 1", "D. Kessel")
    asked = {"owner": "D. Kessel", "apart_s": APART_S}
    apart, merged = (advise_room(RULES, 40.0, room, **asked) for room in (before, after))  # type: ignore[arg-type]
    assert [(item.own_s, item.chair) for item in apart.colleagues] == [
        (item.own_s, item.chair) for item in merged.own.stacked
    ]
    assert (apart.own.better_min, merged.own.better_min) == (None, 1)
