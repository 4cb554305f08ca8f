"""What board and chair are told: every chair in its place, scores with their ages, what is due, when to start."""

from __future__ import annotations

import pytest
from django.test import Client

from floor_room import seated
from limen.clinic.audit.act import acting
from limen.clinic.sessions.actions import create_session, end_session, record, resolve_event, start_session
from limen.clinic.sessions.models import SessionEvent
from limen.clinic.sessions.queries import board, session_live
from live_room import furnish

pytestmark = pytest.mark.django_db


def test_chair_2_stands_before_chair_10():
    room = furnish(chairs=11)
    assert [tile["chair"] for tile in board(room.site)["chairs"]] == [f"Chair {number}" for number in range(1, 12)]


def test_scores_carry_their_age_and_when_they_are_old():
    room = furnish()
    seated(room, 1, 26.0)
    scores = board(room.site)["chairs"][0]["scores"]
    # Seen in minute 13 and 23; every 10 min in the infusion with a minute of grace: old after 11, lost after 21.
    assert (scores["moaas"]["value"], scores["moaas"]["t_s"]) == (5, 23 * 60 + 20)
    assert (scores["moaas"]["stale_s"], scores["moaas"]["lost_s"]) == (660, 1260)
    assert scores["distress"]["t_s"] == 60


def test_a_score_nobody_gave_is_missing_not_zero():
    room = furnish()
    room.running(1)
    assert board(room.site)["chairs"][0]["scores"]["dissociation"]["value"] is None


def test_the_working_list_holds_what_is_late_and_what_comes():
    room = furnish()
    seated(room, 1, 13.5)  # pump on in minute 3: ten minutes later is minute 13, half a minute ago
    seated(room, 2, 26.0)  # the 30-minute set is in minute 33, seven minutes from now
    first, second = board(room.site)["chairs"][:2]
    assert first["due_soon"][0]["due_t_s"] == 13 * 60
    assert [item["due_t_s"] for item in second["due_soon"]] == [33 * 60]
    assert first["due_soon"][0]["act"] == "observe"


def test_one_chair_of_the_board_is_fetched_alone_and_nothing_of_another_site():
    room, other = furnish(), furnish("hill")
    session = seated(room, 1, 13.0)
    theirs = seated(other, 1, 13.0)
    client = Client()
    client.force_login(room.nurse)
    one = client.get("/live/board/state", {"session": str(session.pk)}).json()
    assert [chair["session"] for chair in one["chairs"]] == [str(session.pk)]
    assert one["chairs"][0].keys() == board(room.site)["chairs"][0].keys()
    for wrong in (str(theirs.pk), "no-session"):
        assert client.get("/live/board/state", {"session": wrong}).json() == {"chairs": []}


def test_a_dose_at_once_is_staggered_too():
    room = furnish()
    seated(room, 1, 3.0 + 15.0)  # its sets fall in minutes 20, 30, 40, 55, ... of its pump: 5, 15, 25, 40 from now
    plan = room.signed_plan(2)
    shot = {"kind": "bolus", "at_min": 0.0, "dose_mg": 35.0, "duration_min": 0.0}
    plan.result["dose"] |= {"duration_min": 0.0, "steps": [shot]}
    plan.protocol = "TRD-SC"
    session = create_session(by=room.nurse, plan=plan, chair=room.chairs[1])
    session.header["protocol"] = "TRD-SC"  # observed after 15, 30, 45, 60, 90 and 120 minutes
    stacked = session_live(session)["start_advice"]["stacked"]
    assert [item["minute"] for item in stacked] == [15]


@pytest.mark.parametrize(
    ("gone_min", "better_min", "near"),
    [
        (5.0, 11, True),  # the other pump began in minute 3, two minutes ago: the stagger is over in 11
        (18.0, 1, False),  # fifteen minutes ago: the sets would meet, one minute later they do not
        (19.0, None, False),
    ],
)
def test_a_start_that_would_stack_names_a_better_minute(gone_min, better_min, near):
    room = furnish()
    seated(room, 1, gone_min)
    session = create_session(by=room.nurse, plan=room.signed_plan(2), chair=room.chairs[1])
    advice = session_live(session)["start_advice"]
    assert (advice["better_min"] if advice else None) == better_min
    if advice:
        assert (advice["near"] is not None) is near


def test_a_colleagues_chairs_are_told_by_name_and_move_no_start_and_advice_ends_with_the_start():
    room = furnish()
    second = room.person("nora-second", "nurse")
    seated(room, 1, 18.0)  # the pump began fifteen minutes ago: the sets would meet
    session = create_session(by=second, plan=room.signed_plan(2), chair=room.chairs[1])
    advice = session_live(session, second.display_name)["start_advice"]
    assert (advice["owner"], advice["better_min"], advice["stacked"]) == (second.display_name, None, [])
    assert {item["owner"] for item in advice["room"]["stacked"]} == {room.nurse.display_name}
    assert (advice["room"]["better_min"], advice["room"]["left"]) == (1, 0)
    theirs = session_live(session, room.nurse.display_name)["start_advice"]
    assert (theirs["owner"], theirs["better_min"]) == (room.nurse.display_name, 1), "whoever starts it owns it"
    start_session(by=second, session=session)
    session.refresh_from_db()
    assert session_live(session)["owner"] == second.display_name
    end_session(by=second, session=session, reason="the patient went home before the dose")
    session.refresh_from_db()
    assert session_live(session)["start_advice"] is None


def test_an_open_adverse_event_keeps_its_clock_however_much_is_recorded_after_it():
    room = furnish()
    session = room.begun()[0]
    kind = "adverse-event.recorded"
    first = record(by=room.nurse, session=session, kind=kind, data={"text": "vomited", "severity": 2})
    record(by=room.nurse, session=session, kind=kind, data={"text": "dizzy", "severity": 1, "onset_t_s": 0.0})
    with acting(by="test", action="test.events", site=room.site):
        for seq in range(300, 510):
            SessionEvent.objects.create(
                session=session, seq=seq, kind="symptom.reported", t_s=1.0, data={"text": "warm"}
            )
    page = session_live(session)
    assert not [event for event in page["log"] if event["kind"] == kind], "the log of the page is cut"
    assert {event["text"] for event in page["open_events"]} == {"vomited", "dizzy"}
    assert next(event for event in page["open_events"] if event["text"] == "dizzy")["since_t_s"] == 0.0
    resolve_event(by=room.nurse, session=session, entry=f"e{first.seq}", outcome="recovered")
    assert [event["text"] for event in session_live(session)["open_events"]] == ["dizzy"]
