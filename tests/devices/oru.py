"""ORU^R01 messages of a made-up monitor, built by another library than the one that reads them."""

from __future__ import annotations

from typing import Any

from hl7apy.core import Message

SENDER = "MON1^0011223344556677^EUI-64"
PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
HR = "147842^MDC_ECG_HEART_RATE^MDC"
SPO2 = "150456^MDC_PULS_OXIM_SAT_O2^MDC"
BEATS = "264864^MDC_DIM_BEAT_PER_MIN^MDC"
NIBP_SYS = "150021^MDC_PRESS_BLD_NONINV_SYS^MDC"
NIBP_DIA = "150022^MDC_PRESS_BLD_NONINV_DIA^MDC"
MMHG = "266016^MDC_DIM_MMHG^MDC"
PERCENT = "262688^MDC_DIM_PERCENT^MDC"


def oru(values: list[dict[str, Any]], **more: str | None) -> str:
    """A message; a value is ``{"code", "value", "unit"}`` and may say ``status, flags, kind, at, device``."""
    message = Message("ORU_R01", version="2.6")
    header = message.msh
    header.msh_3 = more.get("sender", SENDER)
    header.msh_4 = "CLINIC"
    header.msh_7 = more.get("sent", "20260301093000+0100")
    header.msh_9 = more.get("kind", "ORU^R01^ORU_R01")
    header.msh_10 = more.get("control", "000123")
    header.msh_11 = more.get("processing", "P")
    header.msh_12 = "2.6"
    header.msh_21 = more.get("profile", PROFILE)
    lines = [message.to_er7().strip("\r")]
    if more.get("patient", "20401") is not None:
        lines.append(f"PID|||{more.get('patient', '20401')}^^^CLINIC^MR||DOE^TEST^^^^^L")
    if more.get("second_patient"):
        lines.append(f"PID|||{more['second_patient']}^^^CLINIC^MR")
    lines.append(f"OBR|1|A1^MON1|A1^MON1|182777000^monitoring of patient^SCT|||{more.get('taken', '')}")
    lines.append("OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X")
    for number, value in enumerate(values, start=2):
        lines.append(
            f"OBX|{number}|{value.get('kind', 'NM')}|{value['code']}|1.5.1.{number}|{value['value']}|{value['unit']}"
            f"||{value.get('flags', '')}|||{value.get('status', 'R')}|||{value.get('at', '')}||||"
            f"{value.get('device', '')}"
        )
    return "\r".join(lines) + "\r"


def beat(value: object = "78", **more: Any) -> dict[str, Any]:
    return {"code": HR, "value": value, "unit": BEATS, **more}


def pressure(systolic: int = 128, diastolic: int = 78, **more: Any) -> list[dict[str, Any]]:
    found = ((NIBP_SYS, systolic), (NIBP_DIA, diastolic))
    return [{"code": code, "value": value, "unit": MMHG, **more} for code, value in found]


def saturation(value: object = "97", **more: Any) -> dict[str, Any]:
    return {"code": SPO2, "value": value, "unit": PERCENT, **more}
