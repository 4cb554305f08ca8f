"""Names of outputs as a person reads them."""

from __future__ import annotations

import functools

from limen.pharmacology.effects.catalogue import effects
from limen.pharmacology.exposure import CONCENTRATIONS, unit_of

# Where a concentration is, as the end of a phrase.
_PLACES = {
    "arterial": "in arterial plasma",
    "venous": "in venous plasma",
    "plasma": "in plasma",
    "effect_site": "at the effect site",
}


def in_words(name: str) -> str:
    """An output's NAME as a person reads it, with its unit.

    Examples
    --------
    >>> in_words("S_ketamine_venous_ng_per_mL")
    'S-ketamine in venous plasma, ng/mL'
    >>> in_words("ketamine_effect_site_ng_per_mL")
    'Ketamine at the effect site, ng/mL'
    >>> in_words("sbp_change_mmHg")
    'Rise in systolic pressure, mmHg'
    """
    what, unit = parts(name)
    return f"{what}, {unit}" if unit else what


def parts(name: str) -> tuple[str, str]:
    """What an output is, and its unit.

    Examples
    --------
    >>> parts("dissociation_pct")
    ('External perception (dissociation)', '%')
    >>> parts("unresponsive_until_plasma_level_pct")
    ('Probability of being unresponsive, by plasma', '%')
    """
    unit = unit_of(name)
    for matrix, place in _PLACES.items():
        analyte, found, ending = name.partition(f"_{matrix}_")
        if found and f"_{ending}" in CONCENTRATIONS:
            analyte = analyte.replace("_", "-")
            return f"{analyte[0].upper()}{analyte[1:]} {place}", unit
    return _titles().get(name, name), unit


@functools.cache
def _titles() -> dict[str, str]:
    models = effects()
    awake, nmda = models.responsiveness, models.occupancy
    return {
        **{item.output: item.title for item in models.indices},
        **{item.output: item.title for item in models.lines},
        awake.output: awake.title,
        awake.output_by_plasma: f"{awake.title}, by plasma",
        models.ventilation.output: models.ventilation.title,
        nmda.outputs.enantiomers: f"{nmda.title}, by S and R",
        nmda.outputs.racemate: f"{nmda.title}, by racemate",
        "madrs_difference_from_placebo": "MADRS, difference from placebo",
        "ready_to_leave_h": "Ready to leave",
        "relapsed": "Relapsed",
    }
