"""How far studies of one bioavailability disagree, apart from how far people within one study differ.

A stated range holds both. The part between studies is one draw for everybody, for it is not known which study is right;
the part between people is each one's own. Together they are the stated range again: it is never narrowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.pharmacology.absorption.assumed import Assumption, column_of

Array = npt.NDArray[np.float64]

_Z90 = 1.6448536269514722
StandardNormal = float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The two parts of one stated range.

    Attributes
    ----------
    between_studies_fraction : float
        Share of the variance, on the scale of the range, that is between studies: as much as makes the 90 % interval
        of a study's median reach the study that is furthest out.
    """

    assumption: Assumption
    between_studies_fraction: float

    @property
    def column(self) -> str:
        """The column of draws of this bioavailability."""
        return column_of(self.assumption.route)

    def held(self, own: Array, shared: StandardNormal) -> Array:
        """Draws of people of whom one study is true.

        Parameters
        ----------
        own : array (patients,)
            Each one's standard normal draw.
        shared : float
            The study's, the same for all.

        Returns
        -------
        array (patients,)
            Standard normal over patients and studies together.
        """
        studies = self.between_studies_fraction
        found: Array = math.sqrt(studies) * shared + math.sqrt(1.0 - studies) * own
        return found

    def to_json(self) -> dict[str, Any]:
        """The stated range, and its two parts: 90 of 100 studies' medians, 90 of 100 people of one study."""
        share = self.assumption.fraction
        studies, people = self.between_studies_fraction, 1.0 - self.between_studies_fraction

        def span(part: float) -> dict[str, float]:
            low, high = share.drawn(np.array([-_Z90, _Z90]) * math.sqrt(part)).tolist()
            return {"low": low, "high": high}

        return {
            "route": self.assumption.route,
            "product": self.assumption.product,
            "typical": share.typical,
            "stated": {"low": share.low, "high": share.high},
            "between_studies": span(studies),
            "between_patients": span(people),
            "between_studies_fraction": studies,
            "studies": [
                {"value": item.value, "verification": item.verification.value, "source": item.source, "note": item.note}
                for item in self.assumption.studies
            ],
        }


def disagreement(assumption: Assumption) -> Disagreement | None:
    """How far the studies behind a stated bioavailability disagree; None where one study, or no range, stands.

    Examples
    --------
    >>> from limen.pharmacology.absorption.assumed import assumption
    >>> nose = disagreement(assumption("in", "racemic")).to_json()
    >>> round(nose["between_studies"]["low"], 2), nose["stated"]
    (0.11, {'low': 0.1, 'high': 0.6})
    >>> disagreement(assumption("im", "racemic")) is None
    True
    """
    share = assumption.fraction
    if len(assumption.studies) < 2 or share.low is None or share.high is None:
        return None
    furthest = max(abs(share.place_of(item.value)) for item in assumption.studies)
    return Disagreement(assumption, min(1.0, (furthest / _Z90) ** 2))


def disagreements(found: Sequence[Assumption]) -> tuple[Disagreement, ...]:
    """Those of several assumptions on which studies disagree."""
    each = [disagreement(item) for item in dict.fromkeys(found)]
    return tuple(item for item in each if item is not None)
