"""The newest forecast in a session's record, as pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limen.session.events import Event
from limen.session.forecast_event import ForecastUpdated


def newest_forecast(events: Sequence[Event]) -> ForecastUpdated | None:
    """The last forecast in the record, or none."""
    return next((event for event in reversed(events) if isinstance(event, ForecastUpdated)), None)


def drawn(planned: dict[str, Any], newest: ForecastUpdated | None, *, every: int = 1) -> dict[str, Any]:
    """The curves to draw: those fitted to what was seen where there are any, else those of the plan."""
    if newest is None or not newest.outlook:
        return planned
    curves = newest.outlook
    return {
        "basis": "twin",
        "t_s": curves["t_s"][::every],
        "outputs": {
            name: {part: values[::every] for part, values in bands.items()} for name, bands in curves["outputs"].items()
        },
        "members": curves["members"],
        "flags": planned["flags"],
    }


def twin_json(newest: ForecastUpdated | None) -> dict[str, Any] | None:
    """What the chair's page says of it in words and numbers."""
    if newest is None:
        return None
    return {
        "t_s": newest.t_s,
        "readings": newest.readings,
        "learned": newest.learned,
        "said": newest.said,
        "members": len((newest.outlook or {}).get("members", ())),
        "peak": newest.peak,
        "returns": list(newest.returns),
        "ready": newest.ready,
    }
