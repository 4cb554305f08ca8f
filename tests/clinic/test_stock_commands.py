"""Lines from the command line: the same acts as on the pages, all of them or none, each with its person's rights."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.models import Patient
from limen.clinic.stock import queries
from limen.clinic.stock.commands import find_site, post_lines
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.errors import InputError, LimenError, RefusedError


def lines(session: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": "receive",
            "vial": "V1",
            "amount_mg": "500.0",
            "by": "piet-pharmacist",
            "key": "1",
            "product": "racemic",
            "strength_mg_per_mL": "50",
            "volume_mL": "10",
            "lot": "6K114",
            "expiry": "2099-03-31",
        },
        {
            "kind": "draw",
            "vial": "V1",
            "amount_mg": "35.0",
            "by": "nina-nurse",
            "witness": "noel-nurse",
            "session": session,
            "key": "2",
        },
        {"kind": "give", "vial": "V1", "amount_mg": "30.0", "by": "nina-nurse", "session": session, "key": "3"},
        {
            "kind": "waste",
            "vial": "V1",
            "amount_mg": "5.0",
            "by": "nina-nurse",
            "witness": "piet-pharmacist",
            "session": session,
            "reason": "stopped early",
            "key": "4",
        },
        {"kind": "count", "vial": "V1", "amount_mg": "465.0", "by": "piet-pharmacist", "key": "5", "moon": "full"},
    ]


@pytest.fixture
def session(clinic: Clinic, patient: Patient) -> str:
    return str(planned(clinic, patient).pk)


def test_a_day_from_a_file(clinic: Clinic, session: str) -> None:
    result = post_lines(clinic.site, lines(session))
    assert (result["posted"], result["already_there"], result["unknown_inputs"]) == (5, 0, ["moon"])
    vial = queries.site_balance(clinic.site)["vials"][0]
    assert (vial["drawn_mg"], vial["given_mg"], vial["wasted_mg"], vial["on_hand_mg"]) == (
        "35.0",
        "30.0",
        "5.0",
        "465.0",
    )
    assert (vial["in_syringe_mg"], vial["unexplained_mg"]) == ("0.0", "0.0")
    assert queries.site_verify(clinic.site)["ok"]


def test_the_same_file_again_writes_nothing(clinic: Clinic, session: str) -> None:
    first = post_lines(clinic.site, lines(session))
    again = post_lines(clinic.site, lines(session))
    assert (again["posted"], again["already_there"]) == (0, 5)
    assert [entry["hash"] for entry in again["entries"]] == [entry["hash"] for entry in first["entries"]]
    assert LedgerEntry.objects.count() == 5


@pytest.mark.parametrize(
    ("number", "change", "words"),
    [
        (1, {"amount_mg": "500.001"}, "line[1].amount_mg: cannot draw 500.001 mg"),
        (1, {"amount_mg": 35.0}, "line[1].amount_mg: 35.0 is a float, not text"),
        (1, {"amount_mg": "-35.0"}, "line[1].amount_mg: cannot read '-35.0'"),
        (1, {"witness": "Nina-Nurse"}, "line[1].witness: nina-nurse cannot witness their own act"),
        (1, {"witness": "nobody"}, "line[1].witness: no person 'nobody'"),
        (1, {"by": "nobody"}, "line[1].by: no person 'nobody'"),
        (1, {"vial": "V9"}, "line[1].vial: unknown vial 'V9'"),
        (1, {"session": "chair 1"}, "line[1].session: unknown session 'chair 1'"),
        (1, {"session": None}, "line[1].session: draw without a session"),
        (3, {"reason": None}, "line[3].reason: waste without a reason"),
        (3, {"kind": "pour"}, "line[3].kind: unknown kind 'pour'"),
        (0, {"expiry": "soon"}, "line[0].expiry: cannot read 'soon'"),
        (0, {"strength_mg_per_mL": "10", "volume_mL": "50"}, "line[1].vial: this vial is racemic 10 mg/mL"),
    ],
)
def test_one_bad_line_and_nothing_is_written(
    clinic: Clinic, session: str, number: int, change: dict[str, Any], words: str
) -> None:
    given = lines(session)
    given[number] |= change
    with pytest.raises(LimenError) as problem:
        post_lines(clinic.site, given)
    assert str(problem.value).startswith(words)
    assert LedgerEntry.objects.count() == 0
    assert not Vial.objects.exists()


def test_each_line_has_the_rights_of_its_person(clinic: Clinic, session: str) -> None:
    given = lines(session)
    given[0]["by"] = "nina-nurse"
    with pytest.raises(DeniedError):
        post_lines(clinic.site, given)
    assert LedgerEntry.objects.count() == 0
    denied = AuditEntry.objects.get(outcome="denied")
    assert (denied.actor, denied.action) == ("nina-nurse", "stock.receive")


def test_a_vial_without_its_label_can_be_kept_but_not_drawn(clinic: Clinic, session: str) -> None:
    plain = {"kind": "receive", "vial": "V2", "amount_mg": "200.0", "by": "piet-pharmacist", "key": "10"}
    post_lines(clinic.site, [plain])
    assert queries.site_balance(clinic.site)["vials"][0]["on_hand_mg"] == "200.0"
    with pytest.raises(RefusedError, match="label of vial V2 is not on file"):
        post_lines(clinic.site, [lines(session)[1] | {"vial": "V2"}])


def test_the_site_must_be_clear(clinic: Clinic) -> None:
    assert find_site(clinic.site.slug) == clinic.site
    with pytest.raises(InputError, match="which site"):
        find_site(None)
    with pytest.raises(InputError, match="no site 'moon'"):
        find_site("moon")
