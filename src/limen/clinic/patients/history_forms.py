"""Forms of a history: allergies, and the antidepressants that were tried."""

from __future__ import annotations

from typing import Any

from django import forms

from limen.clinic.patients.forms import MomentField

NONE, SOME = "none", "some"
# As a person says them; the codes are those of limen.care.trials.
ADHERENCE = (("good", "as prescribed"), ("partial", "in part"), ("poor", "not as prescribed"))
RESPONSE = (
    ("none", "no better"),
    ("partial", "less than half better"),
    ("response", "half better or more"),
    ("remission", "well again"),
    ("intolerant", "stopped for side effects"),
)
EPISODE = (("current", "this episode"), ("earlier", "an earlier one"))


class AllergyForm(forms.Form):
    """The answer to "any allergies?"."""

    answer = forms.ChoiceField(
        label="Any allergies?",
        choices=((NONE, "none known"), (SOME, "these")),
        widget=forms.RadioSelect,
    )
    names = forms.CharField(
        label="Which, with the reaction; one a line",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    measured_at = MomentField(label="When, if not now", required=False)

    def values(self) -> dict[str, Any]:
        """As the action takes them."""
        said = self.cleaned_data
        return {
            "none": said["answer"] == NONE,
            "names": said["names"].splitlines(),
            "effective_at": said["measured_at"],
        }


class TrialForm(forms.Form):
    """One antidepressant that was tried. What nobody knows stays empty."""

    drug = forms.CharField(label="Drug", max_length=120)
    dose_mg_per_day = forms.FloatField(
        label="Highest dose held",
        required=False,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"}),
    )
    weeks = forms.FloatField(
        label="How long at it",
        required=False,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"}),
    )
    adherence = forms.ChoiceField(label="Taken", choices=ADHERENCE, required=False, widget=forms.RadioSelect)
    response = forms.ChoiceField(label="What came of it", choices=RESPONSE, required=False, widget=forms.RadioSelect)
    improvement_pct = forms.FloatField(
        label="Better by, where a scale was used",
        required=False,
        help_text="Decides before the words. Worse is negative.",
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    episode = forms.ChoiceField(label="In", choices=EPISODE, widget=forms.RadioSelect)

    def values(self) -> dict[str, Any]:
        """As the action takes them."""
        return {name: self.cleaned_data[name] for name in TrialForm.base_fields}


class TrialCorrectForm(TrialForm):
    """The same entry as it should be, and what was wrong."""

    reason = forms.CharField(label="What was wrong", max_length=300)
