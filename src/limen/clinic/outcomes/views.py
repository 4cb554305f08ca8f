"""Pages: ask a questionnaire, read its score, and the tasks that wait for a person."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from limen.clinic.accounts.permissions import Permission
from limen.clinic.courses.models import Course
from limen.clinic.outcomes import actions, queries
from limen.clinic.outcomes.models import QuestionnaireResponse, Task
from limen.clinic.patients.charts import head
from limen.clinic.sessions.models import Session
from limen.clinic.web import words
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError, RefusedError
from limen.knowledge.instruments import Instrument, Wording, get_instrument


class QuestionnaireForm(forms.Form):
    """One field an item, none filled in beforehand: an answer that was not given stays missing."""

    phase = forms.ChoiceField(
        choices=[(value, value.capitalize()) for value in QuestionnaireResponse.Phase.values], widget=forms.RadioSelect
    )

    def __init__(self, instrument: Instrument, wording: Wording, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = list(enumerate(wording.options, start=instrument.items.low))
        for number, text in enumerate(wording.items, start=1):
            self.fields[f"item{number}"] = forms.TypedChoiceField(
                label=text,
                choices=[(str(value), words) for value, words in options],
                coerce=int,
                empty_value=None,
                required=False,
                widget=forms.RadioSelect,
            )

    def items_in_order(self) -> list[forms.BoundField]:
        """The item fields in the order of the questionnaire."""
        return [self[name] for name in self.fields if name.startswith("item")]

    def answers(self) -> list[int | None]:
        """Answers in the order of the questionnaire; ``None`` where none was given."""
        return [self.cleaned_data[name] for name in self.fields if name.startswith("item")]


class CloseForm(forms.Form):
    """What was found and decided."""

    outcome = forms.CharField(label="What was found and decided", widget=forms.Textarea(attrs={"rows": 3}))


@require_http_methods(["GET", "POST"])
def questionnaire(request: ClinicRequest, course_id: uuid.UUID, instrument: str) -> HttpResponse:
    """Ask and record. Context: ``course``, ``patient``, ``instrument``, ``form``, ``session``."""
    course = get_object_or_404(Course.objects.select_related("patient", "site"), pk=course_id, site=request.site)
    knowledge = get_instrument(instrument)
    if knowledge.wording is None:
        raise RefusedError(
            f"the wording of {instrument} is not shipped",
            where="instrument",
            hint="Its licence leaves it to the clinic",
        )
    session = _session(request, course)
    form = QuestionnaireForm(knowledge, knowledge.wording, request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.record_questionnaire(
                    by=request.user,
                    course=course,
                    instrument=instrument,
                    phase=form.cleaned_data["phase"],
                    answers={"items": form.answers()},
                    at=timezone.now(),
                    session=session,
                )
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("outcomes:response", response_id=made.pk)
    context = {"course": course, "instrument": knowledge, "form": form, "session": session, **head(course.patient)}
    return render(request, "outcomes/questionnaire.html", context, status=status)


def response(request: ClinicRequest, response_id: uuid.UUID) -> HttpResponse:
    """One scored questionnaire.

    Context: ``response``, ``result``, ``answers``, ``safety_item`` (its number), ``highest`` (total), ``tasks``,
    ``safety_words``.
    """
    found = get_object_or_404(
        QuestionnaireResponse.objects.select_related("patient", "course"), pk=response_id, site=request.site
    )
    knowledge = get_instrument(found.instrument)
    wording = knowledge.wording
    given = found.answers.get("items", [])
    options = dict(enumerate(wording.options)) if wording else {}
    answers = [
        {"number": number, "text": text, "value": value, "words": options.get(value, "not answered")}
        for number, (text, value) in enumerate(zip(wording.items if wording else (), given, strict=False), start=1)
    ]
    context = {
        "response": found,
        **head(found.patient),
        "course": found.course,
        "result": found.result,
        "answers": answers,
        "highest": knowledge.bands.ranges[-1].high if knowledge.bands else None,
        "safety_item": knowledge.safety.item if knowledge.safety else None,
        "tasks": found.tasks.all(),
        "safety_words": words.SAFETY_ACTIONS.get(found.result["safety"]["action"], ""),
    }
    return render(request, "outcomes/response.html", context)


def tasks(request: ClinicRequest) -> HttpResponse:
    """What waits for a person. Context: ``rows``: ``task``, what it asks in ``words``, ``form``, ``may_close``."""
    return _tasks_page(request)


@require_POST
def close(request: ClinicRequest, task_id: uuid.UUID) -> HttpResponse:
    """Close one task with an outcome."""
    task = get_object_or_404(Task, pk=task_id, site=request.site)
    form = CloseForm(request.POST)
    if form.is_valid():
        try:
            actions.close_task(by=request.user, task=task, outcome=form.cleaned_data["outcome"], at=timezone.now())
        except LimenError as problem:
            return _tasks_page(request, task, form, blame(form, problem))
        return redirect("outcomes:tasks")
    return _tasks_page(request, task, form, 400)


def _tasks_page(
    request: ClinicRequest, task: Task | None = None, form: CloseForm | None = None, status: int = 200
) -> HttpResponse:
    rows = [
        {
            "task": item,
            "words": words.SAFETY_ACTIONS.get(item.because, item.because),
            "may_close": Permission.TASK_CLOSE in request.may
            and (item.kind != actions.SAFETY_TASK or bool(actions.CLOSE_SAFETY & set(request.roles))),
            "form": form
            if form is not None and task is not None and task.pk == item.pk
            else CloseForm(auto_id=f"{item.pk}-%s"),
        }
        for item in queries.open_tasks(request.site)
    ]
    return render(request, "outcomes/tasks.html", {"rows": rows, "here": "tasks"}, status=status)


def _session(request: ClinicRequest, course: Course) -> Session | None:
    asked = request.GET.get("session")
    if not asked:
        return None
    return get_object_or_404(Session, pk=asked, course=course)
