"""Several people, devices and monitors at once, each in a process and thread of its own, on the engine in use."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from crowd import Crowd, crowd
from live_processes import house

pytestmark = pytest.mark.slow

_slugs = (f"site-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    with house(tmp_path_factory.mktemp("crowd"), chairs=0) as made, crowd(made) as gathered:
        yield gathered


@pytest.fixture
def slug(people: Crowd) -> str:
    name = next(_slugs)
    people.do("room", slug=name)
    return name


def done(outcomes: list[dict[str, Any]]) -> list[Any]:
    return [outcome["done"] for outcome in outcomes if "done" in outcome]


def refused(outcomes: list[dict[str, Any]]) -> list[str]:
    return [outcome["refused"] for outcome in outcomes if "refused" in outcome]


def kinds(people: Crowd, session: str) -> list[str]:
    rows = people.do("events", session=session)
    assert [row[0] for row in rows] == list(range(len(rows))), "the events have a gap"
    return [row[1] for row in rows]


def assert_whole(book: dict[str, Any]) -> None:
    assert book["positions"] == list(range(1, len(book["positions"]) + 1)), "the book has a gap"
    assert book["verify"]["ok"], book["verify"]
    assert len({key for _, _, key in book["lines"]}) == len(book["lines"])
    assert sorted(set(book["audited"])) == book["positions"], "a line without its audit row"


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_the_last_milligrams_go_to_one_of_two(people: Crowd, slug: str) -> None:
    session = people.do("begun", slug=slug)["session"]
    plan = people.do("signed", slug=slug, number=2)
    second = people.do("create", slug=slug, plan=plan, chair=1)
    for number in range(8):
        label = f"V{number}"
        people.do("receive", slug=slug, label=label, content_mg=50, key=f"r{number}")
        draws = [
            ("draw", {"slug": slug, "session": whose, "label": label, "amount_mg": "35.0", "key": key, "by": by})
            for whose, key, by in ((session, f"a{number}", "nurse"), (second, f"b{number}", "second"))
        ]
        outcomes = people.at_once(*draws)
        assert len(done(outcomes)) == 1
        assert "cannot draw 35.0 mg" in refused(outcomes)[0]
    book = people.do("book", slug=slug)
    assert_whole(book)
    assert [vial["on_hand_mg"] for vial in book["vials"]] == ["15.0"] * 8
    assert [kind for kind, _, _ in book["lines"]].count("draw") == 8


def test_many_lines_at_once_stand_one_after_the_other(people: Crowd, slug: str) -> None:
    for number in range(6):
        people.do("receive", slug=slug, label=f"V{number}", content_mg=50, key=f"r{number}")
    for turn in range(4):
        outcomes = people.at_once(
            *[("count", {"slug": slug, "label": f"V{n}", "amount_mg": "50.0", "key": f"c{turn}-{n}"}) for n in range(6)]
        )
        assert len(done(outcomes)) == 6
    book = people.do("book", slug=slug)
    assert len(book["positions"]) == 30
    assert_whole(book)


def test_the_same_line_sent_by_many_is_written_once(people: Crowd, slug: str) -> None:
    session = people.do("begun", slug=slug)["session"]
    received = people.same(4, "receive", slug=slug, label="V", content_mg=50, key="r")
    assert done(received) == [1] * 4
    drawn = people.same(4, "draw", slug=slug, session=session, label="V", amount_mg="20.0", key="d")
    assert done(drawn) == [2] * 4
    book = people.do("book", slug=slug)
    assert book["positions"] == [1, 2]
    assert book["vials"][0]["on_hand_mg"] == "30.0"
    assert_whole(book)


def test_one_label_is_one_vial_whoever_receives_it(people: Crowd, slug: str) -> None:
    outcomes = people.at_once(
        *[("receive", {"slug": slug, "label": "V", "content_mg": 50, "key": f"r{number}"}) for number in range(4)]
    )
    assert len(done(outcomes)) == 1
    assert all("on file already" in words for words in refused(outcomes))
    assert_whole(people.do("book", slug=slug))


def test_stopping_pumps_and_drawing_up_at_once_never_block_each_other(people: Crowd, slug: str) -> None:
    """Sessions hold their own lock and take the book's; the book's lines point at sessions: no circle may close."""
    made = [people.do("begun", slug=slug, number=number) for number in (1, 2, 3)]
    for number, item in enumerate(made):
        people.do("receive", slug=slug, label=f"V{number}", content_mg=100, key=f"r{number}")
        people.do("draw", slug=slug, session=item["session"], label=f"V{number}", amount_mg="35.0", key=f"d{number}")
    for turn in range(5):
        more = {"data": {"note": "once more, to test locks"}} if turn else {}
        for item in made:
            people.do("tap", slug=slug, session=item["session"], deed="record", kind="infusion.started", **more)
        deeds: list[tuple[str, dict[str, Any]]] = []
        for number, item in enumerate(made):
            where = {"slug": slug, "session": item["session"]}
            key = f"{turn}-{number}"
            values = [[turn * 10 + number, "SPO2", 97.0]]
            deeds += [
                ("tap", {**where, "deed": "halt", "kind": "infusion.stopped", "key": f"s{key}"}),
                ("draw", {**where, "label": f"V{number}", "amount_mg": "1.0", "key": f"m{key}"}),
                ("send", {"token": item["token"], "batch": f"b{key}", "values": values}),
            ]
        outcomes = people.at_once(*deeds)
        assert refused(outcomes) == []
    book = people.do("book", slug=slug)
    assert_whole(book)
    assert [kind for kind, _, _ in book["lines"]].count("draw") == 18
    assert all(vial["unexplained_mg"] == "0.0" for vial in book["vials"])


# --- devices and monitors --------------------------------------------------------------------------------------------


def test_the_same_batch_sent_by_many_is_stored_once(people: Crowd, slug: str) -> None:
    made = people.do("begun", slug=slug)
    for number in range(5):
        values = [[number, "SPO2", 97.0], [number, "HR", 72.0]]
        outcomes = people.same(4, "send", token=made["token"], batch=f"b{number}", values=values)
        assert done(outcomes) == [2] * 4
    found = people.do("stored", session=made["session"])
    assert found["samples"] == [
        [n, signal, value] for n in range(5) for signal, value in (("SPO2", 97.0), ("HR", 72.0))
    ]
    assert (found["batches"], found["told"]) == (5, 5)


def test_the_same_samples_in_different_batches_are_stored_once(people: Crowd, slug: str) -> None:
    made = people.do("begun", slug=slug)
    outcomes = people.at_once(
        *[("send", {"token": made["token"], "batch": f"b{n}", "values": [[1, "HR", 70.0]]}) for n in range(4)]
    )
    assert sorted(done(outcomes)) == [0, 0, 0, 1]
    assert people.do("stored", session=made["session"])["samples"] == [[1, "HR", 70.0]]


def test_two_monitors_double_no_alarm_while_values_and_taps_come_in(people: Crowd, slug: str) -> None:
    made = people.do("begun", slug=slug)
    for number in range(6):
        values = [[number, "SPO2", 85.0], [number, "HR", 72.0], [number, "RR", 14.0]]
        outcomes = people.at_once(
            ("watch", {"session": made["session"], "visits": 4}),
            ("watch", {"session": made["session"], "visits": 4}),
            ("send", {"token": made["token"], "batch": f"b{number}", "values": values}),
            (
                "tap",
                {
                    "slug": slug,
                    "session": made["session"],
                    "deed": "record",
                    "kind": "observation.recorded",
                    "data": {"moaas": 5},
                },
            ),
        )
        assert refused(outcomes) == []
    time.sleep(1.1)  # until the last values are of a second that is over
    people.same(2, "watch", session=made["session"], visits=1)
    found = people.do("alarms", session=made["session"])
    assert found["seqs"] == list(range(len(found["seqs"])))
    assert found["raised"].count("MON-4") == 1, found
    assert found["agrees"]
    assert kinds(people, made["session"]).count("observation.recorded") == 6


def test_a_page_that_listens_hears_every_event_in_order(people: Crowd, slug: str) -> None:
    """The ids must become visible in the order in which they are counted, whoever commits first."""
    made = [people.do("begun", slug=slug, number=number) for number in (1, 2, 3, 4)]
    writers: list[tuple[str, dict[str, Any]]] = []
    for index, item in enumerate(made):
        for number in range(6):
            values = [[index * 100 + number, "SPO2", 97.0]]
            writers.append(("send", {"token": item["token"], "batch": f"b{number}", "values": values}))
    before = people.do("live_ids", slug=slug)
    heard, *outcomes = people.at_once(("tail", {"slug": slug, "count": len(writers)}), *writers)
    assert len(done(outcomes)) == len(writers)
    written = people.do("live_ids", slug=slug)[len(before) :]
    assert heard["done"] == written
    assert len(written) == len(writers)


# --- one deed, two clicks --------------------------------------------------------------------------------------------

LONG = "a reason that is long enough"
TAPS: list[tuple[str, list[dict[str, Any]], dict[str, Any], str]] = [
    (
        "observation",
        [],
        {"deed": "record", "kind": "observation.recorded", "data": {"moaas": 5}},
        "observation.recorded",
    ),
    ("symptom", [], {"deed": "record", "kind": "symptom.reported", "data": {"text": "nausea"}}, "symptom.reported"),
    ("start of the pump", [], {"deed": "record", "kind": "infusion.started"}, "infusion.started"),
    (
        "pause",
        [{"deed": "record", "kind": "infusion.started"}],
        {"deed": "halt", "kind": "infusion.paused"},
        "infusion.paused",
    ),
    (
        "resume",
        [{"deed": "record", "kind": "infusion.started"}, {"deed": "halt", "kind": "infusion.paused"}],
        {"deed": "record", "kind": "infusion.resumed"},
        "infusion.resumed",
    ),
    (
        "stop",
        [{"deed": "record", "kind": "infusion.started"}],
        {"deed": "halt", "kind": "infusion.stopped", "data": {"reason": LONG}},
        "infusion.stopped",
    ),
    (
        "rate",
        [{"deed": "record", "kind": "infusion.started"}],
        {"deed": "record", "kind": "infusion.rate-changed", "data": {"rate_mg_per_h": 40.0}},
        "infusion.rate-changed",
    ),
    (
        "dose",
        [],
        {"deed": "record", "kind": "dose.given", "data": {"dose_mg": 5.0, "route": "iv", "note": LONG}},
        "dose.given",
    ),
    (
        "rescue",
        [],
        {"deed": "record", "kind": "rescue.given", "data": {"drug": "ondansetron", "dose": "4 mg iv"}},
        "rescue.given",
    ),
    (
        "sound",
        [],
        {"deed": "answer_alarm", "kind": "audio.paused"},
        "audio.paused",
    ),
    (
        "acknowledgement",
        [],
        {"deed": "answer_alarm", "kind": "alarm.acknowledged", "data": {"signal": "SPO2"}},
        "alarm.acknowledged",
    ),
    (
        "limits",
        [],
        {"deed": "change_limits", "role": "director", "limits": {"HR": {"low": 50, "high": 120}}, "reason": LONG},
        "limits.changed",
    ),
    ("owner", [], {"deed": "take_over", "role": "second", "reason": LONG}, "owner.changed"),
    ("offer", [], {"deed": "offer_chair", "to": "second"}, "owner.offered"),
    (
        "acceptance",
        [{"deed": "offer_chair", "to": "second"}],
        {"deed": "accept_chair", "role": "second"},
        "owner.changed",
    ),
    ("question", [], {"deed": "ask_discharge"}, "discharge.asked"),
    ("discharge", [], {"deed": "discharge", "reason": LONG}, "discharged"),
    ("end", [], {"deed": "end_session", "reason": LONG}, "session.ended"),
]


@pytest.mark.parametrize(("name", "before", "tap", "kind"), TAPS, ids=[item[0] for item in TAPS])
def test_a_double_click_is_one_deed(
    people: Crowd, slug: str, name: str, before: list[dict[str, Any]], tap: dict[str, Any], kind: str
) -> None:
    session = people.do("begun", slug=slug)["session"]
    for earlier in before:
        people.do("tap", slug=slug, session=session, **earlier)
    stood = kinds(people, session).count(kind)
    outcomes = people.same(3, "tap", slug=slug, session=session, key="once", **tap)
    numbers = done(outcomes)
    assert len(numbers) == 3, refused(outcomes)
    assert len(set(numbers)) == 1
    assert kinds(people, session).count(kind) == stood + 1


def test_presses_for_one_chair_at_one_instant_are_one_emergency(people: Crowd, slug: str) -> None:
    session = people.do("begun", slug=slug)["session"]
    who = [("nurse", "a"), ("nurse", "a"), ("second", "b"), ("prescriber", "c")]
    presses = [("press", {"slug": slug, "session": session, "role": role, "key": key}) for role, key in who]
    outcomes = people.at_once(*presses)
    assert len(done(outcomes)) == 4, refused(outcomes)
    assert len(set(done(outcomes))) == 1
    assert kinds(people, session).count("emergency.started") == 1


def test_a_double_click_on_start_is_one_start(people: Crowd, slug: str) -> None:
    plan = people.do("signed", slug=slug)
    session = people.do("create", slug=slug, plan=plan)
    outcomes = people.same(3, "tap", slug=slug, session=session, deed="start_session", key="once")
    assert done(outcomes) == [0, 0, 0]
    assert kinds(people, session) == ["session.started", "owner.changed"]


def test_a_late_second_click_changes_nothing_that_came_after(people: Crowd, slug: str) -> None:
    session = people.do("begun", slug=slug)["session"]
    where = {"slug": slug, "session": session}
    people.do("tap", **where, deed="take_over", role="second", reason=LONG, key="a")
    people.do("tap", **where, deed="take_over", role="director", reason=LONG, key="b")
    people.do("tap", **where, deed="take_over", role="second", reason=LONG, key="a")
    assert people.do("header", session=session)["owner"] == f"{slug}-director"
    people.do("tap", **where, deed="end_session", reason=LONG, key="end")
    ended = people.do("header", session=session)
    people.do("tap", **where, deed="end_session", reason=LONG, key="end")
    assert people.do("header", session=session) == ended
    assert ended["devices"] == 0


def test_a_device_taken_off_twice_is_lost_once(people: Crowd, slug: str) -> None:
    made = people.do("begun", slug=slug)
    off = {"deed": "release_device", "device": made["device"]}
    outcomes = people.same(3, "tap", slug=slug, session=made["session"], **off)
    assert len(done(outcomes)) == 1
    assert all("not on this session" in words for words in refused(outcomes))
    assert kinds(people, made["session"]).count("device.lost") == 1


def test_two_sessions_cannot_start_in_one_chair(people: Crowd, slug: str) -> None:
    sessions = [
        people.do("create", slug=slug, plan=people.do("signed", slug=slug, number=number), chair=0) for number in (1, 2)
    ]
    outcomes = people.at_once(
        *[("tap", {"slug": slug, "session": key, "deed": "start_session", "key": "s"}) for key in sessions]
    )
    assert len(done(outcomes)) == 1
    assert "open session" in refused(outcomes)[0]


def test_one_device_cannot_be_put_on_two_patients(people: Crowd, slug: str) -> None:
    made = people.do("begun", slug=slug)
    people.do("tap", slug=slug, session=made["session"], deed="release_device", device=made["device"])
    sessions = [
        people.do("create", slug=slug, plan=people.do("signed", slug=slug, number=number), chair=number - 1)
        for number in (2, 3)
    ]
    on = {"slug": slug, "deed": "associate_device", "device": made["device"]}
    outcomes = people.at_once(*[("tap", {**on, "session": key}) for key in sessions])
    assert len(done(outcomes)) == 1
    assert "is on" in refused(outcomes)[0]


def test_values_that_race_with_a_move_to_another_patient_are_never_the_others(people: Crowd, slug: str) -> None:
    """Measured on the first patient, they are the first patient's or nobody's, whatever the order of acts."""
    made, other = people.do("begun", slug=slug), people.do("begun", slug=slug, number=2)
    moving = {"slug": slug, "device": made["device"]}
    off = {**moving, "session": made["session"], "deed": "release_device"}
    on = {**moving, "session": other["session"], "deed": "associate_device"}

    def late(number: int) -> tuple[str, dict[str, Any]]:
        values = [[100 * number + index, "SPO2", 81.0] for index in range(20)]
        return "send", {"token": made["token"], "batch": f"late{number}", "values": values, "age_s": 30.0}

    for turn in range(3):
        people.at_once(late(3 * turn), ("tap", off), late(3 * turn + 1))
        people.at_once(late(3 * turn + 2), ("tap", on))
        assert people.do("stored", session=other["session"])["samples"] == []
        people.do("tap", **{**on, "deed": "release_device"})
        people.do("tap", **{**off, "deed": "associate_device"})


def test_one_plan_has_one_session(people: Crowd, slug: str) -> None:
    plan = people.do("signed", slug=slug)
    outcomes = people.at_once(*[("create", {"slug": slug, "plan": plan, "chair": chair}) for chair in range(4)])
    assert len(done(outcomes)) == 1
    assert all("has had its session" in words for words in refused(outcomes))


# --- signatures ------------------------------------------------------------------------------------------------------


def test_one_plan_is_signed_once_and_of_two_one_stands(people: Crowd, slug: str) -> None:
    course = people.do("facts_of_a_course", slug=slug)
    plan = people.do("write", slug=slug, course=course)
    outcomes = people.same(3, "sign", slug=slug, plan=plan)
    assert done(outcomes) == ["signed"]
    assert all("this plan is signed" in words for words in refused(outcomes))
    other = people.do("write", slug=slug, course=course)
    beside = people.do("copy_of_draft", plan=other)
    outcomes = people.at_once(*[("sign", {"slug": slug, "plan": key}) for key in (other, beside)])
    assert done(outcomes) in (["signed"], ["signed", "signed"])
    standing = people.do("plans", course=course)
    assert standing.count("signed") == 1


def test_two_drafts_written_at_once_leave_one_draft(people: Crowd, slug: str) -> None:
    course = people.do("facts_of_a_course", slug=slug)
    outcomes = people.same(2, "write", slug=slug, course=course)
    assert len(done(outcomes)) == 2
    assert people.do("plans", course=course) == ["draft", "superseded"]
