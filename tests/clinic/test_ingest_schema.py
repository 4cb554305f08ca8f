"""Whatever the published schema allows, and much that it does not, gets one of the answers that it promises."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.clinic.sessions.api import api
from limen.clinic.sessions.models import Sample
from live_room import furnish, post

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/"))
PROMISED = {200, 400, 401, 404, 409, 422}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def token():
    room = furnish()
    return room.device(room.running())[1]


def check(answer) -> None:
    assert answer.status_code in PROMISED, answer.content
    body = answer.json()
    if answer.status_code == 200:
        assert set(body) == {"batch", "session", "stored", "known", "outside"}
    else:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"what", "where", "allowed"}
        assert body["error"]["what"]


@FEW
@given(case=SCHEMA["/api/ingest"]["POST"].as_strategy())
def test_what_the_schema_allows_is_answered_as_promised(client, token, case):
    check(post(client, token, json.dumps(case.body, default=str)))


@FEW
@given(body=ANYTHING)
def test_anything_at_all_is_answered_and_nothing_of_it_is_stored(client, token, body):
    before = Sample.objects.count()
    check(post(client, token, json.dumps(body)))
    assert Sample.objects.count() == before


@FEW
@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_text_are_answered(client, token, body):
    check(post(client, token, body))
