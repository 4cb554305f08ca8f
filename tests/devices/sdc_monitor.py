"""A made-up SDC monitor on 127.0.0.1, without discovery on the network."""

from __future__ import annotations

import time
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

NS = "http://standards.ieee.org/downloads/11073/11073-10207-2017"
METRICS = {
    "hr": ("147842", "264864", "1"),
    "spo2": ("150456", "262688", "1"),
    "temp": ("150344", "268160", "0.1"),
    "art": ("150033", "266016", "1"),
    "odd": ("150021", "999999", "1"),
    "volume": ("157864", "263762", "0.1"),
}


def description() -> bytes:
    metrics = "".join(
        f'<pm:Metric Handle="{handle}" SafetyClassification="MedA" xsi:type="pm:NumericMetricDescriptor" '
        f'MetricCategory="Msrmt" MetricAvailability="Cont" Resolution="{step}"><pm:Type Code="{code}"/>'
        f'<pm:Unit Code="{unit}"/></pm:Metric>'
        for handle, (code, unit, step) in METRICS.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<msg:GetMdibResponse xmlns:msg="{NS}/message" xmlns:pm="{NS}/participant"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" SequenceId="urn:uuid:6f0c0f5e-0000-4000-8000-000000000001">
<msg:Mdib SequenceId="urn:uuid:6f0c0f5e-0000-4000-8000-000000000001"><pm:MdDescription>
<pm:Mds Handle="mds0" SafetyClassification="MedA"><pm:Type Code="69965"/>
<pm:SystemContext Handle="SC"><pm:PatientContext Handle="PC"/><pm:LocationContext Handle="LC"/></pm:SystemContext>
<pm:Vmd Handle="vmd0" SafetyClassification="MedA"><pm:Type Code="69798"/>
<pm:Channel Handle="ch0" SafetyClassification="MedA"><pm:Type Code="69799"/>{metrics}</pm:Channel></pm:Vmd></pm:Mds>
</pm:MdDescription></msg:Mdib></msg:GetMdibResponse>""".encode()


class NoDiscovery:
    """The address is told, not searched for."""

    active_address = "127.0.0.1"

    def publish_service(self, *_: object) -> None:
        return

    def clear_service(self, *_: object) -> None:
        return


class Monitor:
    def __init__(self) -> None:
        from sdc11073.definitions_sdc import SdcV1Definitions
        from sdc11073.mdib import ProviderMdib
        from sdc11073.provider import SdcProvider
        from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

        self.mdib = ProviderMdib.from_string(description(), protocol_definition=SdcV1Definitions)
        model = ThisModelType(manufacturer="Nobody", model_name="Paper", model_number="1")
        self.provider = SdcProvider(
            NoDiscovery(),
            model,
            ThisDeviceType(friendly_name="paper"),
            self.mdib,  # type: ignore[arg-type]
        )
        self.provider.start_all(start_rtsample_loop=False)

    @property
    def address(self) -> str:
        return str(self.provider.get_xaddrs()[0])

    def measure(
        self, values: dict[str, float | None], *, validity: str = "Vld", mode: str = "Real", at_s: float | None = None
    ) -> None:
        from sdc11073.xml_types.pm_types import GenerationMode, MeasurementValidity

        with self.mdib.metric_state_transaction(set_determination_time=False) as change:
            for handle, value in values.items():
                state = change.get_state(handle)
                if state.MetricValue is None:
                    state.mk_metric_value()
                state.MetricValue.Value = None if value is None else Decimal(str(value))
                state.MetricValue.MetricQuality.Validity = MeasurementValidity(validity)
                state.MetricValue.MetricQuality.Mode = GenerationMode(mode)
                state.MetricValue.DeterminationTime = time.time() if at_s is None else at_s

    def admit(self, patient: str) -> None:
        from sdc11073.xml_types.pm_types import ContextAssociation, InstanceIdentifier

        with self.mdib.context_state_transaction() as change:
            state: Any = change.mk_context_state("PC", set_associated=True)
            state.ContextAssociation = ContextAssociation.ASSOCIATED
            state.Identification = [InstanceIdentifier("urn:clinic", extension_string=patient)]

    def stop(self) -> None:
        self.provider.stop_all()


@contextmanager
def monitor() -> Any:
    made = Monitor()
    try:
        yield made
    finally:
        made.stop()
