"""Who is in charge of a chair: offered, accepted under the own name, and never nobody."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from limen.clinic.accounts.actions import revoke_role
from limen.clinic.accounts.models import Membership
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.sessions.actions import (
    accept_chair,
    create_session,
    decline_chair,
    end_session,
    offer_chair,
    start_session,
    take_over,
)
from limen.clinic.sessions.handover import people_for
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.queries import board
from limen.clinic.sessions.record import events_of, state_of
from limen.errors import InputError, RefusedError
from limen.session.floor import standing_offer
from live_room import furnish

pytestmark = pytest.mark.django_db
WHY = "the owner was called to chair 3"


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def second(room):
    return room.person("nora-second", "nurse")


@pytest.fixture
def session(room):
    return room.begun()[0]


def fresh(session: Session) -> Session:
    return Session.objects.select_related("owner", "offered_to").get(pk=session.pk)


def test_the_owner_stays_until_the_other_person_accepts(room, session, second):
    offer_chair(by=room.nurse, session=session, to=second)
    assert (fresh(session).owner, fresh(session).offered_to) == (room.nurse, second)
    assert state_of(session).owner == room.nurse.display_name
    accept_chair(by=second, session=session)
    assert (fresh(session).owner, fresh(session).offered_to) == (second, None)
    assert state_of(session).owner == second.display_name
    assert standing_offer(events_of(session)) is None
    entry = AuditEntry.objects.filter(action="sessions.accept_chair").latest("pk")
    assert entry.detail["was"] == room.nurse.username


def test_only_the_person_asked_accepts(room, session, second):
    with pytest.raises(RefusedError, match="not offered to you"):
        accept_chair(by=second, session=session)
    offer_chair(by=room.nurse, session=session, to=second)
    for other in (room.nurse, room.director):
        with pytest.raises(RefusedError, match="not offered to you"):
            accept_chair(by=other, session=session)
    assert fresh(session).owner == room.nurse


def test_only_the_owner_offers_and_only_to_somebody_who_may_run_a_session(room, session, second):
    pharmacist = room.person("piet-pharmacist", "pharmacist")
    with pytest.raises(RefusedError, match="is in charge"):
        offer_chair(by=second, session=session, to=room.director)
    for to in (furnish("hill").nurse, pharmacist):
        with pytest.raises(InputError, match="may not run a session"):
            offer_chair(by=room.nurse, session=session, to=to)
    with pytest.raises(InputError, match="in charge"):
        offer_chair(by=room.nurse, session=session, to=room.nurse)
    with pytest.raises(DeniedError):
        accept_chair(by=pharmacist, session=session)
    assert {person["name"] for person in people_for(fresh(session))} == {
        second.display_name,
        room.director.display_name,
    }


@pytest.mark.parametrize("who", ["owner", "asked"])
def test_declined_or_taken_back_the_owner_stays(room, session, second, who):
    offer_chair(by=room.nurse, session=session, to=second)
    with pytest.raises(RefusedError, match="between two others"):
        decline_chair(by=room.director, session=session)
    decline_chair(by=room.nurse if who == "owner" else second, session=session, reason="four chairs already")
    assert (fresh(session).owner, fresh(session).offered_to) == (room.nurse, None)
    with pytest.raises(RefusedError, match="not offered to you"):
        accept_chair(by=second, session=session)
    with pytest.raises(RefusedError, match="no hand-over waits"):
        decline_chair(by=second, session=session)


def test_a_second_offer_replaces_the_first(room, session, second):
    offer_chair(by=room.nurse, session=session, to=second)
    offer_chair(by=room.nurse, session=session, to=room.director)
    with pytest.raises(RefusedError, match="not offered to you"):
        accept_chair(by=second, session=session)
    accept_chair(by=room.director, session=session)
    assert fresh(session).owner == room.director


def test_taking_over_without_an_offer_needs_a_reason(room, session, second):
    with pytest.raises(InputError, match="says too little"):
        take_over(by=second, session=session, reason="mine")
    take_over(by=second, session=session, reason=WHY)
    assert fresh(session).owner == second
    with pytest.raises(RefusedError, match="you are in charge"):
        take_over(by=second, session=session, reason=WHY)


def test_the_database_keeps_an_owner_on_every_chair_in_use(room, session):
    with (
        pytest.raises(IntegrityError, match="a_chair_in_use_has_an_owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE treatment_session SET owner_id = NULL WHERE status = 'running'")
    assert fresh(session).owner == room.nurse
    end_session(by=room.nurse, session=session, reason="the patient went home before the dose")
    with acting(by="test", action="test.empty", site=room.site):
        Session.objects.filter(pk=session.pk).update(owner=None)  # a session that is over needs none


def test_whoever_starts_is_in_charge(room, second):
    prepared = create_session(by=room.nurse, plan=room.signed_plan(2), chair=room.chairs[1])
    assert fresh(prepared).owner == room.nurse
    start_session(by=second, session=prepared)
    assert fresh(prepared).owner == second
    assert state_of(fresh(prepared)).owner == second.display_name


def test_the_last_role_is_not_taken_from_a_person_in_charge(room, session):
    membership = Membership.objects.get(user=room.nurse)
    with pytest.raises(RefusedError, match="in charge of Chair 1"):
        revoke_role(by=room.director, membership=membership)
    end_session(by=room.nurse, session=session, reason="the patient went home before the dose")
    revoke_role(by=room.director, membership=membership)


def test_the_board_says_who_is_asked(room, session, second):
    offer_chair(by=room.nurse, session=session, to=second)
    tile = board(room.site)["chairs"][0]
    assert tile["owner"] == room.nurse.display_name
    assert tile["offer"]["to"] == second.display_name
    assert tile["offered_to_id"] == str(second.pk)


def test_the_live_door_offers_accepts_and_takes_over(room, session, second):
    def tap(person, kind, data, status=200):
        client = Client()
        client.force_login(person)
        answer = client.post(
            f"/live/session/{session.pk}/act",
            {"kind": kind, "key": f"{person.pk}-{kind}", "data": data},
            content_type="application/json",
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    assert tap(room.nurse, "owner.offered", {"to": "nobody"}, 400)["error"]["where"] == "to"
    tap(room.nurse, "owner.offered", {"to": str(second.pk)})
    assert "not offered" in tap(room.director, "owner.changed", {}, 409)["error"]["what"]
    tap(second, "owner.changed", {})
    assert fresh(session).owner == second
