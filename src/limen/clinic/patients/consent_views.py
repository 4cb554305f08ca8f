"""The page of consent to one course: the words, the ticks, the signature, and what was signed before."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from limen.care.consent import ConsentForm as Words
from limen.clinic.accounts.permissions import Permission
from limen.clinic.courses.queries import course as course_of
from limen.clinic.patients import charts, consent_queries, consents
from limen.clinic.sites.zones import today
from limen.clinic.web.refusals import blame
from limen.clinic.web.request import ClinicRequest
from limen.errors import LimenError


class GiveForm(forms.Form):
    """One tick for each heading, and who signs. Nothing is ticked beforehand."""

    version = forms.CharField(widget=forms.HiddenInput)
    signed_name = forms.CharField(label="Signed by", max_length=120, help_text="The patient, or who signs for them")
    language = forms.CharField(label="Language it was gone through in", max_length=40, required=False)
    interpreter = forms.CharField(label="Interpreter, if there was one", max_length=120, required=False)

    def __init__(self, words: Words, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("version", words.version)
        for item in words.items:
            self.fields[item.id] = forms.BooleanField(label=item.title, required=False, help_text=item.text)
        self._words = words

    def ticks(self) -> list[tuple[forms.BoundField, Any]]:
        """Each tick with what is said under it."""
        return [(self[item.id], item) for item in self._words.items]

    def signature(self) -> list[forms.BoundField]:
        """The fields under the ticks."""
        return [self[name] for name in ("signed_name", "language", "interpreter")]

    def ticked(self) -> list[str]:
        """The headings that were gone through."""
        return [item.id for item in self._words.items if self.cleaned_data.get(item.id)]


class WithdrawForm(forms.Form):
    """The patient takes it back."""

    reason = forms.CharField(label="What the patient said", max_length=300)


@require_http_methods(["GET", "POST"])
def consent(request: ClinicRequest, course_id: uuid.UUID) -> HttpResponse:
    """Go through the checklist and sign, or take a consent back.

    Context: ``course``, ``patient``, ``weight``, ``words`` (version and headings), ``standing`` (``state``,
    ``because``, ``ask``), ``records`` (the last first), ``form``, ``withdraw_form`` (where there is one to take back),
    ``may_record``, ``by_hand`` (a value entered by hand, where it stands because no consent was recorded).
    """
    course = course_of(request.site, course_id)
    words = consent_queries.form_of(course)
    status = 200
    posted = request.POST.get("act", "") if request.method == "POST" else ""
    form = GiveForm(words, request.POST if posted == "give" else None, auto_id="give-%s")
    withdraw = WithdrawForm(request.POST if posted == "withdraw" else None, auto_id="withdraw-%s")
    if request.method == "POST":
        status = 400
        used = withdraw if posted == "withdraw" else form
        if used.is_valid():
            try:
                if posted == "withdraw":
                    consents.withdraw_consent(by=request.user, course=course, reason=withdraw.cleaned_data["reason"])
                else:
                    consents.record_consent(by=request.user, course=course, ticked=form.ticked(), **_signature(form))
            except LimenError as problem:
                status = blame(used, problem)
            else:
                return redirect("patients:consent", course.pk)
    rows = consent_queries.records(course)
    found = consent_queries.standing_of(course, today(course.site), rows)
    context = charts.head(course.patient)
    newest = context.pop("newest")
    context |= {
        "by_hand": newest.get("facts.consent_signed") if not rows else None,
        "course": course,
        "words": words,
        "standing": found,
        "records": rows,
        "form": form,
        "withdraw_form": withdraw if rows and rows[0].kind == "given" else None,
        "may_record": Permission.FACTS_RECORD in request.may,
        "here": "patients",
    }
    return render(request, "patients/consent.html", context, status=status)


def _signature(form: GiveForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("version", "signed_name", "language", "interpreter")}
