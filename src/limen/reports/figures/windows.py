"""Windows of concentration that published regimens reached, for the figure of target attainment."""

from __future__ import annotations

import functools
from importlib import resources

from pydantic import RootModel, model_validator

from limen.evidence import read_yaml
from limen.pharmacology.models.schema import Product, Sourced


class Window(Sourced):
    """A range of one output.

    Attributes
    ----------
    low, high : float
        In ``unit``; both ends are inside.
    """

    product: Product
    output: str
    low: float
    high: float
    unit: str

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if not 0 < self.low < self.high:
            raise ValueError("0 < low < high does not hold")
        return self


class _Windows(RootModel[tuple[Window, ...]]):
    pass


@functools.cache
def windows() -> tuple[Window, ...]:
    """Every window on file."""
    return read_yaml(resources.files("limen.reports") / "data" / "windows.yaml", _Windows).root


def window_of(product: str) -> Window | None:
    """The window of a product; None where none was published.

    Examples
    --------
    >>> window_of("racemic").high, window_of("esketamine-nasal")
    (250.0, None)
    """
    return next((window for window in windows() if window.product == product), None)
