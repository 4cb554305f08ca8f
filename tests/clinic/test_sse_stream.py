"""The stream of a page: nothing missed over a reconnect, a pulse every second, and only one's own site."""

from __future__ import annotations

import itertools
import threading
import time

import httpx
import pytest

from limen.clinic.sessions.tail import message
from live_processes import house
from live_room import batch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clinic_house(tmp_path_factory):
    with house(tmp_path_factory.mktemp("sse"), chairs=2) as made:
        made.start("web")
        yield made


def send(made, chair: int, seq: int, value: float) -> None:
    body = batch(f"chair-{chair}", f"b{seq}", [(seq, "HR", value)])
    headers = {"Authorization": f"Bearer {made.facts['tokens'][chair - 1]}"}
    answer = httpx.post(f"{made.url}/api/ingest", json=body, headers=headers, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text


def path_of(made, chair: int) -> str:
    return f"/live/session/{made.facts['sessions'][chair - 1]}/events"


def values(events) -> list[float]:
    return [value for kind, _, data in events if kind == "samples" for _, _, value in data["values"]]


def test_a_message_in_the_wire_format():
    assert message("alarm", {"a": 1}, 7) == b'id: 7\nevent: alarm\ndata: {"a": 1}\n\n'


def test_a_new_page_is_told_to_fetch_its_state_and_hears_a_pulse_every_second(clinic_house):
    begin = time.monotonic()
    heard = list(itertools.islice(clinic_house.listen(path_of(clinic_house, 1)), 4))
    assert [kind for kind, _, _ in heard] == ["reset", "pulse", "pulse", "pulse"]
    assert 1.5 < time.monotonic() - begin < 4
    assert heard[1][2]["monitor_age_s"] is None  # no monitor runs in this test, and the page must know


def test_samples_arrive_as_they_are_stored_and_only_those_of_the_session(clinic_house):
    heard: list = []
    stream = clinic_house.listen(path_of(clinic_house, 1))
    next(stream)
    thread = threading.Thread(target=lambda: heard.extend(itertools.islice(stream, 8)))
    thread.start()
    send(clinic_house, 2, 1, 99.0)
    send(clinic_house, 1, 1, 71.0)
    send(clinic_house, 1, 2, 72.0)
    thread.join(timeout=15)
    assert values(heard) == [71.0, 72.0]


def test_a_page_that_comes_back_gets_exactly_what_it_missed(clinic_house):
    stream = clinic_house.listen(path_of(clinic_house, 1))
    _, last_id, _ = next(stream)
    stream.close()
    for seq in range(10, 15):
        send(clinic_house, 1, seq, 60.0 + seq)
    missed = []
    for event in clinic_house.listen(path_of(clinic_house, 1), last_id=last_id):
        missed.append(event)
        if len(values(missed)) == 5:
            break
    assert values(missed) == [70.0, 71.0, 72.0, 73.0, 74.0]
    third = [number for kind, number, _ in missed if kind == "samples"][2]
    rest = []
    for event in clinic_house.listen(path_of(clinic_house, 1), last_id=third):
        rest.append(event)
        if len(values(rest)) == 2:
            break
    assert values(rest) == [73.0, 74.0]


def test_the_board_hears_every_session_of_its_site(clinic_house):
    stream = clinic_house.listen("/live/board/events")
    next(stream)
    send(clinic_house, 1, 20, 80.0)
    send(clinic_house, 2, 20, 81.0)
    heard = []
    for event in stream:
        heard.append(event)
        if len(values(heard)) == 2:
            break
    assert values(heard) == [80.0, 81.0]
    assert {data["session"] for kind, _, data in heard if kind == "samples"} == set(clinic_house.facts["sessions"])


@pytest.mark.parametrize("last_id", ["", "x", "-1", "9" * 30])
def test_an_unreadable_last_event_id_means_fetch_anew(clinic_house, last_id):
    with (
        clinic_house.client() as client,
        client.stream("GET", path_of(clinic_house, 1), headers={"Last-Event-ID": last_id}) as answer,
    ):
        lines = itertools.islice(answer.iter_lines(), 8)
        assert "event: reset" in list(lines)


def test_nobody_listens_without_signing_in_or_to_another_site(clinic_house):
    with httpx.Client(base_url=clinic_house.url, trust_env=False) as stranger:
        answer = stranger.get(path_of(clinic_house, 1), headers={"Accept": "text/event-stream"})
        assert answer.status_code in (302, 401)
    with clinic_house.client() as client:
        answer = client.get("/live/session/00000000-0000-0000-0000-000000000000/events")
        assert answer.status_code == 404
