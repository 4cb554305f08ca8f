"""Standing orders at a site: who may sign, what a signature holds for, and what it comes to for a person in a chair."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.accounts.models import User
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.actions import record_allergies, record_facts
from limen.clinic.patients.models import Fact, Patient
from limen.clinic.sessions.actions import record, start_session
from limen.clinic.sites import rescue
from limen.clinic.sites.actions import declare_rescue_stock, sign_standing_order, withdraw_standing_order
from limen.clinic.sites.commands import listing, sign
from limen.clinic.sites.models import OrderSignature
from limen.errors import InputError, RefusedError
from limen.knowledge import standing_orders as knowledge
from limen.knowledge.standing_orders import get_order

VIAL = {"drug": "midazolam", "routes": ["iv", "im"], "concentration_mg_per_mL": 5.0}
SEIZURE = "midazolam-seizure-im"


def signed(clinic: Clinic, name: str = SEIZURE, **terms: float | int) -> OrderSignature:
    ends = timezone.now().date() + timedelta(days=300)
    order = get_order(name)
    made: OrderSignature = sign_standing_order(
        by=clinic.director, site=clinic.site, order=name, digest=order.digest, expires_on=ends, **terms
    )
    return made


def state(clinic: Clinic, name: str = SEIZURE) -> str:
    return next(entry.state for entry in rescue.standing_at(clinic.site) if entry.order.id == name)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_a_medical_director_signs_and_the_trail_says_so(clinic: Clinic) -> None:
    order = get_order(SEIZURE)
    for person in (clinic.prescriber, clinic.nurse, clinic.pharmacist):
        with pytest.raises(DeniedError):
            sign_standing_order(
                by=person, site=clinic.site, order=SEIZURE, digest=order.digest, expires_on=timezone.now().date()
            )
    assert state(clinic) == "unsigned"
    signed(clinic)
    assert state(clinic) == "signed"
    entry = AuditEntry.objects.filter(action="sites.sign_standing_order", outcome="done").get()
    assert (entry.actor, entry.detail["order"]) == (clinic.director.username, SEIZURE)


def test_what_was_signed_is_kept_and_cannot_be_changed(clinic: Clinic) -> None:
    row = signed(clinic)
    assert row.content["doses"][0]["low_mg"] == 10
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE sites_ordersignature SET digest = 'x'")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_ordersignature")


def test_an_order_that_changes_after_the_signature_is_shown_as_changed(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(clinic)
    order = get_order(SEIZURE)
    changed = order.model_copy(update={"over_min": 1.0})
    monkeypatch.setattr(rescue, "standing_orders", lambda: {**knowledge.standing_orders(), SEIZURE: changed})
    assert state(clinic) == "changed"


def test_a_version_nobody_read_is_not_signed(clinic: Clinic) -> None:
    with pytest.raises(RefusedError, match="changed since it was read"):
        sign_standing_order(
            by=clinic.director,
            site=clinic.site,
            order=SEIZURE,
            digest="0" * 64,
            expires_on=timezone.now().date() + timedelta(days=1),
        )
    assert not OrderSignature.objects.exists()


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (366, True), (367, False)])
def test_a_signature_ends_within_a_year(clinic: Clinic, days: int, fits: bool) -> None:
    from limen.clinic.sites.zones import today

    order = get_order(SEIZURE)
    ends = today(clinic.site) + timedelta(days=days)
    if fits:
        sign_standing_order(by=clinic.director, site=clinic.site, order=SEIZURE, digest=order.digest, expires_on=ends)
    else:
        with pytest.raises(InputError, match="ends on"):
            sign_standing_order(
                by=clinic.director, site=clinic.site, order=SEIZURE, digest=order.digest, expires_on=ends
            )


def test_it_expires_by_itself(clinic: Clinic) -> None:
    signed(clinic)
    with time_machine.travel(timezone.now() + timedelta(days=302)):
        assert state(clinic) == "expired"


def test_withdrawn_and_signed_again_on_one_day(clinic: Clinic) -> None:
    with pytest.raises(RefusedError, match="nobody has signed"):
        withdraw_standing_order(by=clinic.director, site=clinic.site, order=SEIZURE, reason="stock recalled")
    signed(clinic)
    withdraw_standing_order(by=clinic.director, site=clinic.site, order=SEIZURE, reason="stock recalled")
    assert state(clinic) == "withdrawn"
    signed(clinic)
    assert state(clinic) == "signed"


def test_a_signature_is_of_one_site(clinic: Clinic) -> None:
    signed(clinic)
    assert all(entry.state != "signed" for entry in rescue.standing_at(clinic.other_site))


def test_a_gap_in_the_sources_is_named_by_the_director(clinic: Clinic) -> None:
    with pytest.raises(InputError, match="no number of doses"):
        signed(clinic, "adrenaline-anaphylaxis")
    signed(clinic, "adrenaline-anaphylaxis", max_doses=3)
    held = next(item for item in rescue.standing_at(clinic.site) if item.order.id == "adrenaline-anaphylaxis")
    assert (held.interval_min, held.max_doses) == (5, 3)


def test_the_dose_of_the_person_in_the_chair(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    signed(clinic)
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[VIAL])
    start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    (offer,) = rescue.offers_now(session, only=[SEIZURE])
    assert (offer.status, offer.dose_mg, offer.volume_mL) == ("usable", 10, 2)
    given = {
        "order": SEIZURE,
        "drug": "midazolam",
        "dose_mg": 10,
        "volume_mL": 2,
        "concentration_mg_per_mL": 5,
        "route": "im",
        "read_back_by": "Noel Nurse",
    }
    record(by=clinic.nurse, session=session, kind="rescue.given", data=given)
    (again,) = rescue.offers_now(session, only=[SEIZURE])
    assert (again.status, again.doses_given) == ("maximum", 1)


def test_an_allergy_on_the_chart_refuses(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    signed(clinic)
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[VIAL])
    with acting(by="tests", action="tests.allergy", site=clinic.site):
        Fact.objects.create(patient=patient, kind="allergy", value="Midazolam (hives)", source="entered")
    start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    (offer,) = rescue.offers_now(session, only=[SEIZURE])
    assert offer.status == "refused"
    assert "Midazolam (hives)" in offer.against[0].text


def test_what_nobody_asked_is_answered_at_the_chair(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    signed(clinic, "ondansetron-nausea", max_doses=2)
    held = {"drug": "ondansetron", "routes": ["iv"], "concentration_mg_per_mL": 2.0}
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[held])
    start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    (offer,) = rescue.offers_now(session, only=["ondansetron-nausea"])
    assert offer.status == "ask"
    assert "allergies?" in offer.ask
    (offer,) = rescue.offers_now(session, only=["ondansetron-nausea"], denied=offer.ask)
    assert (offer.status, offer.volume_mL) == ("usable", 2)


def test_an_answer_on_the_chart_is_not_asked_again_at_the_chair(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    signed(clinic, "ondansetron-nausea", max_doses=2)
    held = {"drug": "ondansetron", "routes": ["iv"], "concentration_mg_per_mL": 2.0}
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[held])
    with acting(by="tests", action="tests.allergy", site=clinic.site):
        Fact.objects.create(patient=patient, kind="allergy", value="Penicillin", source="referral")
    start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    (offer,) = rescue.offers_now(session, only=["ondansetron-nausea"])
    assert "allergies?" in offer.ask  # a referral that names one has not asked for the others
    record_allergies(by=clinic.nurse, patient=patient, names=["Penicillin"])
    (offer,) = rescue.offers_now(session, only=["ondansetron-nausea"])
    assert "allergies?" not in offer.ask


def test_stock_out_of_date_is_not_offered(clinic: Clinic) -> None:
    yesterday = timezone.now().date() - timedelta(days=2)
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[{**VIAL, "expires_on": yesterday}])
    assert rescue.stock_at(clinic.site) == ()
    assert [line.expired for line in rescue.stock_lines(clinic.site)] == [True]


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ({**VIAL, "drug": "ketamine"}, "drug"),
        ({**VIAL, "routes": []}, "routes"),
        ({**VIAL, "routes": ["rectal"]}, "routes"),
        ({**VIAL, "unit_mg": 5.0}, "stock"),
        ({**VIAL, "concentration_mg_per_mL": 0.0}, "stock"),
    ],
)
def test_stock_that_cannot_be_is_refused(clinic: Clinic, item: dict[str, object], where: str) -> None:
    with pytest.raises(InputError) as problem:
        declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[item])
    assert where in problem.value.where


def test_the_page_reads_for_all_and_signs_for_the_director(clinic: Clinic) -> None:
    address = reverse("sites:orders")
    nurse = client_of(clinic.nurse).get(address).content.decode()
    assert "Not signed" in nurse
    assert "Sign this order" not in nurse
    assert "The sources conflict" in nurse
    director = client_of(clinic.director)
    order = get_order(SEIZURE)
    ends = (timezone.now().date() + timedelta(days=30)).isoformat()
    form = {f"{SEIZURE}-order": SEIZURE, f"{SEIZURE}-digest": order.digest, f"{SEIZURE}-expires_on": ends}
    refused = director.post(reverse("sites:sign", args=[SEIZURE]), {**form, f"{SEIZURE}-digest": "0" * 64})
    assert refused.status_code == 409
    assert director.post(reverse("sites:sign", args=[SEIZURE]), form).status_code == 302
    assert state(clinic) == "signed"
    assert client_of(clinic.nurse).post(reverse("sites:sign", args=[SEIZURE]), form).status_code == 403
    taken = director.post(reverse("sites:withdraw", args=[SEIZURE]), {f"withdraw-{SEIZURE}-reason": "new vials"})
    assert taken.status_code == 302
    assert state(clinic) == "withdrawn"


def test_the_page_keeps_the_rescue_stock(clinic: Clinic) -> None:
    pharmacist = client_of(clinic.pharmacist)
    form = {"drug": "midazolam", "routes": ["im"], "concentration_mg_per_mL": "5"}
    assert pharmacist.post(reverse("sites:stock"), {**form, "unit_mg": "5"}).status_code == 400
    assert pharmacist.post(reverse("sites:stock"), form).status_code == 302
    clinic.site.refresh_from_db()
    assert [item.words for item in rescue.stock_at(clinic.site)] == ["midazolam 5 mg/mL"]
    assert client_of(clinic.nurse).post(reverse("sites:remove_stock", args=[0])).status_code == 403
    assert pharmacist.post(reverse("sites:remove_stock", args=[0])).status_code == 302
    clinic.site.refresh_from_db()
    assert rescue.stock_at(clinic.site) == ()


def test_the_emergency_sheet_says_mL_or_no_stock(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    signed(clinic)
    declare_rescue_stock(by=clinic.pharmacist, site=clinic.site, items=[VIAL])
    page = client_of(clinic.nurse).get(reverse("sites:emergency_sheet", args=[session.pk])).content.decode()
    assert "May be given." in page
    assert "No adrenaline to give into a muscle" in page
    assert client_of(clinic.stranger).get(reverse("sites:emergency_sheet", args=[session.pk])).status_code == 404


def test_the_command_signs_all_or_none_with_the_directors_rights(clinic: Clinic) -> None:
    names = [SEIZURE, "adrenaline-anaphylaxis"]
    ends = (timezone.now().date() + timedelta(days=30)).isoformat()
    with pytest.raises(InputError, match="no number of doses"):
        sign(clinic.site, names, by="dora-director", until=ends, interval=(), doses=())
    assert not OrderSignature.objects.exists()
    with pytest.raises(DeniedError):
        sign(clinic.site, [SEIZURE], by="nina-nurse", until=ends, interval=(), doses=())
    for wrong in ("adrenaline-anaphylaxis", "adrenaline-anaphylaxis=two", "adrenaline-anaphylaxis=2.5", "other=2"):
        with pytest.raises(InputError):
            sign(clinic.site, names, by="dora-director", until=ends, interval=(), doses=[wrong])
    with pytest.raises(InputError, match="--until"):
        sign(clinic.site, names, by="dora-director", until="soon", interval=(), doses=())
    said = sign(clinic.site, names, by="dora-director", until=ends, interval=(), doses=["adrenaline-anaphylaxis=3"])
    assert len(said) == 2
    states = {row["order"]: row["state"] for row in listing(clinic.site)}
    assert {name: states[name] for name in names} == dict.fromkeys(names, "signed")


def test_a_weight_on_the_chart_is_not_needed_twice(clinic: Clinic, patient: Patient) -> None:
    session = planned(clinic, patient)
    record_facts(by=clinic.nurse, patient=patient, values={"vitals.hr_per_min": 72})
    assert rescue.person_of(session).weight_kg == session.header["patient"]["weight_kg"]
