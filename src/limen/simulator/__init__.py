"""Virtual patients at virtual chairs: made-up input that behaves like a bedside monitor, faults included."""

from limen.simulator.chair import Fault, VirtualChair
from limen.simulator.patient import VirtualPatient, Vitals
from limen.simulator.samples import SIGNALS, Sample

__all__ = ["SIGNALS", "Fault", "Sample", "VirtualChair", "VirtualPatient", "Vitals"]
