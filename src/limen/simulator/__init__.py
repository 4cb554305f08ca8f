"""Virtual patients at virtual chairs: made-up input that behaves like a bedside monitor, faults included."""

from limen.simulator.chair import VirtualChair
from limen.simulator.deterioration import Illness, deteriorations, find_deterioration
from limen.simulator.faults import Fault
from limen.simulator.patient import VirtualPatient, Vitals
from limen.simulator.samples import SIGNALS, Sample

__all__ = [
    "SIGNALS",
    "Fault",
    "Illness",
    "Sample",
    "VirtualChair",
    "VirtualPatient",
    "Vitals",
    "deteriorations",
    "find_deterioration",
]
