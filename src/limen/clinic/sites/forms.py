"""Forms of a site: a signature under a standing order, its withdrawal, one presentation of the rescue stock."""

from __future__ import annotations

from typing import Any

from django import forms

from limen.knowledge.standing_orders import ROUTE_WORDS, StandingOrder, standing_orders


class SignForm(forms.Form):
    """What a director names when signing; nothing is filled in beforehand but the version that was read."""

    order = forms.CharField(widget=forms.HiddenInput, max_length=80)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    interval_min = forms.FloatField(label="Minutes between two doses", required=False)
    max_doses = forms.IntegerField(label="Doses in one session, at most", required=False)
    expires_on = forms.DateField(label="Ends on", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, order: StandingOrder, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"order": order.id, "digest": order.digest}
        kwargs.setdefault("prefix", order.id)
        super().__init__(*args, **kwargs)
        for name in ("interval_min", "max_doses"):
            if order.repeat is None:
                del self.fields[name]
            elif name in order.terms_asked:
                self.fields[name].required = True
                self.fields[name].help_text = "The sources give none: you name it."
            else:
                self.fields[name].help_text = "Only if yours is stricter."


class WithdrawForm(forms.Form):
    """Why a signature is taken back."""

    reason = forms.CharField(label="Why it is withdrawn", max_length=300)


class StockForm(forms.Form):
    """One presentation, as its label says."""

    drug = forms.ChoiceField(label="Drug")
    label = forms.CharField(label="Name on the label", required=False, max_length=60)
    concentration_mg_per_mL = forms.FloatField(label="Strength of a fluid", required=False)
    unit_mg = forms.FloatField(label="Or milligrams in one tablet", required=False)
    routes = forms.MultipleChoiceField(
        label="Given",
        choices=[(key, words) for key, words in ROUTE_WORDS.items() if key != "inhaled"],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = forms.DateField(label="Expires on", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = {order.drug for order in standing_orders().values() if order.given_as is None and not order.withheld}
        self.fields["drug"].choices = [(name, name) for name in sorted(named)]  # type: ignore[attr-defined]
