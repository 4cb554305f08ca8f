"""The ledger in the clinic: who may move a milligram, from which vial, seen by whom; and what the database keeps."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.orders import happened, planned
from clinic.people import PASSWORD, Clinic
from limen.clinic.accounts.models import User
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.models import Plan
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import halt, record, start_session
from limen.clinic.sessions.models import Session
from limen.clinic.stock import actions, queries
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.errors import InputError, LimenError, RefusedError

LABEL: dict[str, Any] = {
    "product": "racemic",
    "strength_mg_per_mL": "50",
    "volume_mL": "10",
    "lot": "6K114",
    "expiry": date(2099, 3, 31),
}


@pytest.fixture
def session(clinic: Clinic, patient: Patient) -> Session:
    return planned(clinic, patient)


@pytest.fixture
def vial(clinic: Clinic) -> Vial:
    return actions.receive(by=clinic.pharmacist, site=clinic.site, label="HK2-0931", key="r1", **LABEL).vial


@pytest.fixture
def drawn(clinic: Clinic, session: Session, vial: Vial) -> Session:
    actions.draw(by=clinic.nurse, session=session, vial=vial, amount_mg="50.0", witness=clinic.second_nurse, key="d1")
    return session


def state(clinic: Clinic) -> dict[str, str]:
    return queries.site_balance(clinic.site)["vials"][0]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_a_vial_closes_to_zero(clinic: Clinic, drawn: Session, vial: Vial) -> None:
    actions.record_given(by=clinic.nurse, session=drawn, amount_mg=35.0)
    actions.waste(
        by=clinic.nurse,
        session=drawn,
        vial=vial,
        amount_mg="14.5",
        witness=clinic.pharmacist,
        reason="end of session",
        key="w1",
    )
    actions.give_back(by=clinic.nurse, session=drawn, vial=vial, amount_mg="0.5", key="b1")
    account = queries.session_account(drawn)
    assert account.closes
    assert account.open_mg == 0
    assert state(clinic) | {"drawn_mg": "50.0", "given_mg": "35.0", "wasted_mg": "14.5", "returned_mg": "0.5"} == state(
        clinic
    )
    assert (state(clinic)["on_hand_mg"], state(clinic)["in_syringe_mg"]) == ("450.5", "0.0")
    assert queries.site_verify(clinic.site)["ok"]
    assert queries.unexplained_mg(clinic.site) == 0


def test_a_dose_over_several_vials_is_given_from_each(clinic: Clinic, session: Session, vial: Vial) -> None:
    second = actions.receive(by=clinic.pharmacist, site=clinic.site, label="HK2-0932", key="r2", **LABEL).vial
    for number, held in enumerate((vial, second)):
        actions.draw(
            by=clinic.nurse,
            session=session,
            vial=held,
            amount_mg="20.0",
            witness=clinic.second_nurse,
            key=f"d{number}",
        )
    actions.record_given(by=clinic.nurse, session=session, amount_mg=35.0)
    given = [row["given_mg"] for row in queries.site_balance(clinic.site)["vials"]]
    assert given == ["20.0", "15.0"]


def test_given_is_written_once_however_often_it_is_said(clinic: Clinic, drawn: Session) -> None:
    for total in (10.0, 10.0, 35.0, 35.0):
        actions.record_given(by=clinic.nurse, session=drawn, amount_mg=total)
    assert state(clinic)["given_mg"] == "35.0"
    assert LedgerEntry.objects.filter(kind="give").count() == 2


def test_a_pump_that_gave_more_than_was_drawn_stands_in_the_account(clinic: Clinic, drawn: Session, vial: Vial) -> None:
    happened(drawn, "infusion.started", 0, dose_mg=60.0, duration_min=40, concentration_mg_per_mL=1.0)
    happened(drawn, "infusion.stopped", 2400, pump_volume_mL=60.0)
    actions.record_given(by=clinic.nurse, session=drawn, amount_mg=60.0)
    account = queries.session_account(drawn)
    assert account.given_mg == Decimal("50.0")
    assert [item.what for item in account.unexplained] == ["pumped against given"]
    assert not account.closes


def test_an_infusion_stopped_early_explains_the_order(clinic: Clinic, drawn: Session, vial: Vial) -> None:
    happened(drawn, "infusion.started", 0, dose_mg=35.0, duration_min=40, concentration_mg_per_mL=1.0)
    happened(drawn, "infusion.stopped", 1320, reason="nausea", pump_volume_mL=19.25)
    actions.record_given(by=clinic.nurse, session=drawn, amount_mg=19.25)
    actions.waste(
        by=clinic.nurse,
        session=drawn,
        vial=vial,
        amount_mg="30.75",
        witness=clinic.second_nurse,
        reason="stopped early",
        key="w",
    )
    account = queries.session_account(drawn)
    assert account.differences[0].difference_mg == Decimal("-15.75")
    assert account.differences[0].explained_by == ("infusion stopped at 22 min: nausea",)
    assert account.closes


def test_the_book_follows_the_pump(clinic: Clinic, drawn: Session) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        start_session(by=clinic.nurse, session=drawn)
        record(by=clinic.nurse, session=drawn, kind="infusion.started", data={"dose_mg": 35.0, "duration_min": 40})
        clock.shift(22 * 60)
        record(by=clinic.nurse, session=drawn, kind="observation.recorded", data={"moaas": 5})
        assert state(clinic)["given_mg"] == "0.0"
        halt(by=clinic.nurse, session=drawn, kind="infusion.stopped", data={"reason": "nausea"})
        assert state(clinic)["given_mg"] == "19.25"  # 22 of 40 min of 35 mg
        assert AuditEntry.objects.get(action="stock.follow_pump").actor == clinic.nurse.username
        clock.shift(60)
        record(by=clinic.nurse, session=drawn, kind="observation.recorded", data={"moaas": 5})
        assert LedgerEntry.objects.filter(kind="give").count() == 1
        assert queries.session_account(drawn).given_mg == Decimal("19.25")


def test_the_book_follows_a_pump_that_ran_empty(clinic: Clinic, drawn: Session) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        start_session(by=clinic.nurse, session=drawn)
        record(by=clinic.nurse, session=drawn, kind="infusion.started", data={"dose_mg": 35.0, "duration_min": 40})
        clock.shift(41 * 60)
        record(by=clinic.nurse, session=drawn, kind="observation.recorded", data={"moaas": 5})
        assert state(clinic)["given_mg"] == "35.0"


def test_a_session_whose_drug_is_not_in_the_book_says_so(clinic: Clinic, session: Session) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        start_session(by=clinic.nurse, session=session)
        record(by=clinic.nurse, session=session, kind="infusion.started", data={"dose_mg": 35.0, "duration_min": 40})
        clock.shift(41 * 60)
        record(by=clinic.nurse, session=session, kind="observation.recorded", data={"moaas": 5})
        session.refresh_from_db()
        told = queries.session_account(session)
        assert "given by the session's record against the book" in [item.what for item in told.unexplained]
        assert not told.closes


# --- the right vial --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength_mg_per_mL": "10", "volume_mL": "20"}, "this vial is racemic 10 mg/mL"),
        ({"strength_mg_per_mL": "100", "volume_mL": "5"}, "this vial is racemic 100 mg/mL"),
    ],
)
def test_a_vial_of_another_strength_is_refused(
    clinic: Clinic, session: Session, change: dict[str, str], words: str
) -> None:
    other = actions.receive(by=clinic.pharmacist, site=clinic.site, label="X", key="r", **LABEL | change).vial
    with pytest.raises(RefusedError) as problem:
        actions.draw(
            by=clinic.nurse, session=session, vial=other, amount_mg="35.0", witness=clinic.second_nurse, key="d"
        )
    assert words in str(problem.value)
    assert "racemic 50 mg/mL, as ordered" in str(problem.value)
    assert LedgerEntry.objects.filter(kind="draw").count() == 0


def test_a_vial_out_of_date_is_refused(clinic: Clinic, session: Session, vial: Vial) -> None:
    with acting(by="tests", action="tests", site=clinic.site):
        Vial.objects.filter(pk=vial.pk).update(expiry=timezone.now().date() - timedelta(days=2))
    vial.refresh_from_db()
    with pytest.raises(RefusedError, match="out of date"):
        actions.draw(by=clinic.nurse, session=session, vial=vial, amount_mg="5.0", witness=clinic.pharmacist, key="d")


def test_a_vial_that_only_the_book_knows_is_not_for_a_patient(clinic: Clinic, session: Session) -> None:
    known = actions.receive(by=clinic.pharmacist, site=clinic.site, label="B1", amount_mg="200.0", key="r").vial
    assert state(clinic)["on_hand_mg"] == "200.0"
    with pytest.raises(RefusedError, match="label of vial B1 is not on file"):
        actions.draw(by=clinic.nurse, session=session, vial=known, amount_mg="5.0", witness=clinic.pharmacist, key="d")


def test_an_unsigned_plan_draws_nothing(clinic: Clinic, session: Session, vial: Vial) -> None:
    with acting(by="tests", action="tests", site=clinic.site):
        Plan.objects.filter(pk=session.plan_id).update(status="draft", signed_by=None, signed_at=None)
    session.plan.refresh_from_db()
    with pytest.raises(RefusedError, match="not signed"):
        actions.draw(by=clinic.nurse, session=session, vial=vial, amount_mg="5.0", witness=clinic.pharmacist, key="d")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength_mg_per_mL": "500"}, "no ketamine (racemic) for injection vial holds 500 mg/mL"),
        ({"strength_mg_per_mL": "fifty"}, "cannot read 'fifty'"),
        ({"strength_mg_per_mL": "-50"}, "cannot read '-50'"),
        ({"volume_mL": "0"}, "0 mg moves nothing"),
        ({"volume_mL": "1000"}, "1000 mL in one vial"),
        ({"expiry": date(2020, 1, 1)}, "out of date since 2020-01-01"),
        ({"expiry": None}, "no expiry date"),
        ({"lot": " "}, "no lot"),
        ({"product": "ketamine"}, "unknown product 'ketamine'"),
        ({"amount_mg": "35.0"}, "not what the label says"),
    ],
)
def test_a_label_that_cannot_be(clinic: Clinic, change: dict[str, Any], words: str) -> None:
    with pytest.raises(LimenError) as problem:
        actions.receive(by=clinic.pharmacist, site=clinic.site, label="X", key="r", **LABEL | change)
    assert words in str(problem.value)
    assert not Vial.objects.exists()


def test_a_label_is_received_once(clinic: Clinic, vial: Vial) -> None:
    with pytest.raises(InputError, match="on file already"):
        actions.receive(by=clinic.pharmacist, site=clinic.site, label="HK2-0931", key="another", **LABEL)
    again = actions.receive(by=clinic.pharmacist, site=clinic.site, label="HK2-0931", key="r1", **LABEL)
    assert again.position == 1
    assert state(clinic)["received_mg"] == "500.0"


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["nurse", "prescriber", "director", "stranger"])
def test_only_the_pharmacist_receives(clinic: Clinic, who: str) -> None:
    with pytest.raises(DeniedError):
        actions.receive(by=getattr(clinic, who), site=clinic.site, label="X", key="r", **LABEL)
    assert AuditEntry.objects.filter(outcome="denied", action="stock.receive").exists()
    assert not Vial.objects.exists()


@pytest.mark.parametrize("who", ["prescriber", "pharmacist", "director", "stranger"])
def test_only_a_nurse_draws(clinic: Clinic, session: Session, vial: Vial, who: str) -> None:
    with pytest.raises(DeniedError):
        actions.draw(
            by=getattr(clinic, who), session=session, vial=vial, amount_mg="5.0", witness=clinic.second_nurse, key="d"
        )


def test_the_second_person_must_be_another_and_of_this_site(clinic: Clinic, session: Session, vial: Vial) -> None:
    for witness, words in (
        (clinic.nurse, "cannot witness their own act"),
        (clinic.stranger, "may not witness at this site"),
        (None, "needs a second person"),
    ):
        with pytest.raises(LimenError, match=words):
            actions.draw(by=clinic.nurse, session=session, vial=vial, amount_mg="5.0", witness=witness, key="d")
    assert LedgerEntry.objects.count() == 1


def test_each_act_leaves_an_audit_row_with_its_place_in_the_book(clinic: Clinic, drawn: Session) -> None:
    row = AuditEntry.objects.get(action="stock.draw")
    assert row.actor == clinic.nurse.username
    assert (row.detail["kind"], row.detail["amount_mg"], row.detail["position"]) == ("draw", "50.0", 2)


# --- the chain in the database ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", ["UPDATE stock_ledgerentry SET amount_mg = 1", "DELETE FROM stock_ledgerentry"])
def test_the_database_refuses_to_change_the_book(clinic: Clinic, drawn: Session, sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert queries.site_verify(clinic.site)["ok"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("amount_mg", "1.000"), ("by", "'mallory'"), ("witness", "'mallory'"), ("reason", "'x'"), ("key", "'x'")],
)
def test_a_change_behind_the_triggers_shows(clinic: Clinic, drawn: Session, column: str, value: str) -> None:
    from limen.clinic.audit.triggers import drop_statements

    with connection.cursor() as cursor:
        for statement in drop_statements("stock_ledgerentry", connection.vendor):
            cursor.execute(statement)
        cursor.execute(f'UPDATE stock_ledgerentry SET "{column}" = {value} WHERE position = 2')  # noqa: S608
    assert queries.site_verify(clinic.site)["first_bad"] == 2
    assert queries.last_seals(clinic.site)["first_bad"] == 2


def test_each_site_has_its_own_book(clinic: Clinic, vial: Vial) -> None:
    assert queries.site_verify(clinic.other_site)["entries"] == 0
    assert queries.site_balance(clinic.other_site) == {"vials": []}


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_pages_open_for_those_who_may_read(clinic: Clinic, drawn: Session, vial: Vial) -> None:
    addresses = [
        reverse("stock:ledger"),
        reverse("stock:book"),
        reverse("stock:check"),
        reverse("stock:vial", args=[vial.pk]),
        reverse("stock:session", args=[drawn.pk]),
    ]
    for user in (clinic.nurse, clinic.pharmacist, clinic.prescriber, clinic.director):
        for address in addresses:
            assert signed_in(user).get(address).status_code == 200, (user, address)
    for address in addresses[3:]:
        assert signed_in(clinic.stranger).get(address).status_code == 404


def test_receive_by_form(clinic: Clinic) -> None:
    client = signed_in(clinic.pharmacist)
    page = client.get(reverse("stock:receive"))
    form = LABEL | {"label": "HK9-1", "expiry": "2099-03-31", "key": page.context["form"]["key"].value()}
    assert client.post(reverse("stock:receive"), form | {"strength_mg_per_mL": "500"}).status_code == 400
    response = client.post(reverse("stock:receive"), form)
    assert response.status_code == 302
    assert state(clinic)["on_hand_mg"] == "500.0"
    assert client.post(reverse("stock:receive"), form).status_code == 302
    assert state(clinic)["on_hand_mg"] == "500.0"
    assert signed_in(clinic.nurse).get(reverse("stock:receive")).status_code == 403


def draw_form(**change: str) -> dict[str, str]:
    form = {
        "vial": "HK2-0931",
        "amount_mg": "35.0",
        "reason": "",
        "witness": "noel-nurse",
        "witness_password": PASSWORD,
        "key": "form-1",
    }
    return {f"draw-{name}": value for name, value in (form | change).items()}


def test_draw_up_by_form_with_the_second_persons_own_password(clinic: Clinic, session: Session, vial: Vial) -> None:
    client = signed_in(clinic.nurse)
    address = reverse("stock:session_act", args=[session.pk, "draw"])
    for change, words in (
        ({"witness_password": "wrong"}, "do not fit"),
        ({"witness": "nina-nurse"}, "cannot witness their own act"),
        ({"witness": "sam-stranger"}, "may not witness at this site"),
        ({"vial": "HK2-0000"}, "unknown vial"),
        ({"amount_mg": "35,0"}, "cannot read"),
        ({"amount_mg": "500.001"}, "holds 500.0 mg"),
    ):
        page = client.post(address, draw_form(**change))
        assert page.status_code in (400, 409), change
        assert words in page.content.decode(), change
    assert LedgerEntry.objects.count() == 1
    assert client.post(address, draw_form()).status_code == 302
    assert client.post(address, draw_form()).status_code == 302
    assert state(clinic)["in_syringe_mg"] == "35.0"
    row = LedgerEntry.objects.get(kind="draw")
    assert (row.by, row.witness) == ("nina-nurse", "noel-nurse")


def test_waste_by_form_closes_the_session(clinic: Clinic, drawn: Session, vial: Vial) -> None:
    actions.record_given(by=clinic.nurse, session=drawn, amount_mg=35.0)
    client = signed_in(clinic.nurse)
    prefix = f"waste-{vial.pk}"
    form = {
        "which": str(vial.pk),
        f"{prefix}-vial": vial.label,
        f"{prefix}-amount_mg": "15.0",
        f"{prefix}-reason": "left in the syringe",
        f"{prefix}-witness": "piet-pharmacist",
        f"{prefix}-witness_password": PASSWORD,
        f"{prefix}-key": "waste-1",
    }
    address = reverse("stock:session_act", args=[drawn.pk, "waste"])
    assert client.post(address, form | {f"{prefix}-reason": ""}).status_code == 400
    assert client.post(address, form).status_code == 302
    page = client.get(reverse("stock:session", args=[drawn.pk])).content.decode()
    assert "Closes: drawn = given + wasted + returned" in page
    assert "0.0 mg open" in page


def test_count_and_correct_by_form(clinic: Clinic, vial: Vial) -> None:
    client = signed_in(clinic.pharmacist)
    count = {"amount_mg": "490.0", "reason": "", "key": "c1", "alone": "yes"}
    assert client.post(reverse("stock:count", args=[vial.pk]), count).status_code == 302
    assert state(clinic)["unexplained_mg"] == "10.0"
    assert b"10.0<small> mg unexplained" in client.get(reverse("stock:ledger")).content
    lose = {"lose-amount_mg": "10.0", "lose-reason": "broken", "lose-key": "l1"}
    assert client.post(reverse("stock:vial_act", args=[vial.pk, "lose"]), lose).status_code == 302
    assert state(clinic)["unexplained_mg"] == "0.0"
    assert client.post(reverse("stock:vial_act", args=[vial.pk, "pour"]), lose).status_code == 404
    nurse = signed_in(clinic.nurse)
    assert nurse.post(reverse("stock:vial_act", args=[vial.pk, "lose"]), lose).status_code == 403


def test_a_day_that_cannot_be_read(clinic: Clinic) -> None:
    assert signed_in(clinic.nurse).get(reverse("stock:ledger") + "?day=yesterday").status_code == 400
    assert signed_in(clinic.nurse).get(reverse("stock:ledger") + "?day=2026-01-01").status_code == 200


def test_after_the_draw_the_next_step_stands_first(clinic: Clinic, session: Session, vial: Vial) -> None:
    client = signed_in(clinic.nurse)
    address = reverse("stock:session", args=[session.pk])
    main = re.compile(r'press--main"[^>]*>([^<]+)<')
    assert main.findall(client.get(address).content.decode()) == ["Draw up, both of us saw it"]
    actions.draw(
        by=clinic.nurse, session=session, vial=vial, amount_mg="37", witness=clinic.second_nurse, key="next-step"
    )
    assert main.findall(client.get(address).content.decode()) == ["Drawn up: put the monitor on"]


def counting(clinic: Clinic, vial: Vial) -> tuple[Client, str]:
    return signed_in(clinic.pharmacist), reverse("stock:count", args=[vial.pk])


def second_count(clinic: Clinic, amount_mg: str) -> dict[str, str]:
    return {"amount_mg": amount_mg, "witness": clinic.nurse.username, "witness_password": PASSWORD}


def test_two_people_count_blind_and_agree(clinic: Clinic, vial: Vial) -> None:
    client, address = counting(clinic, vial)
    assert not re.search(r"(?<![\w-])500(?![\w-])", client.get(address).content.decode())  # nor in part of an address
    page = client.post(address, {"amount_mg": "499.5", "key": "blind-1"}, follow=True).content.decode()
    assert "hidden" in page
    assert "499.5" not in page
    assert not LedgerEntry.objects.filter(kind="count").exists()
    client.post(address, second_count(clinic, "499.50"))
    made = LedgerEntry.objects.get(kind="count")
    assert (made.amount_mg, made.by, made.witness) == (
        Decimal("499.5"),
        clinic.pharmacist.username,
        clinic.nurse.username,
    )


def test_two_counts_that_differ_write_nothing_and_leave_a_trace(clinic: Clinic, vial: Vial) -> None:
    client, address = counting(clinic, vial)
    client.post(address, {"amount_mg": "499.5", "key": "blind-2"})
    page = client.post(address, second_count(clinic, "500"), follow=True).content.decode()
    assert "counts differ" in page
    assert "499.5" not in page
    assert not LedgerEntry.objects.filter(kind="count").exists()
    assert "499.5" in str(AuditEntry.objects.filter(action__contains="counts_differ").get().detail)


def test_nobody_is_his_own_second_person(clinic: Clinic, vial: Vial) -> None:
    client, address = counting(clinic, vial)
    client.post(address, {"amount_mg": "499.5", "key": "blind-3"})
    again = {"amount_mg": "499.5", "witness": clinic.pharmacist.username, "witness_password": PASSWORD}
    assert client.post(address, again).status_code == 400
    assert not LedgerEntry.objects.filter(kind="count").exists()


def test_nothing_is_drawn_up_for_an_order_that_was_replaced(clinic: Clinic, session: Session, vial: Vial) -> None:
    with acting(by="tests", action="tests.supersede", site=clinic.site):
        type(session.plan).objects.filter(pk=session.plan_id).update(status="superseded")
    with pytest.raises(RefusedError, match="another plan has been signed since"):
        actions.draw(
            by=clinic.nurse,
            session=session,
            vial=vial,
            amount_mg="35.0",
            witness=clinic.second_nurse,
            key="replaced",
        )
    assert not LedgerEntry.objects.filter(kind="draw").exists()
