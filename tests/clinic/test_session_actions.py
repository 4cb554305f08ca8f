"""What people do in a session: in order, once, each by a role that may, and every act in the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.models import Plan
from limen.clinic.sessions.actions import (
    amend,
    answer_alarm,
    ask_discharge,
    associate_device,
    change_limits,
    create_session,
    discharge,
    end_session,
    halt,
    record,
    release_device,
    start_session,
)
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.models import DeviceAssociation, LiveEvent, Session, SessionEvent
from limen.clinic.sessions.queries import session_live
from limen.clinic.sessions.record import append, state_of
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError
from live_room import FACTS, furnish

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return furnish()


@pytest.fixture
def session(room):
    return room.begun()[0]


def kinds(session: Session) -> list[str]:
    return list(SessionEvent.objects.filter(session=session).order_by("seq").values_list("kind", flat=True))


def test_a_start_writes_the_header_the_rules_and_the_first_events(room, session):
    assert kinds(session) == ["session.started", "owner.changed", "device.associated"]
    assert session.status == "running"
    assert session.header["baseline"]["sbp_mmHg"] == 128
    assert session.header["patient"]["weight_kg"] == 70
    assert session.header["streams"]["SPO2"] == {"period_s": 1.0}
    assert set(session.rules_snapshot) == {"monitoring", "discharge"}
    assert session.knowledge_release
    assert SessionEvent.objects.filter(session=session).first().t_s == pytest.approx(0, abs=0.5)


def test_a_vital_sign_of_another_day_is_no_baseline(room):
    day = today(room.site)
    days = {item["key"]: day for item in FACTS} | {"vitals.hr_per_min": day - timedelta(days=1)}
    facts = [{**item, "taken_at": f"{days[item['key']]}T09:00:00+00:00"} for item in FACTS]
    made = create_session(by=room.nurse, plan=room.signed_plan(7, facts), chair=room.chairs[1])
    assert made.header["baseline"]["hr_per_min"] is None
    assert made.header["baseline"]["sbp_mmHg"] == 128


def test_a_course_of_events_folds_to_the_dose_that_was_given(room, session):
    record(by=room.nurse, session=session, kind="infusion.started", data={})
    event = SessionEvent.objects.get(session=session, kind="infusion.started")
    assert (event.data["dose_mg"], event.data["duration_min"], event.data["route"]) == (35.0, 40, "iv")
    state = state_of(session, at_t_s=event.t_s + 600)
    assert state.given_mg == pytest.approx(35.0 / 4)  # 10 of 40 min
    halt(by=room.nurse, session=session, kind="infusion.paused", data={"reason": "pressure"})
    record(by=room.nurse, session=session, kind="infusion.resumed")
    record(by=room.nurse, session=session, kind="infusion.rate-changed", data={"rate_mg_per_h": 26.25})
    halt(by=room.nurse, session=session, kind="infusion.stopped", data={"reason": "distress"})
    session.refresh_from_db()
    assert session.status == "recovery"
    assert [event.seq for event in SessionEvent.objects.filter(session=session).order_by("seq")] == list(range(8))


@pytest.mark.parametrize("kind", ["infusion.resumed", "infusion.rate-changed"])
def test_what_does_not_follow_is_refused_with_the_reason(room, session, kind):
    data = {"rate_mg_per_h": 10.0} if kind == "infusion.rate-changed" else {}
    with pytest.raises(RefusedError, match="no infusion has started"):
        record(by=room.nurse, session=session, kind=kind, data=data)
    assert len(kinds(session)) == 3


def test_a_double_click_is_one_deed(room, session):
    first = record(by=room.nurse, session=session, kind="infusion.started", data={}, key="tap-1")
    again = record(by=room.nurse, session=session, kind="infusion.started", data={}, key="tap-1")
    assert first.pk == again.pk
    assert kinds(session).count("infusion.started") == 1
    with pytest.raises(RefusedError, match=r"stands for infusion\.started"):
        record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 5}, key="tap-1")


def test_another_dose_than_the_signed_one_needs_a_reason(room, session):
    with pytest.raises(RefusedError, match=r"350 is not the signed plan's 35"):
        record(by=room.nurse, session=session, kind="infusion.started", data={"dose_mg": 350.0})
    note = "20 mg left in the syringe after a kinked line"
    record(by=room.nurse, session=session, kind="infusion.started", data={"dose_mg": 20.0, "note": note})
    assert SessionEvent.objects.get(kind="infusion.started").data["note"] == note


def test_the_signed_infusion_is_started_once_and_one_more_needs_a_reason(room, session):
    """Stopped for a reaction, then started by another page: the whole dose would run a second time."""
    record(by=room.nurse, session=session, kind="infusion.started", data={})
    halt(by=room.nurse, session=session, kind="infusion.stopped", data={"reason": "distress"})
    with pytest.raises(RefusedError, match="was started before"):
        record(by=room.nurse, session=session, kind="infusion.started", data={})
    told = {"dose_mg": 10.0, "duration_min": 20, "note": "the line was kinked, the rest by a new one"}
    record(by=room.nurse, session=session, kind="infusion.started", data=told)
    assert [run.dose_mg for run in state_of(session).infusions] == [35.0, 10.0]


@pytest.mark.parametrize("kind", ["infusion.started", "dose.given"])
def test_a_dose_by_an_order_that_was_replaced_needs_a_reason(room, session, kind):
    with acting(by="test", action="test.plan", site=room.site):
        Plan.objects.filter(pk=session.plan_id).update(status="superseded")
    data: dict[str, object] = {"dose_mg": 5.0, "route": "iv"} if kind == "dose.given" else {}
    with pytest.raises(RefusedError, match="another plan has been signed since"):
        record(by=room.nurse, session=session, kind=kind, data=data)
    record(by=room.nurse, session=session, kind=kind, data={**data, "note": "the prescriber says this one stands"})
    assert kinds(session)[-1] == kind


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"rate_mL_per_h": 525.0}, "rate_mL_per_h"),  # 52.5 with its point lost
        ({"rate_mg_per_h": 53.5}, "rate_mg_per_h"),
        ({"rate_mL_per_h": 105.0, "reason": "typo"}, "rate_mL_per_h"),
        ({"rate_mL_per_h": 52.5}, None),
        ({"rate_mL_per_h": 26.3}, None),
        ({"rate_mL_per_h": 60.0, "reason": "the prescriber asks for more"}, None),
    ],
)
def test_a_pump_is_not_set_faster_than_it_was_started_without_a_reason(room, session, data, where):
    """35 mg over 40 min of 1 mg/mL is 52.5 mL/h."""
    record(by=room.nurse, session=session, kind="infusion.started", data={})
    if where is None:
        assert record(by=room.nurse, session=session, kind="infusion.rate-changed", data=data).data == data
        return
    with pytest.raises(RefusedError, match=r"faster than the 52\.5") as refused:
        record(by=room.nurse, session=session, kind="infusion.rate-changed", data=data)
    assert refused.value.where == where
    kept = record(by=room.nurse, session=session, kind="infusion.rate-changed", data=data, late_s=0.001)
    assert kept.kind == "infusion.rate-changed"  # a kept tap tells what was done


def test_a_bolus_that_nobody_ordered_needs_a_reason(room, session):
    with pytest.raises(RefusedError, match="holds no dose at once"):
        record(by=room.nurse, session=session, kind="dose.given", data={"dose_mg": 20.0, "route": "iv"})
    assert state_of(session).given_mg == 0.0


@pytest.mark.parametrize(
    ("data", "where"),
    [({"dose_mg": "35"}, "dose_mg"), ({"dose_mg": None}, "dose_mg"), ({"route": "im"}, "route")],
)
def test_another_kind_of_dose_is_refused_in_words(room, session, data, where):
    with pytest.raises((InputError, RefusedError)) as refused:
        record(by=room.nurse, session=session, kind="infusion.started", data=data)
    assert where in refused.value.where


@pytest.mark.parametrize(
    ("kind", "data", "where"),
    [
        ("observation.recorded", {"moaas": 7}, "moaas"),
        ("observation.recorded", {}, "observation.recorded"),
        ("observation.recorded", {"note": "all well", "moaas": None}, "observation.recorded"),
        ("observation.recorded", {"sbp_mmHg": 0}, "sbp_mmHg"),
        ("observation.recorded", {"hr_per_min": 7000}, "hr_per_min"),
        ("symptom.reported", {"text": ""}, "text"),
        ("dose.given", {"dose_mg": -1, "route": "iv", "note": "a bolus by hand"}, "dose_mg"),
        ("session.started", {}, "kind"),
        ("no.such-kind", {}, "kind"),
    ],
)
def test_bad_input_stores_nothing(room, session, kind, data, where):
    before = kinds(session)
    with pytest.raises(InputError) as problem:
        record(by=room.nurse, session=session, kind=kind, data=data)
    assert where in problem.value.where
    assert kinds(session) == before


def test_an_observation_may_not_forge_its_envelope(room, session):
    row = record(
        by=room.nurse,
        session=session,
        kind="observation.recorded",
        data={"moaas": 5, "t_s": -900, "kind": "discharged", "id": "e0", "by": "somebody else"},
    )
    assert row.kind == "observation.recorded"
    assert row.t_s >= 0
    assert row.by == room.nurse.display_name


def test_a_kept_tap_stands_at_the_second_it_was_tapped(room):
    session = room.running(ago_s=300)
    row = record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 5}, late_s=120)
    assert row.t_s == pytest.approx(180, abs=2)
    assert row.data["received_t_s"] == pytest.approx(300, abs=2)
    with pytest.raises(InputError, match="done 99999 s ago"):
        record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 5}, late_s=99999)


def test_a_pharmacist_may_not_record_and_the_refusal_is_in_the_trail(room, session):
    pharmacist = room.person("pia", "pharmacist")
    for act, arguments in (
        (record, {"kind": "observation.recorded", "data": {"moaas": 5}}),
        (halt, {"kind": "infusion.paused"}),
        (answer_alarm, {"kind": "audio.paused"}),
        (ask_discharge, {}),
        (end_session, {"reason": "a reason long enough"}),
    ):
        with pytest.raises(DeniedError):
            act(by=pharmacist, session=session, **arguments)
    assert AuditEntry.objects.filter(actor="pia", outcome="denied").count() == 5
    assert len(kinds(session)) == 3


def test_only_a_prescriber_sets_own_limits(room, session):
    limits = {"NIBP_SYS": {"low": 90, "high": 150}}
    with pytest.raises(DeniedError):
        change_limits(by=room.nurse, session=session, limits=limits, reason="known low pressure")
    change_limits(by=room.director, session=session, limits=limits, reason="known low pressure")
    assert state_of(session).limits["NIBP_SYS"].high == 150
    with pytest.raises(InputError, match="too little"):
        change_limits(by=room.director, session=session, limits=None, reason="no")


def test_every_act_leaves_one_audit_row_and_one_live_event(room, session):
    rows, live = AuditEntry.objects.count(), LiveEvent.objects.count()
    record(by=room.nurse, session=session, kind="symptom.reported", data={"text": "headache"})
    assert AuditEntry.objects.count() == rows + 1
    assert LiveEvent.objects.count() == live + 1
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.detail["event"]) == ("sessions.record", "symptom.reported")


def test_one_session_for_one_signed_plan(room, session):
    with pytest.raises(RefusedError, match="has had its session"):
        create_session(by=room.nurse, plan=session.plan, chair=room.chairs[1])


def test_a_plan_that_is_not_signed_or_not_of_today_starts_nothing(room):
    plan = room.signed_plan()
    with acting(by="test", action="test.plan", site=room.site):
        Plan.objects.filter(pk=plan.pk).update(status="superseded")
    with pytest.raises(RefusedError, match="superseded"):
        create_session(by=room.nurse, plan=plan, chair=room.chairs[0])
    with acting(by="test", action="test.plan", site=room.site):
        Plan.objects.filter(pk=plan.pk).update(status="signed", on="2020-01-01")
    with pytest.raises(RefusedError, match="facts of 2020-01-01"):
        create_session(by=room.nurse, plan=plan, chair=room.chairs[0])


@pytest.mark.parametrize(
    ("later", "why"),
    [
        ({"status": "superseded"}, "another plan has been signed since"),
        ({"on": "2020-01-01"}, "facts of 2020-01-01"),
    ],
)
def test_a_session_prepared_on_an_order_that_no_longer_stands_does_not_start(room, later, why):
    """The prescriber signs a lower dose while the chair is got ready, or the patient comes back the next day."""
    made = create_session(by=room.nurse, plan=room.signed_plan(), chair=room.chairs[0])
    with acting(by="test", action="test.plan", site=room.site):
        Plan.objects.filter(pk=made.plan_id).update(**later)
    with pytest.raises(RefusedError, match=why) as refused:
        start_session(by=room.nurse, session=made)
    assert "before it begins" in refused.value.hint
    made.refresh_from_db()
    assert (made.started_at, kinds(made)) == (None, [])
    end_session(by=room.nurse, session=made, reason="prepared on the plan before")


def test_two_open_sessions_in_one_chair_are_refused(room, session):
    second = create_session(by=room.nurse, plan=room.signed_plan(2), chair=session.chair)
    with pytest.raises(RefusedError, match="has an open session"):
        start_session(by=room.nurse, session=second)


def test_a_source_that_is_too_slow_starts_no_live_session(room):
    session = create_session(by=room.nurse, plan=room.signed_plan(), chair=room.chairs[0])
    slow, _ = bootstrap_device(by="test", site=room.site, name="replay", streams={"SPO2": {"period_s": 60.0}})
    with pytest.raises(RefusedError, match="every 60 s is too slow"):
        associate_device(by=room.nurse, session=session, device=slow)
    assert DeviceAssociation.objects.count() == 0


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        (None, {"SPO2", "HR"}),
        ({"NIBP_SYS": {"period_s": None}, "NIBP_DIA": {"period_s": None}}, {"SPO2", "HR", "NIBP_SYS", "NIBP_DIA"}),
        ({"SPO2": {"period_s": 2.0}, "PULSE": {"period_s": 2.0}}, {"SPO2", "PULSE"}),
    ],
)
def test_saturation_and_heart_are_expected_whatever_device_is_on(room, streams, expected):
    """A cuff alone is on the patient: that nobody sees the saturation is an alarm, not a blank."""
    session = create_session(by=room.nurse, plan=room.signed_plan(), chair=room.chairs[0])
    if streams is not None:
        device, _ = bootstrap_device(by="test", site=room.site, name="cuff", streams=streams)
        associate_device(by=room.nurse, session=session, device=device)
    start_session(by=room.nurse, session=session)
    session.refresh_from_db()
    assert set(session.header["streams"]) == expected
    assert session.header["streams"]["SPO2"] == (streams or {}).get("SPO2", {"period_s": 1.0})


def test_a_device_is_on_one_patient_at_a_time_and_says_when_it_leaves(room):
    session, device, _ = room.begun()
    other = create_session(by=room.nurse, plan=room.signed_plan(2), chair=room.chairs[1])
    with pytest.raises(RefusedError, match="is on Chair 1"):
        associate_device(by=room.nurse, session=other, device=device)
    release_device(by=room.nurse, session=session, device=device)
    assert kinds(session)[-1] == "device.lost"
    associate_device(by=room.nurse, session=other, device=device)
    with pytest.raises(RefusedError, match="not on this session"):
        release_device(by=room.nurse, session=session, device=device)


def test_an_acknowledgement_names_one_alarm(room, session):
    with pytest.raises(InputError, match="names no alarm"):
        answer_alarm(by=room.nurse, session=session, kind="alarm.acknowledged", data={})


def test_discharge_names_what_is_not_met_and_takes_a_reason(room, session):
    ask_discharge(by=room.nurse, session=session)
    with pytest.raises(RefusedError, match=r"not ready: .*DIS-1"):
        discharge(by=room.nurse, session=session)
    reason = "taken over by the ward with a full report"
    row = discharge(by=room.nurse, session=session, reason=reason, key="leave")
    assert discharge(by=room.nurse, session=session, reason=reason, key="leave").pk == row.pk
    session.refresh_from_db()
    assert session.status == "discharged"
    assert session.ended_at is not None
    assert kinds(session)[-2:] == ["discharged", "session.ended"]
    assert not DeviceAssociation.objects.filter(session=session, ended_at=None).exists()
    entry = AuditEntry.objects.filter(action="sessions.discharge").order_by("id").first()
    assert "DIS-1" in entry.detail["unmet"]


def test_nothing_is_discharged_while_the_pump_runs(room, session):
    record(by=room.nurse, session=session, kind="infusion.started", data={})
    with pytest.raises(RefusedError):
        discharge(by=room.nurse, session=session, reason="a reason long enough")


def test_a_correction_keeps_both_entries(room, session):
    row = record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 3, "confirmed": ["moaas"]})
    amend(
        by=room.nurse,
        session=session,
        entry=f"e{row.seq}",
        changes={"moaas": 5},
        reason="slip of the finger",
    )
    assert state_of(session).latest["moaas"].value == 5
    assert SessionEvent.objects.get(pk=row.pk).data["moaas"] == 3
    with pytest.raises(InputError, match="no entry 'e99'"):
        amend(by=room.nurse, session=session, entry="e99", changes=None, reason="slip of the finger")


def test_the_chair_page_has_everything_and_nothing_is_invented(room, session):
    live = session_live(session)
    assert live["phase"] == "started"
    assert live["signals"]["SPO2"]["value"] is None
    assert live["signals"]["SPO2"]["status"] == "lost"
    assert live["given_mg"] == 0
    assert live["dose_mg"] == 35.0
    assert live["monitor_age_s"] is None
    assert {item["rule"] for item in live["readiness"]["unmet"]} >= {"DIS-1", "DIS-2"}


def test_an_event_that_fails_leaves_no_gap_in_the_numbers(room, session):
    for _ in range(3):
        with pytest.raises(RefusedError):
            record(by=room.nurse, session=session, kind="infusion.resumed")
    record(by=room.nurse, session=session, kind="observation.recorded", data={"moaas": 5})
    with acting(by="test", action="test.append", site=room.site):
        append(session, "symptom.reported", by="test", data={"text": "nausea"})
    seqs = list(SessionEvent.objects.filter(session=session).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(len(seqs)))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"kind": "observation.recorded", "key": "a", "data": {"note": "a\\u0000b"}}', "body"),
        (b'{"kind": "no.such-kind", "key": "a"}', "kind"),
        (b'{"kind": "observation.recorded", "data": {"moaas": 5}}', "key"),
        (b'{"kind": "observation.recorded", "key": "a", "data": []}', "data"),
        (b'{"kind": "observation.recorded", "key": "a", "data": {"moaas": 5}, "late_s": "soon"}', "late_s"),
        (b'{"kind": "observation.recorded", "key": "a", "data": {"moaas": NaN}}', "moaas"),
        (b"x" * 70_000, "body"),
    ],
)
def test_a_deed_that_cannot_be_read_is_refused_in_words(client, room, session, body, where):
    client.force_login(room.nurse)
    answer = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert where in answer.json()["error"]["where"]
    assert len(kinds(session)) == 3


def test_a_deed_by_page_is_done_once_and_answers_with_its_entry(client, room, session):
    client.force_login(room.nurse)
    body = {"kind": "observation.recorded", "key": "tap", "data": {"moaas": 5, "dissociation": 1}}
    first = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
    again = client.post(f"/live/session/{session.pk}/act", body, content_type="application/json")
    assert (
        first.json()
        == again.json()
        == {"seq": 3, "id": "e3", "kind": "observation.recorded", "t_s": first.json()["t_s"]}
    )
    assert kinds(session).count("observation.recorded") == 1


def test_another_site_sees_and_does_nothing(client, room, session):
    client.force_login(furnish("hill").nurse)
    for path in ("state", "events"):
        assert client.get(f"/live/session/{session.pk}/{path}").status_code == 404
    assert client.get(f"/session/{session.pk}/").status_code == 404
    body = {"kind": "infusion.started", "key": "x", "data": {}}
    assert client.post(f"/live/session/{session.pk}/act", body, content_type="application/json").status_code == 404
    assert len(kinds(session)) == 3


def test_a_chair_is_not_given_a_dose_it_cannot_run(room) -> None:
    plan = room.signed_plan()
    step = plan.result["dose"]["steps"][0]
    twice = {**plan.result, "dose": {**plan.result["dose"], "steps": [step, {**step, "at_min": 60}]}}
    with acting(by="test", action="test.plan", site=room.site):
        Plan.objects.filter(pk=plan.pk).update(result=twice)
    plan.refresh_from_db()
    with pytest.raises(RefusedError, match="in 2 infusions"):
        create_session(by=room.nurse, plan=plan, chair=room.chairs[0])
    assert not Session.objects.filter(plan=plan).exists()
