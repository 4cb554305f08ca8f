"""A session's facts for the discharge decision."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limen.care.alarm_limits import Watch
from limen.care.alarm_state import Sample
from limen.care.discharge import DischargeFacts, Pressure, Readiness, Seen, readiness
from limen.knowledge.discharge import DischargeRules, discharge
from limen.session.events import Event, ObservationRecorded
from limen.session.header import SessionHeader
from limen.session.state import SessionState, fold

_NASAL = "esketamine-nasal"
# What a device reads as well as a person.
_READ = {"spo2_pct": "SPO2", "sbp_mmHg": "NIBP_SYS", "dbp_mmHg": "NIBP_DIA"}
_PRODUCTS = {"ESK-TRD": _NASAL, "ESK-SI": _NASAL, "ESK-ELD": _NASAL}


def discharge_facts(
    header: SessionHeader,
    state: SessionState,
    samples: Sequence[Sample],
    watch: Watch,
    rules: DischargeRules | None = None,
) -> DischargeFacts:
    """What is known at ``state.at_t_s`` for the discharge decision.

    Parameters
    ----------
    samples : sequence of Sample
        Received by then; readings only, artefacts are passed over.
    watch : Watch
        Tells a reading from an artefact.
    rules : DischargeRules, optional
        The installed ones where not given: of several routes the one counts that keeps the patient longest.
    """
    now = state.at_t_s
    seen = {key: Seen(noted.t_s, noted.value) for key, noted in state.latest.items()}
    readings = [
        sample
        for sample in samples
        if sample.received_t_s <= now and sample.t_s <= now and watch.readable(sample.signal, sample.value)
    ]
    for key, signal in _READ.items():
        newest = max((one for one in readings if one.signal == signal), key=lambda one: one.t_s, default=None)
        if newest is not None and (key not in seen or seen[key].t_s < newest.t_s):
            seen[key] = Seen(newest.t_s, newest.value)
    start = header.baseline_values()
    product, route = dose_route(header, state, rules)
    first = state.latest.get("device_first_t_s")
    devices = [dose.t_s for dose in state.doses if dose.route in {"in", "nasal"}]
    return DischargeFacts(
        at_t_s=now,
        product=product,
        route=route,
        running=state.phase in {"running", "paused"},
        dose_end_t_s=state.end_t_s,
        first_device_t_s=float(first.value) if first is not None else min(devices, default=None),
        seen=seen,
        pressures=_pressures(state.observations, readings),
        baseline_sbp_mmHg=start["sbp_mmHg"],
        baseline_dbp_mmHg=start["dbp_mmHg"],
        baseline_spo2_pct=start["spo2_pct"],
        session_number=header.session_number,
    )


def ready_at(
    header: SessionHeader,
    events: Sequence[Event],
    samples: Sequence[Sample],
    watch: Watch,
    at_t_s: float,
    rules: DischargeRules | None = None,
) -> Readiness:
    """Whether the patient may leave at one second of a session."""
    state = fold(header, events, at_t_s=at_t_s)
    return readiness(discharge_facts(header, state, samples, watch, rules), rules)


def dose_route(
    header: SessionHeader, state: SessionState, rules: DischargeRules | None = None
) -> tuple[str | None, str | None]:
    """Product and route of what was given: as recorded with the dose, else as planned.

    Of several routes the one that keeps the patient longest, and before all one that no rule knows.
    """
    product = header.product or _PRODUCTS.get(header.protocol or "")
    used = rules or discharge()

    def stay_min(route: str) -> float:
        known = used.time_for(product, route)
        return math.inf if known is None else known.with_escort_min

    given = [*(run.route for run in reversed(state.infusions)), *(dose.route for dose in reversed(state.doses))]
    return product, max(given, key=stay_min, default=header.route)


def _pressures(observations: Sequence[ObservationRecorded], readings: Sequence[Sample]) -> tuple[Pressure, ...]:
    """Pairs of one measurement, by hand or by the cuff, in order of time."""
    found = [
        Pressure(entry.t_s, entry.sbp_mmHg, entry.dbp_mmHg)
        for entry in observations
        if entry.sbp_mmHg is not None and entry.dbp_mmHg is not None
    ]
    low = {(sample.t_s, sample.device): sample.value for sample in readings if sample.signal == "NIBP_DIA"}
    for sample in readings:
        diastolic = low.get((sample.t_s, sample.device))
        if sample.signal == "NIBP_SYS" and sample.value is not None and diastolic is not None:
            found.append(Pressure(sample.t_s, sample.value, diastolic))
    return tuple(sorted(found, key=lambda entry: entry.t_s))
