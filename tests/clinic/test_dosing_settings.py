"""A site's dosing settings: proposed with their effect, signed by the director, kept by version, used at once."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from clinic.people import Clinic
from clinic.well import answer_everything
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.actions import open_course, sign_plan, write_plan
from limen.clinic.patients.models import Patient
from limen.clinic.sites.actions import drop_dosing, sign_dosing
from limen.clinic.sites.dosing import dosing_of, history, in_force, waiting
from limen.clinic.sites.models import DosingVersion
from limen.clinic.sites.proposing import bootstrap_dosing, propose_dosing
from limen.errors import InputError, RefusedError

CAP = {"name": "thirty here", "kind": "cap", "measure": "dose", "limit": 30.0, "unit": "mg", "why": "One nurse"}
WHY = "One nurse on the floor"


def proposed(clinic: Clinic, *limits: dict[str, Any], **equipment: float) -> DosingVersion:
    dosing = {"limits": list(limits), "equipment": equipment}
    return propose_dosing(by=clinic.director, site=clinic.site, dosing=dosing, why=WHY)


def signed(clinic: Clinic, *limits: dict[str, Any], **equipment: float) -> DosingVersion:
    row = proposed(clinic, *limits, **equipment)
    return sign_dosing(by=clinic.director, site=clinic.site, number=row.number, digest=row.digest)


def words(answer: Any) -> str:
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"[\s\u00a0]+", " ", html.unescape(text))


@pytest.fixture
def director(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.director)
    return client


def test_a_proposal_changes_nothing_and_its_signature_at_once(clinic: Clinic, patient: Patient) -> None:
    answer_everything(clinic, patient, **{"patient.weight_kg": 70, "patient.height_cm": 175})
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    asked = {"course": course, "protocol": "TRD-IV", "concentration_mg_per_mL": 50, "diluted": True}
    row = proposed(clinic, CAP)
    before = write_plan(by=clinic.prescriber, **asked)
    assert before.result["dose"]["dose_mg"] == 35
    sign_dosing(by=clinic.director, site=clinic.site, number=row.number, digest=row.digest)
    # A draft that was read under the old settings is not signed under the new.
    with pytest.raises(RefusedError, match="changed"):
        sign_plan(by=clinic.prescriber, plan=before)
    after = write_plan(by=clinic.prescriber, **asked)
    binding = after.result["limits"]["binding"]
    assert after.result["dose"]["dose_mg"] == 30
    assert (binding["name"], binding["asked"], binding["used"]) == ("thirty here", 35, 30)


def test_the_effect_names_the_protocols_whose_doses_move(clinic: Clinic) -> None:
    effect = proposed(clinic, CAP, CAP | {"name": "far off", "limit": 5000.0}).effect
    assert effect is not None
    assert effect["idle"] == ["far off"]
    moved = {row["protocol"]: row["moved"] for row in effect["changed"]}
    doses = [(item["was"], item["now"], item["weights_kg"]) for item in moved["TRD-IV"] if item["what"] == "usual dose"]
    # 0.5 mg/kg of 70 and of 100 kg is over 30 mg; of 50 kg it is not.
    assert doses == [("35 mg", "30 mg", [70.0]), ("50 mg", "30 mg", [100.0])]


def test_only_the_director_proposes_signs_and_drops(clinic: Clinic) -> None:
    row = proposed(clinic, CAP)
    for person in (clinic.nurse, clinic.prescriber, clinic.pharmacist, clinic.stranger):
        with pytest.raises(DeniedError):
            propose_dosing(by=person, site=clinic.site, dosing={}, why=WHY)
        with pytest.raises(DeniedError):
            sign_dosing(by=person, site=clinic.site, number=row.number, digest=row.digest)
        with pytest.raises(DeniedError):
            drop_dosing(by=person, site=clinic.site, number=row.number, why=WHY)
    assert in_force(clinic.site) is None


def test_what_was_not_read_is_not_signed(clinic: Clinic) -> None:
    first = proposed(clinic, CAP)
    second = proposed(clinic, CAP | {"limit": 25.0})
    act = {"by": clinic.director, "site": clinic.site}
    with pytest.raises(RefusedError, match="does not wait"):
        sign_dosing(**act, number=first.number, digest=first.digest)
    with pytest.raises(RefusedError, match="not what was read"):
        sign_dosing(**act, number=second.number, digest=first.digest)
    bootstrap_dosing(by="machine", site=clinic.site, dosing={}, why="Reset from the machine")
    with pytest.raises(RefusedError, match="does not wait"):
        sign_dosing(**act, number=second.number, digest=second.digest)


def test_knowledge_that_changed_asks_for_the_effect_again(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    row = proposed(clinic, CAP)
    monkeypatch.setattr("limen.clinic.sites.dosing.knowledge_release", lambda: "2030.1")
    with pytest.raises(RefusedError, match="compared with has changed"):
        sign_dosing(by=clinic.director, site=clinic.site, number=row.number, digest=row.digest)


def test_a_proposal_of_nothing_and_one_without_a_reason_are_refused(clinic: Clinic) -> None:
    signed(clinic, CAP)
    with pytest.raises(RefusedError, match="nothing in it differs"):
        proposed(clinic, CAP)
    with pytest.raises(InputError, match="why"):
        propose_dosing(by=clinic.director, site=clinic.site, dosing={}, why="short")
    with pytest.raises(InputError, match=r"limits\.0"):
        proposed(clinic, CAP | {"unit": "mL"})
    assert waiting(clinic.site) is None


def test_every_version_stays_readable_with_who_when_and_why(clinic: Clinic) -> None:
    signed(clinic, CAP)
    dropped = proposed(clinic, CAP | {"limit": 20.0})
    drop_dosing(by=clinic.director, site=clinic.site, number=dropped.number, why="The second nurse is back")
    signed(clinic, CAP | {"limit": 25.0})
    told = [
        (entry["proposed"].number, entry["decided"].kind, entry["dosing"].limits[0].limit)
        for entry in history(clinic.site)
    ]
    assert told == [(3, "sign", 25), (2, "drop", 20), (1, "sign", 30)]
    assert dosing_of(clinic.site).limits[0].limit == 25
    acts = list(AuditEntry.objects.filter(action__endswith="_dosing").order_by("at").values_list("actor", "action"))
    assert [name for _, name in acts] == [
        "sites.propose_dosing",
        "sites.sign_dosing",
        "sites.propose_dosing",
        "sites.drop_dosing",
        "sites.propose_dosing",
        "sites.sign_dosing",
    ]


def test_a_version_is_never_changed_behind_the_acts(clinic: Clinic) -> None:
    row = signed(clinic, CAP)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE sites_dosingversion SET why = 'x' WHERE number = %s", [row.number])


def test_the_pages_from_the_proposal_to_the_history(clinic: Clinic, director: Client) -> None:
    assert "none in force" in words(director.get(reverse("sites:dosing")))
    page = director.get(reverse("sites:propose_dosing"))
    sent = {
        "limits-TOTAL_FORMS": "2",
        "limits-INITIAL_FORMS": "0",
        **{f"limits-0-{key}": value for key, value in (CAP | {"product": ""}).items()},
        "syringe_mL": "50",
        "why": WHY,
    }
    assert page.context["limits"].total_form_count() == 2
    wrong = director.post(reverse("sites:propose_dosing"), sent | {"limits-0-unit": "min"})
    assert wrong.status_code == 400
    assert "a wall on the dose is in" in words(wrong)
    assert 'value="thirty here"' in wrong.content.decode()
    assert director.post(reverse("sites:propose_dosing"), sent).status_code == 302
    page = director.get(reverse("sites:dosing"))
    told = words(page)
    assert "Waits for a signature: version 1" in told
    assert "35 mg 30 mg" in told
    assert "Proposed, not in force" in told
    form = page.context["sign_form"].initial
    assert director.post(reverse("sites:sign_dosing"), form).status_code == 302
    told = words(director.get(reverse("sites:dosing")))
    assert "version 1 in force" in told
    assert f"by Dora Director. {WHY}" in told
    again = director.get(reverse("sites:propose_dosing"))
    assert 'value="thirty here"' in again.content.decode()
    off = sent | {"limits-TOTAL_FORMS": "3", "limits-INITIAL_FORMS": "1", "limits-0-off": "on", "syringe_mL": ""}
    assert director.post(reverse("sites:propose_dosing"), off).status_code == 302
    proposal = waiting(clinic.site)
    assert proposal is not None
    assert proposal.content["limits"] == []
    assert proposal.content["equipment"]["syringe_mL"] is None


def test_a_nurse_reads_the_settings_and_finds_no_form(clinic: Clinic, browser: Client) -> None:
    proposed(clinic, CAP)
    page = browser.get(reverse("sites:dosing"))
    assert "The medical director signs it" in words(page)
    assert '<form method="post" action="/site' not in page.content.decode()
    assert browser.get(reverse("sites:propose_dosing")).status_code == 403
