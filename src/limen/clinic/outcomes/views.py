"""Pages: ask a questionnaire, read its score, and the tasks that wait for a person."""

from __future__ import annotations

import uuid
from collections.abc import Callable
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
from limen.clinic.outcomes.texts import words_of
from limen.clinic.patients.charts import head
from limen.clinic.sessions.models import Session
from limen.clinic.web import words
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError
from limen.knowledge.instruments import Instrument, Items, Words, get_instrument, instruments
from limen.knowledge.scoring_rules import Range


class QuestionnaireForm(forms.Form):
    """One field an item, none filled in beforehand: an answer that was not given stays missing.

    Where the wording may not be shipped, the fields are numbered and filled from the clinic's own licensed form; where
    the items may not be held at all, the total is entered.
    """

    phase = forms.ChoiceField(
        choices=[(value, value.capitalize()) for value in QuestionnaireResponse.Phase.values], widget=forms.RadioSelect
    )

    def __init__(self, instrument: Instrument, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if instrument.items is None:
            self.fields["total"] = forms.FloatField(
                label=f"Total, {instrument.lowest_total} to {instrument.highest_total}", required=False
            )
            return
        for number in range(1, instrument.items.count + 1):
            self.fields[f"item{number}"] = _item_field(instrument.items, number, words_of(instrument)[0])
        for key in instrument.items.follow_up:
            self.fields[f"item_{key}"] = _choice(FOLLOW_UPS[key], YES_NO, coerce=_yes_no)

    def items_in_order(self) -> list[forms.BoundField]:
        """The item fields in the order of the questionnaire."""
        return [self[name] for name in self.fields if name.startswith("item")]

    def answers(self) -> dict[str, Any]:
        """What ``score`` reads: the answers in order, ``None`` where none was given, or the total."""
        if "total" in self.fields:
            total = self.cleaned_data["total"]
            return {"total": int(total) if total is not None and total.is_integer() else total}
        return {"items": [self.cleaned_data[name] for name in self.fields if name.startswith("item")]}


YES_NO = [("no", "No"), ("yes", "Yes")]
FOLLOW_UPS = {"q6_recent": "If question 6 is yes: in the past 3 months?"}
# Over so many choices a number is typed instead.
MOST_CHOICES = 11


def _yes_no(answer: str) -> bool:
    return answer == "yes"


def _choice(label: str, choices: list[tuple[str, str]], *, coerce: Callable[[str], Any]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=choices, coerce=coerce, empty_value=None, required=False, widget=forms.RadioSelect
    )


def _values(accepts: Range) -> list[int]:
    """The answers that carry words, in their order."""
    return list(accepts.only or range(accepts.low, accepts.high + 1))


def _item_field(items: Items, number: int, wording: Words | None) -> forms.Field:
    accepts = items.range_of(number)
    label = wording.items[number - 1] if wording else f"Question {number}"
    if accepts.kind == "yes-no":
        return _choice(label, YES_NO, coerce=_yes_no)
    allowed = _values(accepts)
    if items.half_points or len(allowed) > MOST_CHOICES:
        bounds: dict[str, Any] = {"min_value": accepts.low, "max_value": accepts.high, "required": False}
        label = f"{label}, {accepts.low} to {accepts.high}"
        if items.half_points:
            return forms.FloatField(label=f"{label}, in halves", step_size=0.5, **bounds)
        return forms.IntegerField(label=label, **bounds)
    if items.not_assessed is not None:
        allowed.insert(0, items.not_assessed)
    names = dict(zip(_values(accepts), wording.options_of(number), strict=True)) if wording else {}
    return _choice(label, [(str(value), names.get(value, str(value))) for value in allowed], coerce=int)


class CloseForm(forms.Form):
    """What was found and decided."""

    outcome = forms.CharField(label="What was found and decided", widget=forms.Textarea(attrs={"rows": 3}))


def _plain(value: float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"


def choose(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """Which scale to ask. Context: ``course``, ``patient``, ``scales``, by title.

    The suicide-risk screener is asked on the patient's own page, where its triage becomes a dated fact.
    """
    course = get_object_or_404(Course.objects.select_related("patient", "site"), pk=course_id, site=request.site)
    scales = sorted((one for one in instruments().values() if one.rule != "c-ssrs-triage"), key=lambda one: one.title)
    context = {"course": course, "scales": scales, **head(course.patient)}
    return render(request, "outcomes/choose.html", context)


@require_http_methods(["GET", "POST"])
def questionnaire(request: ClinicRequest, course_id: uuid.UUID, instrument: str) -> HttpResponse:
    """Ask and record. Context: ``course``, ``patient``, ``instrument``, ``form``, ``session``."""
    course = get_object_or_404(Course.objects.select_related("patient", "site"), pk=course_id, site=request.site)
    knowledge = get_instrument(instrument)
    session = _session(request, course)
    form = QuestionnaireForm(knowledge, request.POST or None)
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
                    answers=form.answers(),
                    at=timezone.now(),
                    session=session,
                )
            except LimenError as problem:
                status = blame(form, problem)
            else:
                return redirect("outcomes:response", response_id=made.pk)
    wording, trouble = words_of(knowledge)
    context = {
        "course": course,
        "instrument": knowledge,
        "wording": wording,
        "text_trouble": trouble,
        "form": form,
        "session": session,
        **head(course.patient),
    }
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
    wording, _ = words_of(knowledge)
    answers = [
        {
            "number": number,
            "text": wording.items[number - 1] if wording else f"Question {number}",
            "value": value,
            "words": _answer_words(knowledge, wording, number, value),
        }
        for number, value in enumerate(found.answers.get("items", [])[: knowledge.item_count], start=1)
    ]
    context = {
        "response": found,
        **head(found.patient),
        "course": found.course,
        "result": found.result,
        "answers": answers,
        "highest": knowledge.highest_total if found.result["total"] is not None else None,
        "safety_item": knowledge.safety.item if knowledge.safety else None,
        "tasks": found.tasks.all(),
        "safety_words": words.SAFETY_ACTIONS.get(found.result["safety"]["action"], ""),
    }
    return render(request, "outcomes/response.html", context)


def _answer_words(knowledge: Instrument, wording: Words | None, number: int, value: Any) -> str:
    if value is None:
        return "not answered"
    if wording is None or knowledge.items is None or isinstance(value, bool):
        return _plain(value)
    accepts = knowledge.items.range_of(number)
    return dict(zip(_values(accepts), wording.options_of(number), strict=True)).get(value, _plain(value))


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
