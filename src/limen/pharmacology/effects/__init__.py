"""From concentration to effect: published parameters, their spread, and what each effect is not."""

from limen.pharmacology.effects.catalogue import Effects, effects
from limen.pharmacology.effects.outputs import CHAIRSIDE, effect_flags, effect_outputs, effect_sources, links

__all__ = ["CHAIRSIDE", "Effects", "effect_flags", "effect_outputs", "effect_sources", "effects", "links"]
