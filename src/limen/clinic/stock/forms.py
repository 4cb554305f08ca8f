"""Forms of the ledger. Amounts stay text until the ledger reads them; nothing is filled in beforehand."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms

from limen.knowledge.drugs import Product, products

_AMOUNT = {"inputmode": "decimal", "autocomplete": "off", "size": 8}


class LineForm(forms.Form):
    """What every line has: an amount, and a key so that a form sent twice is written once."""

    amount_mg = forms.CharField(label="Amount", widget=forms.TextInput(attrs=_AMOUNT))
    reason = forms.CharField(label="Reason", required=False, max_length=300)
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": str(uuid.uuid4()), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)


class Witnessed(LineForm):
    """A line that a second person signs."""

    witness = forms.CharField(
        label="Second person: user name", widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"})
    )
    witness_password = forms.CharField(
        label="Second person: password", widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )


class MaybeWitnessed(Witnessed):
    """A line that a second person may sign; the ledger says where one must."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["witness"].required = False
        self.fields["witness_password"].required = False


class DrawForm(Witnessed):
    """Draw up from the vial in the hand."""

    vial = forms.CharField(label="Vial in your hand: scan or type its label", max_length=60)
    field_order = ("vial", "amount_mg", "reason", "witness", "witness_password", "key")


class WasteForm(Witnessed):
    """Waste, with why."""

    vial = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(label="Why it is wasted", max_length=300)


class ReturnForm(MaybeWitnessed):
    """Back into the vial."""

    vial = forms.CharField(widget=forms.HiddenInput)


class FirstCountForm(LineForm):
    """What the first person sees in the vial, before the book says what it expects."""

    field_order = ("amount_mg", "reason", "key")


class SecondCountForm(forms.Form):
    """What the second person sees, who has not been shown the first count."""

    amount_mg = forms.CharField(label="Amount you see", widget=forms.TextInput(attrs=_AMOUNT))
    witness = forms.CharField(
        label="Second person: user name", widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"})
    )
    witness_password = forms.CharField(
        label="Second person: password", widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )


class ReasonForm(MaybeWitnessed):
    """Lose, correct what is on hand."""

    reason = forms.CharField(label="Why", max_length=300)


class CorrectForm(ReasonForm):
    """The right amount of an entry, or of what is on hand where no entry is named."""

    corrects = forms.CharField(required=False, widget=forms.HiddenInput)


class DestroyForm(Witnessed):
    """Destroy stock."""

    reason = forms.CharField(label="Why and how", max_length=300)


def _made_in(product: Product) -> str:
    if product.device is not None:
        return f"{product.device.dose_mg:g} mg a device, strength and volume stay empty"
    return f"{', '.join(f'{strength:g}' for strength in product.strengths_mg_per_mL)} mg/mL"


class ReceiveForm(forms.Form):
    """The vial's label, as it stands on the vial."""

    label = forms.CharField(label="Vial label", max_length=60)
    product = forms.ChoiceField(widget=forms.RadioSelect)
    strength_mg_per_mL = forms.CharField(label="Strength", required=False, widget=forms.TextInput(attrs=_AMOUNT))
    volume_mL = forms.CharField(label="Volume", required=False, widget=forms.TextInput(attrs=_AMOUNT))
    lot = forms.CharField(label="Lot", max_length=60)
    expiry = forms.DateField(label="Expires", widget=forms.DateInput(attrs={"type": "date"}))
    supplier = forms.CharField(label="Supplier", required=False, max_length=120)
    invoice = forms.CharField(label="Invoice", required=False, max_length=120)
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": str(uuid.uuid4()), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        listed = [
            (item.id, f"{item.title}: {_made_in(item)}")
            for item in products().values()
            if item.vials or item.device is not None
        ]
        cast(forms.ChoiceField, self.fields["product"]).choices = listed


FORMS: dict[str, type[LineForm]] = {
    "draw": DrawForm,
    "waste": WasteForm,
    "return": ReturnForm,
    "transfer": MaybeWitnessed,
    "lose": ReasonForm,
    "destroy": DestroyForm,
    "correct": CorrectForm,
}
