"""One number from one sensor at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from limen.session.signals import PUMP_SIGNALS

# The signals a device may send, with their units.
SIGNALS: dict[str, str] = {
    "HR": "/min",
    "PULSE": "/min",
    "SPO2": "%",
    "RR": "/min",
    "NIBP_SYS": "mmHg",
    "NIBP_DIA": "mmHg",
    "NIBP_MEAN": "mmHg",
    "ETCO2": "mmHg",
    "TEMP": "degC",
    **PUMP_SIGNALS,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A value as the sensor gave it.

    Attributes
    ----------
    t_s : float
        Seconds on the source's own clock.
    seq : int
        Grows by one with every moment of the source; one signal has one value for one number.
    signal : str
        A key of ``SIGNALS``.
    value : float or None
        ``None`` where the sensor answered without a value. A 0 is passed on as it was sent.
    """

    t_s: float
    seq: int
    signal: str
    value: float | None
