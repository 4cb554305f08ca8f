"""Every desk page in real Chromium under its own security policy: axe (WCAG 2.2 A and AA) finds nothing, nothing runs
off a page of 320 px, and the policy blocks nothing of ours."""

from __future__ import annotations

import mimetypes
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from browser.chromium import ARGUMENTS, CHROMIUM
from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.courses.actions import open_course
from limen.clinic.patients.actions import record_facts
from limen.clinic.patients.models import Patient

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, Route, sync_playwright

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOST = "http://limen.test"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run make setup"),
]


def pages(clinic: Clinic, patient: Patient) -> dict[str, HttpResponse]:
    """The pages a prescriber and a director see on the way from a referral to a plan."""
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    record_facts(
        by=clinic.nurse,
        patient=patient,
        values={"vitals.sbp_mmHg": 148, "vitals.dbp_mmHg": 92, "patient.weight_kg": 104, "patient.height_cm": 165},
    )
    person, director = Client(), Client()
    person.force_login(clinic.prescriber)
    director.force_login(clinic.director)
    facts, plan = reverse("patients:facts", args=[patient.pk]), reverse("courses:plan", args=[course.pk])
    screening = reverse("courses:screening", args=[course.pk])
    found = {
        "sign-in": Client().get(reverse("account_login")),
        "sign-in refused": Client().post(reverse("account_login"), {"login": "nobody", "password": "nothing"}),
        "patients": person.get(reverse("patients:list")),
        "register, refused": person.post(reverse("patients:register"), {"mrn": ""}),
        "import": person.get(reverse("patients:import")),
        "facts": person.get(facts),
        "facts, refused": person.post(facts, {"group": "vitals", "vitals.sbp_mmHg": "1480", "vitals.dbp_mmHg": "92"}),
        "chart": person.get(reverse("patients:detail", args=[patient.pk])),
        "open a course": person.get(reverse("courses:open", args=[patient.pk])),
        "not yet screened": person.get(screening),
        "no plan yet": person.get(plan),
    }
    person.post(reverse("courses:screen", args=[course.pk]))
    found["screening"] = director.get(screening)
    asked = {"protocol": "TRD-IV", "dose_text": "0.75 mg/kg iv over 40 min", "concentration_mg_per_mL": "50"}
    assert person.post(plan, asked).status_code == 302
    found["plan, blocked"] = person.get(plan)
    made = course.plans.order_by("-created_at").first()
    found["figures"] = person.get(reverse("courses:figures", args=[made.pk]))
    found["figure, published"] = person.get(reverse("courses:figure", args=[made.pk, "check"]))
    found["figure, window"] = person.get(reverse("courses:figure", args=[made.pk, "attainment"]))
    asking = reverse("outcomes:questionnaire", args=[course.pk, "PHQ-9"])
    found["questionnaire"] = person.get(asking)
    answers = {"phase": "baseline"} | {f"item{number}": "1" for number in range(1, 10)}
    found["answers, one of them a task"] = person.post(asking, answers, follow=True)
    found["screening, out of date"] = person.get(screening)
    found["plan, out of date"] = person.get(plan)
    found["course"] = person.get(reverse("courses:detail", args=[course.pk]))
    found["tasks"] = person.get(reverse("outcomes:tasks"))
    found["denied"] = person.get(reverse("audit:list"))
    found["audit"] = director.get(reverse("audit:list"))
    found["standing orders"] = person.get(reverse("sites:orders"))
    found["standing order, refused"] = director.post(reverse("sites:sign", args=["adrenaline-anaphylaxis"]), {})
    found["rescue stock, refused"] = director.post(reverse("sites:stock"), {})
    session = planned(clinic, patient)
    found["emergency sheet"] = person.get(reverse("sites:emergency_sheet", args=[session.pk]))
    return found


def serve(page: Page, answer: HttpResponse) -> list[str]:
    """Show one answer with its own headers, static files from the finders; what the console complains of."""
    said: list[str] = []
    body = answer.content
    policy = answer.headers["Content-Security-Policy"]

    def give(route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        if path.startswith("/static/"):
            file = finders.find(path.removeprefix("/static/"))
            if file is None:
                route.fulfill(status=404, body="")
                return
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            route.fulfill(status=200, body=Path(str(file)).read_bytes(), headers={"Content-Type": kind})
        elif route.request.headers.get("hx-request"):
            # a part of the page that it fetches by itself: those are among the pages on their own
            route.fulfill(status=204, body="")
        elif path == "/healthz":
            route.fulfill(status=200, body='{"status": "ok", "monitor_age_s": 0.5}')
        else:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
            route.fulfill(status=200, body=body, headers=headers)

    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.route("**/*", give)
    page.goto(f"{HOST}/")
    page.wait_for_load_state("networkidle")
    return said


def test_pages_are_accessible_narrow_and_obey_their_policy(clinic: Clinic, patient: Patient) -> None:
    answers = pages(clinic, patient)
    axe = AXE.read_text(encoding="utf-8")
    faults: list[str] = []
    with sync_playwright() as runner:
        chromium = runner.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, answer in answers.items():
            assert answer.status_code in (200, 400, 403), f"{name}: {answer.status_code}"
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            faults += [f"{name}: {line}" for line in serve(page, answer)]
            page.evaluate(axe)
            found = page.evaluate("tags => axe.run({runOnly: tags})", RULES)
            assert found["passes"], f"{name}: axe checked nothing"
            faults += [f"{name}: {bad['id']} {bad['nodes'][0]['html'][:120]}" for bad in found["violations"]]
            page.evaluate("document.documentElement.dataset.theme = 'night'")
            dark = page.evaluate("axe.run({runOnly: {type: 'rule', values: ['color-contrast']}})")
            faults += [f"{name}, night: {bad['nodes'][0]['html'][:120]}" for bad in dark["violations"]]
            page.set_viewport_size({"width": 320, "height": 700})
            beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if beyond > 0:
                faults.append(f"{name}: runs {beyond} px off a page of 320 px")
            page.close()
        chromium.close()
    assert faults == []
