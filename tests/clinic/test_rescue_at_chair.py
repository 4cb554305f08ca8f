"""A rescue by standing order at the chair: read back, heard by a second person, and refused where the order says no."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clinic.orders import happened
from limen.clinic.audit.act import acting
from limen.clinic.sessions.actions import give_rescue
from limen.clinic.sessions.models import Sample, SessionEvent
from limen.clinic.sites.actions import declare_rescue_stock, sign_standing_order
from limen.clinic.sites.rescue import person_of
from limen.errors import InputError, RefusedError
from limen.knowledge.standing_orders import get_order
from live_room import furnish

pytestmark = pytest.mark.django_db
SEIZURE = "midazolam-seizure-im"
VIAL = {"drug": "midazolam", "routes": ["iv", "im"], "concentration_mg_per_mL": 5.0}
# The order's own words: 10 mg into a muscle; of 5 mg/mL that is 2 mL.
WORDS = "midazolam 10 mg, 2 mL of 5 mg/mL, into a muscle"


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def second(room):
    return room.person("nora-second", "nurse")


@pytest.fixture
def session(room):
    return room.begun()[0]


@pytest.fixture
def signed(room):
    declare_rescue_stock(by=room.director, site=room.site, items=[VIAL])
    digest, ends = get_order(SEIZURE).digest, timezone.now().date() + timedelta(days=300)
    sign_standing_order(by=room.director, site=room.site, order=SEIZURE, digest=digest, expires_on=ends)


def offers(room, session, *denied: str) -> dict[str, Any]:
    client = Client()
    client.force_login(room.nurse)
    answer = client.get(f"/live/session/{session.pk}/rescue", {"denied": list(denied)})
    assert answer.status_code == 200
    return {item["order"]: item for item in answer.json()["offers"]}


def rescues(session) -> list[SessionEvent]:
    return list(SessionEvent.objects.filter(session=session, kind="rescue.given"))


def test_what_may_be_given_is_offered_in_mg_and_mL(room, session, signed):
    offer = offers(room, session)[SEIZURE]
    assert (offer["usable"], offer["words"]) == (True, WORDS)
    assert not [item for order, item in offers(room, session).items() if order != SEIZURE and item["usable"]]


def test_a_dose_that_was_read_back_is_written_down_whole(room, session, second, signed):
    row = give_rescue(by=room.nurse, session=session, order=SEIZURE, words=WORDS, heard_by=second)
    assert (row.data["dose_mg"], row.data["volume_mL"], row.data["concentration_mg_per_mL"]) == (10, 2, 5)
    assert row.data["read_back_by"] == second.display_name
    assert row.data["order_version"] == get_order(SEIZURE).digest
    assert offers(room, session)[SEIZURE]["usable"] is False, "the order's one dose has been given"
    with pytest.raises(RefusedError):
        give_rescue(by=room.nurse, session=session, order=SEIZURE, words=WORDS, heard_by=second)


@pytest.mark.parametrize("who", ["nobody", "self", "pharmacist"])
def test_a_second_person_hears_it(room, session, signed, who):
    heard = {"nobody": None, "self": room.nurse, "pharmacist": None}[who]
    if who == "pharmacist":
        heard = room.person("piet-pharmacist", "pharmacist")
    with pytest.raises(InputError, match="nobody else heard it"):
        give_rescue(by=room.nurse, session=session, order=SEIZURE, words=WORDS, heard_by=heard)
    assert rescues(session) == []


def test_other_words_than_the_orders_are_not_given(room, session, second, signed):
    slip = WORDS.replace("2 mL", "20 mL")
    with pytest.raises(RefusedError, match="read back"):
        give_rescue(by=room.nurse, session=session, order=SEIZURE, words=slip, heard_by=second)
    assert rescues(session) == []


def test_an_unsigned_order_is_not_used(room, session, second):
    declare_rescue_stock(by=room.director, site=room.site, items=[VIAL])
    assert offers(room, session)[SEIZURE]["usable"] is False
    with pytest.raises(RefusedError):
        give_rescue(by=room.nurse, session=session, order=SEIZURE, words=WORDS, heard_by=second)


def test_a_kept_tap_is_stored_whatever_the_order_says_now(room, session, second):
    row = give_rescue(by=room.nurse, session=session, order=SEIZURE, words=WORDS, heard_by=second, late_s=30.0)
    assert row.data["dose"] == WORDS


def test_the_live_door_gives_by_order_or_in_words(room, session, second, signed):
    client = Client()
    client.force_login(room.nurse)

    def tap(key, data, status):
        body = {"kind": "rescue.given", "key": key, "data": data}
        answer = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
        assert answer.status_code == status, answer.content

    tap("a", {"order": SEIZURE, "words": WORDS}, 400)
    tap("b", {"order": SEIZURE, "words": WORDS, "heard_by": str(second.pk)}, 200)
    tap("c", {"what": "oxygen", "dose": "4 L/min by mask"}, 200)
    assert [row.data["dose"] for row in rescues(session)] == [WORDS, "4 L/min by mask"]


AGITATION = "midazolam-agitation"
# 1 mg or 0.02 mg/kg, to 2 mg or 0.03 mg/kg, the smaller of each: 1 to 2 mg for 70 kg, of 5 mg/mL 0.2 to 0.4 mL.
SMALLER = "midazolam 1 mg, 0.2 mL of 5 mg/mL, into a vein"
LARGER = "midazolam 2 mg, 0.4 mL of 5 mg/mL, into a vein"
BETWEEN = "midazolam 1.5 mg, 0.3 mL of 5 mg/mL, into a vein"
ASKED = ("allergies?",)


@pytest.fixture
def ranged(room):
    declare_rescue_stock(by=room.director, site=room.site, items=[{**VIAL, "routes": ["iv"]}])
    digest, ends = get_order(AGITATION).digest, timezone.now().date() + timedelta(days=300)
    sign_standing_order(
        by=room.director, site=room.site, order=AGITATION, digest=digest, expires_on=ends, interval_min=10.0
    )


def worked(room, session, dose_mg, words=SMALLER):
    client = Client()
    client.force_login(room.nurse)
    query = {"order": AGITATION, "words": words, "dose_mg": dose_mg, "denied": list(ASKED)}
    return client.get(f"/live/session/{session.pk}/rescue", query)


def test_a_range_offers_both_ends_in_mL(room, session, ranged):
    offer = offers(room, session, *ASKED)[AGITATION]
    assert offer["usable"], offer["against"]
    assert [one["words"] for one in offer["choices"]] == [SMALLER, LARGER]


def test_a_dose_between_the_ends_is_brought_to_the_mark(room, session, ranged):
    found = worked(room, session, "1.53").json()["offer"]
    assert (found["words"], found["dose_mg"], found["dose_asked_mg"]) == (BETWEEN, 1.5, 1.53)


@pytest.mark.parametrize("dose_mg", ["0.99", "2.01", "20", "-1", "nan", "inf", "much", ""])
def test_a_dose_outside_either_end_is_refused_with_both_named(room, session, ranged, dose_mg):
    answer = worked(room, session, dose_mg)
    assert answer.status_code == 400
    assert answer.json()["error"]["where"] == "dose_mg"
    if dose_mg in ("0.99", "2.01", "20", "-1"):
        assert answer.json()["error"]["allowed"] == "1 to 2 mg"


@pytest.mark.parametrize(
    ("dose_mg", "words", "given_mg", "volume_mL"),
    [(None, SMALLER, 1, 0.2), (2.0, LARGER, 2, 0.4), (1.53, BETWEEN, 1.5, 0.3), (1.0, SMALLER, 1, 0.2)],
)
def test_the_chosen_dose_is_what_is_written_down(
    room, session, second, ranged, dose_mg, words, given_mg, volume_mL
):  # fmt: skip
    row = give_rescue(
        by=room.nurse, session=session, order=AGITATION, words=words, heard_by=second, dose_mg=dose_mg, denied=ASKED
    )
    assert (row.data["dose"], row.data["dose_mg"], row.data["volume_mL"]) == (words, given_mg, volume_mL)
    assert offers(room, session, *ASKED)[AGITATION]["status"] == "wait", "ten minutes between two"


@pytest.mark.parametrize(("dose_mg", "words"), [(2.0, SMALLER), (None, LARGER), (2.5, LARGER), (True, SMALLER)])
def test_a_dose_and_its_words_that_differ_give_nothing(room, session, second, ranged, dose_mg, words):
    with pytest.raises((InputError, RefusedError)):
        give_rescue(
            by=room.nurse, session=session, order=AGITATION, words=words, heard_by=second, dose_mg=dose_mg, denied=ASKED
        )
    assert rescues(session) == []


def test_a_kept_dose_is_stored_even_where_the_range_no_longer_holds_it(room, session, second):
    row = give_rescue(
        by=room.nurse, session=session, order=AGITATION, words=LARGER, heard_by=second, dose_mg=2.0, late_s=30.0
    )
    assert row.data["dose"] == LARGER


@pytest.mark.parametrize(
    ("by_hand", "monitor", "counts"),
    [
        ((600.0, 70), [(840.0, "HR", 41.0)], 41.0),
        ((600.0, 70), [(840.0, "PULSE", 44.0)], 44.0),
        ((840.0, 70), [(600.0, "HR", 41.0)], 70.0),
        ((840.0, 70), [(850.0, "HR", 0.0), (851.0, "HR", None)], 70.0),  # no reading of a living person
        (None, [(599.0, "HR", 41.0)], None),  # more than five minutes ago
        (None, [], None),
    ],
)
def test_the_newest_heart_rate_counts_whoever_read_it(room, by_hand, monitor, counts):
    """Labetalol is refused under 50/min: what a nurse wrote down minutes ago must not stand over what is read now."""
    session = room.running(ago_s=900)
    device, _ = room.device(session)
    with acting(by="test", action="test.heart", site=room.site):
        for seq, (t_s, signal, value) in enumerate(monitor):
            Sample.objects.create(
                session=session, device=device, seq=seq, signal=signal, value=value, t_s=t_s, received_t_s=t_s
            )
    if by_hand is not None:
        t_s, value = by_hand
        happened(session, "observation.recorded", t_s, hr_per_min=value)
    assert person_of(session).hr_per_min == counts
