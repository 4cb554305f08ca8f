"""Names of outputs as a person reads them."""

from __future__ import annotations

import functools

from limen.pharmacology.effects.catalogue import effects

_MATRICES = ("arterial", "venous", "plasma", "effect_site")
# Ending of a NAME -> the unit in print.
_UNITS = (
    ("_ng_per_mL", "ng/mL"),
    ("_mmHg", "mmHg"),
    ("_per_min", "per min"),
    ("_pct", "%"),
    ("_ratio", "ratio"),
    ("_from_placebo", "points"),
    ("_h", "h"),
)


def in_words(name: str) -> str:
    """An output's NAME as a person reads it, with its unit.

    Examples
    --------
    >>> in_words("S_ketamine_venous_ng_per_mL")
    'S-ketamine, venous, ng/mL'
    >>> in_words("ketamine_effect_site_ng_per_mL")
    'Ketamine, effect site, ng/mL'
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
    for matrix in _MATRICES:
        analyte, found, unit = name.partition(f"_{matrix}_")
        if found and unit == "ng_per_mL":
            analyte = analyte.replace("_", "-")
            return f"{analyte[0].upper()}{analyte[1:]}, {matrix.replace('_', ' ')}", "ng/mL"
    unit = next((words for ending, words in _UNITS if name.endswith(ending)), "")
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
