"""Forms about a course. They read what was typed; whether it may be is decided by the action."""

from __future__ import annotations

from typing import Any

from django import forms

from limen.care.case import INDICATIONS, PRODUCTS, ROUTES
from limen.clinic.courses.models import Course
from limen.knowledge.drugs import get_product
from limen.knowledge.protocols import protocols


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value.replace("-", " ")) for value in values]


class OpenForm(forms.Form):
    """What is treated, with what, by which route, where."""

    indication = forms.ChoiceField(label="Indication", choices=_choices(INDICATIONS))
    product = forms.ChoiceField(label="Product", choices=_choices(PRODUCTS), widget=forms.RadioSelect)
    route = forms.ChoiceField(label="Route", choices=_choices(ROUTES))
    setting = forms.ChoiceField(label="Setting", help_text="Where this site can treat")
    protocol = forms.ChoiceField(label="Protocol", required=False)

    def __init__(self, settings: tuple[str, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["setting"].choices = _choices(settings)  # type: ignore[attr-defined]
        known = [(row.id, f"{row.id}: {row.title}") for row in protocols().values()]
        self.fields["protocol"].choices = [("", "not chosen yet"), *known]  # type: ignore[attr-defined]


class OverrideForm(forms.Form):
    """A decision against one finding."""

    rule = forms.ChoiceField(label="Finding")
    reason = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, rules: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = rules  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    """What the prescriber asks for."""

    protocol = forms.ChoiceField(label="Protocol")
    dose_text = forms.CharField(
        label="Dose asked",
        max_length=120,
        required=False,
        help_text="Such as 0.5 mg/kg iv over 40 min. Empty: the protocol's usual dose",
    )
    concentration_mg_per_mL = forms.TypedChoiceField(
        label="Vial strength", coerce=float, empty_value=None, required=False, widget=forms.RadioSelect
    )
    dilute_to_mg_per_mL = forms.FloatField(
        label="Diluted to",
        required=False,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        help_text="Empty: the vial as it is",
    )
    weight_basis = forms.ChoiceField(label="Weight the dose follows", required=False)
    pass_walls = forms.MultipleChoiceField(
        label="Soft limits passed on purpose", required=False, widget=forms.CheckboxSelectMultiple
    )
    pass_because = forms.CharField(label="Why they are passed", max_length=300, required=False)

    def __init__(self, course: Course, protocol: str, soft_walls: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Beside the field and not in it: a number standing there, even a pale one, would read as what is asked.
        self.fields["dilute_to_mg_per_mL"].help_text = f"{_own_preparation(protocol)}Empty: the vial as it is"
        fitting = [row for row in protocols().values() if (row.product, row.route) == (course.product, course.route)]
        # Those for this indication first. None stands chosen that nobody chose: the first of a list is not a choice.
        fitting.sort(key=lambda row: (row.indication != course.indication, row.id))
        listed = [(row.id, f"{row.id}: {row.title}") for row in fitting]
        self.fields["protocol"].choices = listed if protocol else [("", "choose"), *listed]  # type: ignore[attr-defined]
        self.fields["weight_basis"].choices = _weights(protocol)  # type: ignore[attr-defined]
        strengths = get_product(course.product).strengths_mg_per_mL
        self.fields["concentration_mg_per_mL"].choices = [  # type: ignore[attr-defined]
            (f"{strength:g}", f"{strength:g} mg/mL") for strength in strengths
        ]
        if soft_walls:
            self.fields["pass_walls"].choices = [(name, name) for name in soft_walls]  # type: ignore[attr-defined]
        else:
            del self.fields["pass_walls"], self.fields["pass_because"]

    def clean(self) -> dict[str, Any]:
        """One field says both how strong and whether it is diluted at all."""
        asked = super().clean() or {}
        if asked.get("concentration_mg_per_mL") is not None:
            asked["diluted"] = asked.get("dilute_to_mg_per_mL") is not None
        return asked


def _weights(protocol: str) -> list[tuple[str, str]]:
    """The protocol's own weight, and the other one it allows."""
    if protocol not in protocols():
        return [("", "the protocol's own")]
    rule = protocols()[protocol].weight
    listed = [("", f"{rule.basis}, the protocol's own")]
    if rule.alternative is not None:
        least = rule.alternative_from_bmi_kg_per_m2
        whom = "" if least is None else f", from a body mass index of {least:g}"
        listed.append((rule.alternative, f"{rule.alternative}{whom}"))
    return listed


def _own_preparation(protocol: str) -> str:
    usual = protocols()[protocol].preparation if protocol in protocols() else None
    if usual is None:
        return ""
    strength = f"{usual.concentration_mg_per_mL:g} mg/mL in {usual.diluent} ({usual.verification.words})"
    return f"{protocol}'s own: {strength}. "
