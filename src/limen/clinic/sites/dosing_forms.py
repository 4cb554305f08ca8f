"""The form of a site's dosing settings: the limits of its own, one row each, its equipment, and the reason."""

from __future__ import annotations

from typing import Any

from django import forms

from limen.care.site_dosing import KIND_WORDS, MEASURE_WORDS, Equipment, SiteDosing

_PRODUCTS = (
    ("", "every product"),
    ("racemic", "racemic ketamine"),
    ("s-ketamine", "S-ketamine"),
    ("esketamine-nasal", "nasal esketamine"),
)
_UNITS = (
    ("mg", "mg"),
    ("mg/kg", "mg/kg"),
    ("mg/h", "mg/h"),
    ("mg/kg/h", "mg/kg/h"),
    ("min", "min"),
    ("sessions", "sessions"),
    ("days", "days"),
)
# Rows left free for new limits.
FREE_ROWS = 2


class LimitForm(forms.Form):
    """One limit. A row left wholly empty is no limit."""

    name = forms.CharField(label="Name, as the plan will say it", max_length=80)
    product = forms.ChoiceField(label="For", choices=_PRODUCTS, required=False)
    kind = forms.ChoiceField(label="How it works", choices=(("", "choose"), *KIND_WORDS.items()))
    measure = forms.ChoiceField(label="What it bounds", choices=(("", "choose"), *MEASURE_WORDS.items()))
    limit = forms.FloatField(
        label="Number", widget=forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"})
    )
    unit = forms.ChoiceField(label="Unit", choices=(("", "choose"), *_UNITS))
    why = forms.CharField(label="Why, as the plan will say it", max_length=300)
    off = forms.BooleanField(label="Take this limit off", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.initial:
            del self.fields["off"]


LimitForms = forms.formset_factory(LimitForm, extra=FREE_ROWS, max_num=40, validate_max=True)


class EquipmentForm(forms.Form):
    """What the site gives with; left empty is not declared, and then not judged."""

    syringe_mL = forms.FloatField(label="Syringe, at most", required=False)
    pump_least_mL_per_h = forms.FloatField(label="Pump, slowest rate", required=False)
    pump_most_mL_per_h = forms.FloatField(label="Pump, fastest rate", required=False)
    dead_space_mL = forms.FloatField(label="Dead space of the line", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"})


class WhyForm(forms.Form):
    """The reason for the record."""

    why = forms.CharField(
        label="Why these settings", max_length=300, widget=forms.Textarea(attrs={"rows": 2, "maxlength": 300})
    )


class SignDosingForm(forms.Form):
    """The version that was read."""

    number = forms.IntegerField(widget=forms.HiddenInput)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class DropDosingForm(forms.Form):
    """Why a proposal is taken off the table."""

    number = forms.IntegerField(widget=forms.HiddenInput)
    why = forms.CharField(label="Why it is dropped", max_length=300)


def rows_of(dosing: SiteDosing) -> list[dict[str, Any]]:
    """The limits as rows of the form."""
    return [item.model_dump(mode="json") | {"product": item.product or ""} for item in dosing.limits]


def declared(limits: Any, equipment: EquipmentForm) -> dict[str, Any]:
    """The whole of the settings as the forms have them: valid forms only."""
    rows = [form.cleaned_data for form in limits if form.cleaned_data and not form.cleaned_data.get("off")]
    return {
        "limits": [
            {key: value for key, value in row.items() if key != "off"} | {"product": row["product"] or None}
            for row in rows
        ],
        "equipment": {name: equipment.cleaned_data.get(name) for name in Equipment.model_fields},
    }
