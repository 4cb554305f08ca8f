"""A session's facts for the discharge decision."""

from __future__ import annotations

from collections.abc import Sequence

from limen.care.alarm_limits import Watch
from limen.care.alarm_state import Sample
from limen.care.discharge import DischargeFacts, Pressure, Readiness, Seen, readiness
from limen.knowledge.discharge import DischargeRules
from limen.session.events import Event, ObservationRecorded
from limen.session.header import SessionHeader
from limen.session.state import SessionState, fold

_NASAL = "esketamine-nasal"
_PRODUCTS = {"ESK-TRD": _NASAL, "ESK-SI": _NASAL, "ESK-ELD": _NASAL}


def discharge_facts(
    header: SessionHeader, state: SessionState, samples: Sequence[Sample], watch: Watch
) -> DischargeFacts:
    """What is known at ``state.at_t_s`` for the discharge decision.

    Parameters
    ----------
    samples : sequence of Sample
        Received by then; readings only, artefacts are passed over.
    watch : Watch
        Tells a reading from an artefact.
    """
    now = state.at_t_s
    seen = {key: Seen(noted.t_s, noted.value) for key, noted in state.latest.items()}
    readings = [
        sample
        for sample in samples
        if sample.received_t_s <= now and sample.t_s <= now and watch.readable(sample.signal, sample.value)
    ]
    spo2 = max((sample for sample in readings if sample.signal == "SPO2"), key=lambda sample: sample.t_s, default=None)
    if spo2 is not None and ("spo2_pct" not in seen or seen["spo2_pct"].t_s < spo2.t_s):
        seen["spo2_pct"] = Seen(spo2.t_s, spo2.value)
    start = header.baseline_values()
    product, route = dose_route(header, state)
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
    return readiness(discharge_facts(header, state, samples, watch), rules)


def dose_route(header: SessionHeader, state: SessionState) -> tuple[str | None, str | None]:
    """Product and route of what was given: as recorded with the dose, else as planned."""
    product = header.product or _PRODUCTS.get(header.protocol or "")
    if state.infusions:
        return product, state.infusions[-1].route
    if state.doses:
        return product, state.doses[-1].route
    return product, header.route


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
