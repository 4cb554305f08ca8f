"""Undo at once, amend with a reason, confirm what is critical: every version stays, with who, when, what and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from limen.clinic.sessions.actions import amend, record, resolve_event, undo
from limen.clinic.sessions.models import SessionEvent
from limen.clinic.sessions.queries import session_live
from limen.clinic.sessions.record import state_of
from limen.errors import InputError, RefusedError
from live_room import furnish

pytestmark = pytest.mark.django_db
WHY = "read from the wrong monitor"


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def session(room):
    return room.begun()[0]


def seen(room, session, **values):
    return f"e{record(by=room.nurse, session=session, kind='observation.recorded', data=values).seq}"


def latest(session, name):
    found = state_of(session).latest.get(name)
    return found.value if found else None


def test_an_undone_entry_stays_and_no_longer_counts(room, session):
    entry = seen(room, session, moaas=5, dissociation=1)
    row = undo(by=room.nurse, session=session, entry=entry)
    assert row.kind == "entry.corrected"
    assert latest(session, "moaas") is None
    assert SessionEvent.objects.filter(session=session, kind="observation.recorded").count() == 1


def test_ten_seconds_and_the_way_to_the_server(room, session):
    entry = seen(room, session, moaas=5)
    with (
        time_machine.travel(timezone.now() + timedelta(seconds=16), tick=False),
        pytest.raises(RefusedError, match=r"written 1\d s ago"),
    ):
        undo(by=room.nurse, session=session, entry=entry)
    assert latest(session, "moaas") == 5


def test_nobody_undoes_what_another_wrote(room, session):
    entry = seen(room, session, moaas=5)
    with pytest.raises(RefusedError, match="wrote this"):
        undo(by=room.director, session=session, entry=entry)


def test_an_amendment_says_who_when_what_and_why(room, session):
    entry = seen(room, session, sbp_mmHg=140, dbp_mmHg=80)
    amend(by=room.director, session=session, entry=entry, changes={"sbp_mmHg": 130}, reason=WHY)
    assert latest(session, "sbp_mmHg") == 130
    told = next(event for event in session_live(session)["log"] if event["kind"] == "entry.corrected")
    assert (told["by"], told["changes"], told["reason"]) == (room.director.display_name, {"sbp_mmHg": 130}, WHY)
    assert told["at"]
    first = next(event for event in session_live(session)["log"] if event["id"] == entry)
    assert first["sbp_mmHg"] == 140


@pytest.mark.parametrize(
    ("changes", "reason", "match"),
    [
        ({"sbp_mmHg": 130}, "typo", "says too little"),
        ({"sbp_mmHg": 700}, WHY, "impossible"),
        ({"dbp_mmHg": 190}, WHY, "not under systolic|critical"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(room, session, changes, reason, match):
    entry = seen(room, session, sbp_mmHg=140, dbp_mmHg=80)
    with pytest.raises((InputError, RefusedError), match=match):
        amend(by=room.nurse, session=session, entry=entry, changes=changes, reason=reason)
    assert latest(session, "sbp_mmHg") == 140


def test_only_what_a_person_wrote_is_amended(room, session):
    for entry in ("e0", "e999", "e²", f"e{10**30}", "session.started", ""):
        with pytest.raises(InputError, match="to put right"):
            amend(by=room.nurse, session=session, entry=entry, changes=None, reason=WHY)


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"sbp_mmHg": 182, "dbp_mmHg": 95}, True),
        ({"sbp_mmHg": 182, "dbp_mmHg": 95, "confirmed": ["sbp_mmHg"]}, False),
        ({"sbp_mmHg": 182, "dbp_mmHg": 112, "confirmed": ["sbp_mmHg"]}, True),  # one confirmation, one value
        ({"sbp_mmHg": 182, "dbp_mmHg": 95, "unconfirmed": ["sbp_mmHg"]}, False),
        ({"sbp_mmHg": 165, "dbp_mmHg": 95}, False),  # unusual is marked, not asked
        ({"moaas": 3}, True),
        ({"moaas": 4}, False),
    ],
)
def test_a_critical_value_is_shown_back_an_unusual_one_is_not(room, session, values, refused):
    if refused:
        with pytest.raises(RefusedError, match="is critical"):
            seen(room, session, **values)
        assert state_of(session).observations == ()
    else:
        seen(room, session, **values)
        assert len(state_of(session).observations) == 1


def test_a_kept_tap_that_is_critical_is_stored_and_marked(room, session):
    data = {"moaas": 2, "dissociation": 3}
    row = record(by=room.nurse, session=session, kind="observation.recorded", data=data, late_s=20.0)
    assert row.data["unconfirmed"] == ["moaas"]
    assert latest(session, "moaas") == 2


def test_an_impossible_value_is_refused_however_often_it_is_confirmed(room, session):
    with pytest.raises(InputError, match="impossible"):
        seen(room, session, spo2_pct=0, confirmed=["spo2_pct"])


def test_an_adverse_event_has_a_clock_that_stops(room, session):
    row = record(
        by=room.nurse, session=session, kind="adverse-event.recorded", data={"text": "vomiting", "severity": 2}
    )
    assert len(state_of(session).open_adverse_events) == 1
    with pytest.raises(InputError, match=r"is a observation\.recorded"):
        resolve_event(by=room.nurse, session=session, entry=seen(room, session, moaas=5))
    resolve_event(by=room.nurse, session=session, entry=f"e{row.seq}", outcome="recovered")
    state = state_of(session)
    assert state.open_adverse_events == ()
    assert state.adverse_events[0].outcome == "recovered"
    over_t_s = state.adverse_events[0].resolved_t_s
    assert over_t_s is not None
    # Another nurse's page still shows its clock: the end that was written down stays the end.
    with pytest.raises(RefusedError, match="over already"):
        resolve_event(by=room.director, session=session, entry=f"e{row.seq}", outcome="unknown")
    assert [(event.resolved_t_s, event.outcome) for event in state_of(session).adverse_events] == [
        (over_t_s, "recovered")
    ]


def test_the_live_door_undoes_and_amends(room, session):
    client = Client()
    client.force_login(room.nurse)

    def tap(key, data, status=200):
        body = {"kind": "entry.corrected", "key": key, "data": data}
        answer = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()

    first, second = seen(room, session, moaas=5), seen(room, session, moaas=4)
    tap("a", {"entry": second, "undo": True})
    assert latest(session, "moaas") == 5
    assert tap("b", {"entry": first, "changes": [1], "reason": WHY}, 400)["error"]["where"] == "changes"
    tap("c", {"entry": first, "changes": {"moaas": 4}, "reason": WHY})
    assert latest(session, "moaas") == 4


def test_what_was_taken_back_does_not_come_back_to_life(room, session):
    """Whose page still shows it may amend or end it: its milligrams and its harm must not count again."""
    dose = record(
        by=room.nurse,
        session=session,
        kind="dose.given",
        data={"dose_mg": 5.0, "route": "iv", "note": "a bolus by hand"},
    )
    harm = record(by=room.nurse, session=session, kind="adverse-event.recorded", data={"text": "vomiting"})
    for row in (dose, harm):
        amend(by=room.director, session=session, entry=f"e{row.seq}", changes=None, reason=WHY, key=f"gone{row.seq}")
    who = f"{room.director.display_name} has taken this back"
    with pytest.raises(RefusedError, match=who) as refused:
        amend(by=room.nurse, session=session, entry=f"e{dose.seq}", changes={"dose_mg": 4.0}, reason=WHY)
    assert "anew" in refused.value.hint
    with pytest.raises(RefusedError, match=who):
        resolve_event(by=room.nurse, session=session, entry=f"e{harm.seq}")
    with pytest.raises(RefusedError, match=who):
        undo(by=room.nurse, session=session, entry=f"e{dose.seq}")
    state = state_of(session)
    assert (state.given_mg, state.doses, state.adverse_events) == (0.0, (), ())
    again = amend(
        by=room.director, session=session, entry=f"e{dose.seq}", changes=None, reason=WHY, key=f"gone{dose.seq}"
    )
    assert again.kind == "entry.corrected"
    assert SessionEvent.objects.filter(session=session, kind="entry.corrected").count() == 2


@pytest.mark.parametrize("changes", [{}, {"sbp_mmHg": 140}, {"sbp_mmHg": 140.0, "dbp_mmHg": 80}])
def test_an_amendment_that_changes_nothing_is_none(room, session, changes):
    entry = seen(room, session, sbp_mmHg=140, dbp_mmHg=80)
    with pytest.raises(InputError, match="changes nothing"):
        amend(by=room.nurse, session=session, entry=entry, changes=changes, reason=WHY)
    amend(by=room.nurse, session=session, entry=entry, changes={"sbp_mmHg": 130}, reason=WHY)
    amend(by=room.nurse, session=session, entry=entry, changes={"sbp_mmHg": 140}, reason=WHY)
    assert latest(session, "sbp_mmHg") == 140


@pytest.mark.parametrize(
    ("name", "value"), [("by", "Somebody Else"), ("t_s", 1.0), ("received_t_s", 900000), ("id", "e0"), ("kind", "x")]
)
def test_who_wrote_an_entry_and_when_is_not_amended(room, session, name, value):
    entry = seen(room, session, moaas=5)
    with pytest.raises(InputError) as refused:
        amend(by=room.nurse, session=session, entry=entry, changes={name: value, "moaas": 4}, reason=WHY)
    assert refused.value.where == f"changes.{name}"
    assert latest(session, "moaas") == 5


def test_a_page_cannot_say_when_the_server_heard_of_something(room, session):
    client = Client()
    client.force_login(room.nurse)
    data = {"text": "x", "received_t_s": 900000, "t_s": 900000, "by": "Somebody Else"}
    body = {"kind": "symptom.reported", "key": "a", "data": data}
    answer = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert SessionEvent.objects.get(session=session, kind="symptom.reported").data == {"text": "x"}
    after = record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 5})
    assert after.t_s < 60.0
