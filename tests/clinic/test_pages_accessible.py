"""Every desk page in real Chromium under its own security policy: axe (WCAG 2.2 A and AA) finds nothing by day or by
night, nothing runs off a page of 320 px, the bar stays on one line, and the policy blocks nothing of ours."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from browser.chromium import ARGUMENTS, CHROMIUM
from clinic.desk_pages import NOT_HERE, ROOM, desk_pages, visited
from clinic.people import Clinic
from limen.clinic.patients.models import Patient

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, Route, sync_playwright

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOST = "http://limen.test"
POLICY = "Content-Security-Policy"
# On a desk the bar is one line: nothing in it is pushed under something else.
ONE_LINE = """() => {
  const bar = document.querySelector("header.bar");
  if (!bar) return "";
  const middles = [...bar.children].filter((part) => part.offsetWidth).map((part) => {
    const box = part.getBoundingClientRect();
    return box.top + box.height / 2;
  });
  const clock = bar.querySelector(".clock");
  const lines = clock ? clock.getClientRects().length : 1;
  const apart = Math.max(...middles) - Math.min(...middles);
  return apart > 12 || lines > 1 ? `the bar has several lines (${Math.round(apart)} px apart, clock ${lines})` : "";
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run make setup"),
]


def addresses(of: URLResolver, inside: str = "") -> Iterator[str]:
    """The full name of every address."""
    for entry in of.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{inside}{entry.name}"
        else:
            yield from addresses(entry, f"{inside}{entry.namespace}:" if entry.namespace else inside)


def serve(browser: Browser) -> Page:
    """A page that shows whatever answer it is given next, with that answer's own headers."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    static: dict[str, tuple[bytes, str]] = {}

    def give(route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        answer: HttpResponse = page.answer  # type: ignore[attr-defined]
        if path.startswith("/static/"):
            if path not in static:
                file = finders.find(path.removeprefix("/static/"))
                static[path] = (Path(str(file)).read_bytes() if file else b"", mimetypes.guess_type(path)[0] or "")
            body, kind = static[path]
            route.fulfill(status=200 if body else 404, body=body, headers={"Content-Type": kind})
        elif route.request.headers.get("hx-request"):
            # a part of the page that it fetches by itself: those are among the pages on their own
            route.fulfill(status=204, body="")
        elif path == "/healthz":
            route.fulfill(status=200, body='{"status": "ok", "monitor_age_s": 0.5}')
        elif path == "/":
            # A page made where nothing works any more comes from no middleware, and so without a policy of its own.
            policy = {POLICY: answer.headers[POLICY]} if POLICY in answer.headers else {}
            headers = {"Content-Type": "text/html; charset=utf-8", **policy}
            route.fulfill(status=200, body=answer.content, headers=headers)
        else:
            route.fulfill(status=204, body="")

    page.route("**/*", give)
    return page


def test_pages_are_accessible_narrow_and_obey_their_policy(clinic: Clinic, patient: Patient) -> None:
    answers = desk_pages(clinic, patient)
    axe = AXE.read_text(encoding="utf-8")
    faults: list[str] = []
    now = ""
    with sync_playwright() as runner:
        chromium = runner.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = serve(chromium)
        page.on("console", lambda line: faults.append(f"{now}: {line.text}") if line.type == "error" else None)
        page.on("pageerror", lambda fault: faults.append(f"{now}: {fault}"))
        for now, answer in answers.items():
            assert answer.status_code in (200, 400, 403, 404, 409, 500, 503), f"{now}: {answer.status_code}"
            page.answer = answer  # type: ignore[attr-defined]
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(f"{HOST}/")
            bar = page.evaluate(ONE_LINE)
            faults += [f"{now}: {bar}"] if bar else []
            page.evaluate(axe)
            found = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", RULES)
            assert found["passes"], f"{now}: axe checked nothing"
            faults += [f"{now}: {bad['id']} {bad['nodes'][0]['html'][:120]}" for bad in found["violations"]]
            page.evaluate("document.documentElement.dataset.theme = 'night'")
            dark = page.evaluate("axe.run({runOnly: {type: 'rule', values: ['color-contrast']}})")
            faults += [f"{now}, night: {bad['nodes'][0]['html'][:120]}" for bad in dark["violations"]]
            page.set_viewport_size({"width": 320, "height": 700})
            beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if beyond > 0:
                faults.append(f"{now}: runs {beyond} px off a page of 320 px")
        chromium.close()
    assert faults == []
    elsewhere = set().union(*NOT_HERE.values())
    unseen = {name for name in addresses(get_resolver()) if name not in elsewhere and not name.startswith(ROOM)}
    assert unseen - visited(answers) == set(), "pages that nobody looks at here"
