"""Pages about the figures of a plan: all that apply, one of them, and one as a file."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.cache import cache
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from limen.clinic.courses import figures as of_plan
from limen.clinic.courses.models import Plan
from limen.clinic.patients import charts
from limen.clinic.web.request import ClinicRequest
from limen.reports.figures import Figure

_KEEP_S = 24 * 3600


@dataclass(frozen=True)
class Shown:
    """One section of the page: its figure, or that it is fetched, or why there is none."""

    kind: of_plan.Kind
    figure: Figure | None
    waits: bool = False


@require_GET
def figures(request: ClinicRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Every figure of a plan. Context: ``plan``, ``course``, ``patient``, ``weight``, ``sections`` (``Shown``)."""
    plan = _plan(request, plan_id)
    sections = [
        Shown(kind, of_plan.figure_of(plan, kind)) if kind.at_once else Shown(kind, None, waits=True)
        for kind in of_plan.KINDS
    ]
    return _page(request, plan, sections)


@require_GET
def figure(request: ClinicRequest, plan_id: uuid.UUID, kind: str) -> HttpResponse:
    """One figure: a part of the page where the page asks for it, else a page of its own."""
    plan = _plan(request, plan_id)
    found = _kind(kind)
    section = Shown(found, of_plan.figure_of(plan, found))
    if request.htmx:
        return render(request, "courses/_figure.html", {"section": section, "row": plan})
    return _page(request, plan, [section])


@require_GET
def figure_file(request: ClinicRequest, plan_id: uuid.UUID, kind: str) -> HttpResponse:
    """The same figure as it stands on paper, as an SVG file; drawn once and kept by its content."""
    made = of_plan.figure_of(_plan(request, plan_id), _kind(kind))
    if made is None:
        raise Http404("this figure does not apply")
    etag = f'"{made.digest}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    key = f"figure-svg:{made.digest}"
    text: str | None = cache.get(key)
    if text is None:
        # matplotlib is slow to load: only the first drawing pays for it.
        from limen.reports.plots.figure import draw

        text = draw(made).svg
        cache.set(key, text, _KEEP_S)
    response = HttpResponse(text, content_type="image/svg+xml")
    response["ETag"] = etag
    response["Content-Disposition"] = f'attachment; filename="{kind}.svg"'
    patch_cache_control(response, private=True, max_age=0)
    return response


@require_GET
def figures_pdf(request: ClinicRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Every figure of a plan that applies, on paper, as a PDF."""
    from limen.reports.figure_paper import FigurePaper, render_figures
    from limen.reports.paper import pdf

    plan = _plan(request, plan_id)
    made = [(kind.title, of_plan.figure_of(plan, kind)) for kind in of_plan.KINDS]
    found = [(title, item) for title, item in made if item is not None]
    if not found:
        raise Http404("no figure applies")
    patient = plan.course.patient
    name = f"{patient.given_name} {patient.family_name}".strip()
    status = "" if plan.status == Plan.Status.SIGNED else f"{plan.get_status_display()}, not signed"
    source = render_figures(
        FigurePaper(
            plan.site.name,
            f"Figures of a plan, {plan.protocol}, {plan.on:%d %b %Y}",
            (("Patient", name), ("Record", patient.mrn), ("Born", f"{patient.birth_date:%d %b %Y}")),
            status,
            found,
        )
    )
    response = HttpResponse(pdf(source), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="figures-{slugify(patient.mrn) or "patient"}.pdf"'
    patch_cache_control(response, private=True, max_age=0)
    return response


def _plan(request: ClinicRequest, plan_id: uuid.UUID) -> Plan:
    """A plan of the person's own site: who may read a plan may see what it forecasts."""
    whole = Plan.objects.select_related("course__patient__site", "course__site", "screening", "site")
    return get_object_or_404(whole, pk=plan_id, site=request.site)


def _kind(name: str) -> of_plan.Kind:
    found = of_plan.kind_of(name)
    if found is None:
        raise Http404("no such figure")
    return found


def _page(request: ClinicRequest, plan: Plan, sections: list[Shown]) -> HttpResponse:
    context = charts.head(plan.course.patient)
    context.pop("newest")
    context |= {"row": plan, "plan": plan.result, "course": plan.course, "here": "patients", "sections": sections}
    return render(request, "courses/figures.html", context)
