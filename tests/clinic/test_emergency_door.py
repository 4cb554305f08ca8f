"""The door of the emergency on a screen that nobody touched: the idle limit does not close it, everything else does."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from limen.clinic.emergency.models import Emergency
from live_room import Room, furnish

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return furnish(chairs=1)


def press(client: Client):
    body = json.dumps({"kind": "emergency.start", "key": "k1", "data": {}})
    return client.post("/emergency/act", body, content_type="application/json", headers={"Accept": "application/json"})


def test_a_press_for_help_is_not_lost_to_the_idle_limit(room, time_machine) -> None:
    client = Client()
    client.force_login(room.nurse)
    client.get("/board/")
    time_machine.move_to(timezone.now() + timedelta(minutes=settings.LIMEN_IDLE_MIN + 2))
    assert press(client).status_code == 200
    assert Emergency.objects.count() == 1
    assert client.get("/patients/").status_code == 302, "the press is no sign that somebody is at this screen"


def test_the_shift_ends_it(room, time_machine) -> None:
    client = Client()
    client.force_login(room.nurse)
    client.get("/board/")
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60))
    assert press(client).status_code in (302, 401)
    assert not Emergency.objects.exists()


def test_token_method_and_role_are_still_asked_for(room) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(room.nurse)
    assert press(client).status_code == 403
    other = Client()
    other.force_login(room.person("pharmacist", "pharmacist"))
    assert press(other).status_code == 403
    assert press(Client()).status_code in (302, 401)
    signed_in = Client()
    signed_in.force_login(room.nurse)
    assert signed_in.get("/emergency/act").status_code == 405
    assert not Emergency.objects.exists()
