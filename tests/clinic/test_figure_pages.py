"""The figures of a plan: the same as on paper, for the people of its site alone, kept by their content."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.orders import happened, planned
from clinic.people import Clinic
from clinic.well import answer_everything
from limen.clinic.audit.act import acting
from limen.clinic.courses import figures as of_plan
from limen.clinic.courses.actions import open_course, write_plan
from limen.clinic.courses.models import Plan
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.earlier import earlier_of
from limen.clinic.sessions.models import Device, Sample, Session
from limen.clinic.sites.actions import declare_settings
from limen.clinic.web.leaving import leaving_said
from limen.reports.plots.figure import draw
from reports.pdf_text import pdf_pages


@pytest.fixture
def plan(clinic: Clinic, patient: Patient) -> Plan:
    declare_settings(by=clinic.director, site=clinic.site, settings=["clinic"])
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    answer_everything(clinic, patient)
    return write_plan(by=clinic.prescriber, course=course, protocol="TRD-IV", dose_text="0.5 mg/kg iv over 40 min")


def treated(clinic: Clinic, patient: Patient, *, cuffs: list[tuple[float, float]], felt: int | None) -> Session:
    """A session of last week that ran as planned, 35 mg over 40 min."""
    session = planned(clinic, patient)
    happened(session, "session.started", 0.0)
    happened(session, "infusion.started", 60.0, dose_mg=35.0, duration_min=40.0, route="iv")
    if felt is not None:
        happened(session, "observation.recorded", 1800.0, dissociation=felt, moaas=5)
    happened(session, "session.ended", 7200.0)
    with acting(by="tests", action="tests.session", site=clinic.site):
        device = Device.objects.create(site=clinic.site, name="chair", kind="monitor", token_hash="x")
        for seq, (t_s, value) in enumerate(cuffs):
            Sample.objects.create(
                site=clinic.site, session=session, device=device, seq=seq, signal="NIBP_SYS", value=value, t_s=t_s,
                received_t_s=t_s,
            )  # fmt: skip
        session.status = Session.Status.DISCHARGED
        session.started_at = timezone.now() - timedelta(days=7)
        session.ended_at = session.started_at + timedelta(hours=2)
        session.save()
    return session


def signed_in(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def test_the_page_shows_every_kind_and_fetches_what_must_be_reckoned(clinic: Clinic, plan: Plan) -> None:
    page = signed_in(clinic.nurse).get(reverse("courses:figures", args=[plan.pk])).content.decode()
    for kind in of_plan.KINDS:
        assert f'id="figure-{kind.id}"' in page
        fetched = f'hx-get="{reverse("courses:figure", args=[plan.pk, kind.id])}"' in page
        assert fetched is not kind.at_once
    assert page.count("<figure") == 3
    assert "hold 180, MON-1" in page
    assert 'role="img"' in page
    assert "<table" in page


def test_a_figure_is_a_part_where_the_page_asks_and_a_page_of_its_own_without_script(
    clinic: Clinic, plan: Plan
) -> None:
    client, where = signed_in(clinic.nurse), reverse("courses:figure", args=[plan.pk, "check"])
    part = client.get(where, headers={"HX-Request": "true"}).content.decode()
    whole = client.get(where).content.decode()
    assert "<html" not in part
    assert "<html" in whole
    for page in (part, whole):
        assert "0.5 mg/kg iv over 40 min" in page
        assert "seen: about 185 ng/mL" in page


@pytest.mark.slow
def test_the_file_is_the_figure_on_paper_and_is_drawn_once(
    clinic: Clinic, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, where = signed_in(clinic.nurse), reverse("courses:figure_file", args=[plan.pk, "forecast"])
    first = client.get(where)
    made = of_plan.figure_of(plan, of_plan.KINDS[0])
    assert made is not None
    assert first.content.decode() == draw(made).svg
    assert first["ETag"] == f'"{made.digest}"'
    assert "private" in first["Cache-Control"]
    assert client.get(where, headers={"If-None-Match": first["ETag"]}).status_code == 304

    def never(_: object) -> None:
        raise AssertionError("drawn twice")

    monkeypatch.setattr("limen.reports.plots.figure.draw", never)
    assert client.get(where).content == first.content
    cache.clear()
    with pytest.raises(AssertionError, match="drawn twice"):
        client.get(where)


@pytest.mark.parametrize("name", ["figures", "figure", "figure_file"])
def test_only_people_of_the_site_see_a_figure(clinic: Clinic, plan: Plan, name: str) -> None:
    where = reverse(f"courses:{name}", args=[plan.pk, "forecast"][: 1 if name == "figures" else 2])
    assert signed_in(clinic.stranger).get(where).status_code == 404
    assert Client().get(where).status_code == 302
    assert signed_in(clinic.pharmacist).get(where).status_code == 200


@pytest.mark.slow
def test_every_figure_goes_on_paper_under_two_identifiers(clinic: Clinic, plan: Plan) -> None:
    where = reverse("courses:figures_pdf", args=[plan.pk])
    answer = signed_in(clinic.nurse).get(where)
    assert answer.content.startswith(b"%PDF")
    assert "figures-h-1001.pdf" in answer["Content-Disposition"]
    pages = [" ".join(page.split()) for page in pdf_pages(answer.content)]
    for text in ("not signed", "What each model says", "What this dose will do"):
        assert any(text in page for page in pages)
    assert all("Ada Okafor" in page and "H-1001" in page for page in pages)
    assert signed_in(clinic.stranger).get(where).status_code == 404


def test_no_such_figure_is_a_404(clinic: Clinic, plan: Plan) -> None:
    client = signed_in(clinic.nurse)
    assert client.get(reverse("courses:figure", args=[plan.pk, "tarot"])).status_code == 404
    assert client.get(reverse("courses:figure_file", args=[plan.pk, "patient"])).status_code == 404


@pytest.mark.slow
def test_earlier_sessions_teach_and_say_what_they_showed(clinic: Clinic, patient: Patient, plan: Plan) -> None:
    treated(clinic, patient, cuffs=[(30.0, 190.0), (1500.0, 171.0), (2400.0, 0.0), (9000.0, 199.0)], felt=3)
    seen = earlier_of(plan)
    # the cuff before the dose, the one without a reading and the one two hours later tell nothing of the dose
    assert [item.observation["kind"] for item in seen] == ["earlier_peak", "earlier_peak"]
    assert seen[0].observation["sbp_mmHg"] == 171
    assert seen[0].observation["baseline_sbp_mmHg"] == 128
    assert seen[0].observation["dose"] == ["35 mg iv over 40 min"]
    assert seen[1].observation["score"] == 3
    client = signed_in(clinic.nurse)
    page = client.get(reverse("courses:figure", args=[plan.pk, "patient"])).content.decode()
    assert "systolic up to 171 from 128 mmHg" in page
    assert "dissociation up to 3 of 4" in page
    assert "Peak, rise in systolic pressure" in page
    # a rise of 43 is far over what is expected of most: what is expected of this patient moves up
    (lane,) = [item for item in of_plan.figure_of(plan, of_plan.KINDS[3]).lanes if "systolic" in item.title]  # type: ignore[union-attr]
    before, after = lane.intervals
    assert after.middle > before.middle
    update = client.get(reverse("courses:figure", args=[plan.pk, "update"])).content.decode()
    assert "90 of 100 before" in update


def test_without_a_session_there_is_nothing_to_learn(clinic: Clinic, plan: Plan) -> None:
    page = signed_in(clinic.nurse).get(reverse("courses:figure", args=[plan.pk, "patient"])).content.decode()
    assert "No earlier session of this product" in page
    assert earlier_of(plan) == ()


def test_a_session_without_a_baseline_tells_nothing_of_pressure(clinic: Clinic, patient: Patient, plan: Plan) -> None:
    session = treated(clinic, patient, cuffs=[(1500.0, 171.0)], felt=None)
    with acting(by="tests", action="tests.session", site=clinic.site):
        session.header = {**session.header, "baseline": {}}
        session.save()
    assert earlier_of(plan) == ()


def test_the_plan_page_says_when_patients_are_ready_and_not_before(clinic: Clinic, plan: Plan) -> None:
    page = signed_in(clinic.nurse).get(reverse("courses:plan", args=[plan.course_id])).content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    told = leaving_said(plan.result["forecast"])
    assert told is not None
    assert "Ready to leave, forecast" in text
    assert told.nine in text
    # 40 min of infusion and the 60 min of DIS-5 with an escort
    assert plan.result["forecast"]["ready_to_leave_h"]["minimum_stay"]["earliest_h"] == pytest.approx(100 / 60)
    assert "Not before 1:40" in text
    assert "A forecast is no discharge" in text
    assert reverse("courses:figures", args=[plan.pk]) in page


def test_a_plan_of_before_says_nothing_of_leaving() -> None:
    assert leaving_said({"outputs": {}}) is None
    assert leaving_said(None) is None
