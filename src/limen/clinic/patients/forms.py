"""Forms about a patient. They read what was typed; whether it is possible is decided by the action."""

from __future__ import annotations

from typing import Any

from django import forms

from limen.clinic.patients.cssrs import topic
from limen.clinic.patients.fact_groups import C_SSRS, FactGroup
from limen.clinic.patients.models import Patient
from limen.knowledge.inputs import InputSpec, inputs

YES_NO = (("yes", "yes"), ("no", "no"))
DAY = forms.DateInput(attrs={"type": "date"})


class MomentField(forms.DateTimeField):
    """A date and time on the site's clock."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs)


class RegisterForm(forms.Form):
    """A patient without a referral."""

    mrn = forms.CharField(label="Record number", max_length=64)
    given_name = forms.CharField(label="Given name", max_length=120)
    family_name = forms.CharField(label="Family name", max_length=120)
    birth_date = forms.DateField(label="Date of birth", widget=DAY)
    sex = forms.ChoiceField(label="Sex", choices=Patient.Sex.choices, widget=forms.RadioSelect)
    phone = forms.CharField(label="Telephone", max_length=40, required=False)


class ImportForm(forms.Form):
    """A referral as a FHIR bundle."""

    bundle = forms.FileField(label="FHIR R4 bundle", help_text="A JSON file about one patient, up to 20 MB")


class FactsForm(forms.Form):
    """One group of facts, every field empty: nothing clinical is ever copied forward."""

    def __init__(self, group: FactGroup, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = inputs()
        for key in group.keys:
            spec = known[key]
            if spec.kind == "answers":
                for name in spec.choices:
                    self.fields[f"{key}.{name}"] = _yes_no(topic(name))
            else:
                self.fields[key] = _field(spec)
        self.fields["measured_at"] = MomentField(label="When, if not now", required=False)

    def values(self) -> dict[str, Any]:
        """What was entered, by key; what was left empty is not there."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name == "measured_at" or value in (None, ""):
                continue
            if name.startswith(f"{C_SSRS}."):
                found.setdefault(C_SSRS, {})[name.removeprefix(f"{C_SSRS}.")] = value == "yes"
            elif inputs()[name].kind == "flag":
                found[name] = value == "yes"
            else:
                found[name] = value
        return found


def _field(spec: InputSpec) -> forms.Field:
    label = spec.title if spec.title[1:2].isupper() else spec.title[:1].upper() + spec.title[1:]  # eGFR stays eGFR
    match spec.kind:
        case "number":
            return forms.FloatField(
                label=label, required=False, widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
            )
        case "integer" | "count":
            return forms.IntegerField(
                label=label, required=False, widget=forms.NumberInput(attrs={"inputmode": "numeric"})
            )
        case "flag":
            return _yes_no(label)
        case "choice":
            choices = [(choice, choice.replace("-", " ")) for choice in spec.choices]
            return forms.ChoiceField(label=label, choices=choices, required=False, widget=forms.RadioSelect)
        case "date":
            return forms.DateField(label=label, required=False, widget=DAY)
        case _:
            return forms.CharField(label=label, required=False, max_length=200)


def _yes_no(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=YES_NO, required=False, widget=forms.RadioSelect)


class ConditionForm(forms.Form):
    """A diagnosis."""

    text = forms.CharField(label="Diagnosis", max_length=300)
    code = forms.CharField(label="Code", max_length=40, required=False)
    system = forms.ChoiceField(
        label="Of which system",
        choices=[("icd10", "ICD-10"), ("snomed", "SNOMED CT")],
        required=False,
        widget=forms.RadioSelect,
    )
    status = forms.ChoiceField(
        label="Status", choices=[("active", "active"), ("resolved", "resolved")], widget=forms.RadioSelect
    )
    onset = forms.DateField(label="Since", required=False, widget=DAY)


class MedicationForm(forms.Form):
    """A drug."""

    name = forms.CharField(label="Drug", max_length=300)
    dose = forms.CharField(label="Dose", max_length=120, required=False)
    status = forms.ChoiceField(
        label="Status", choices=[("active", "takes it"), ("stopped", "stopped")], widget=forms.RadioSelect
    )
    last_taken_at = MomentField(label="Last taken", required=False)


class HistoryForm(forms.Form):
    """Says that the patient was asked about all of them."""

    about = forms.ChoiceField(
        label="Asked about all",
        choices=[("conditions", "conditions"), ("medications", "medications")],
        widget=forms.RadioSelect,
    )


class CorrectForm(forms.Form):
    """Another value in a fact's place, or none."""

    value = forms.CharField(label="What it should be; empty takes it back", max_length=200, required=False)
    reason = forms.CharField(label="What was wrong", max_length=300)


class RetractForm(forms.Form):
    """Why an entry is taken back."""

    reason = forms.CharField(label="What was wrong", max_length=300)
