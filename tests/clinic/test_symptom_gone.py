"""A symptom that is gone: its alarm ends, every other one stands, whatever the page that said so had seen."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from limen.clinic.sessions.actions import record, undo
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot
from limen.clinic.sessions.watching import Watcher
from limen.errors import InputError
from limen.session.replay import replay
from live_room import furnish

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=dt.UTC)


class Chair:
    def __init__(self, clock) -> None:
        self.clock, self.room, self.watcher = clock, furnish(), Watcher()
        self.session = self.room.begun()[0]

    def write(self, kind: str, **data):
        row = record(by=self.room.nurse, session=self.session, kind=kind, data=data)
        self.clock.shift(2)
        self.watcher.visit(self.session)
        return row

    @property
    def reported(self) -> set[str]:
        slots = AlarmSnapshot.objects.get(session=self.session).state["slots"]
        return {key.removeprefix("reported/") for key in slots if key.startswith("reported/")}


@pytest.fixture
def chair():
    with time_machine.travel(START, tick=False) as clock:
        yield Chair(clock)


def test_its_alarm_ends_and_no_other_one_does(chair):
    chair.write("symptom.reported", text="nausea")
    chair.write("symptom.reported", text="chest pain")  # after the page of the one who says "gone" was drawn
    assert chair.reported == {"nausea", "chest-pain"}
    chair.write("observation.recorded", symptoms_gone=["nausea"])
    assert chair.reported == {"chest-pain"}
    row = chair.write("observation.recorded", symptoms_gone=["chest pain"])
    assert chair.reported == set()
    assert row.data == {"symptoms": []}
    recorded = [entry.data for entry in AlarmRecord.objects.filter(session=chair.session).order_by("seq")]
    assert list(replay(export_session(chair.session.pk)).changes) == recorded


def test_taken_back_it_stands_again(chair):
    chair.write("symptom.reported", text="chest pain")
    row = chair.write("observation.recorded", symptoms_gone=["chest pain"])
    assert chair.reported == set()
    undo(by=chair.room.nurse, session=chair.session, entry=f"e{row.seq}")
    chair.clock.shift(2)
    chair.watcher.visit(chair.session)
    assert chair.reported == {"chest-pain"}


def test_what_does_not_stand_changes_nothing(chair):
    chair.write("symptom.reported", text="chest pain")
    chair.write("observation.recorded", symptoms_gone=["nausea"])
    assert chair.reported == {"chest-pain"}


@pytest.mark.parametrize(
    "data",
    [{"symptoms_gone": "nausea"}, {"symptoms_gone": [1]}, {"symptoms_gone": ["nausea"], "symptoms": []}],
    ids=str,
)
def test_what_is_no_list_of_symptoms_is_refused(chair, data):
    chair.write("symptom.reported", text="nausea")
    with pytest.raises(InputError, match="symptoms_gone"):
        chair.write("observation.recorded", **data)
    assert chair.reported == {"nausea"}
