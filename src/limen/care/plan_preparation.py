"""Whether a dose can be given with what there is: whole devices, the right strength, a syringe and a pump that can."""

from __future__ import annotations

from collections.abc import Sequence

from limen.care.plan_findings import finding_of, own_finding
from limen.care.screening import Finding
from limen.care.site_dosing import Equipment
from limen.care.syringe import Syringe
from limen.knowledge.drugs import Product
from limen.knowledge.protocols import Protocol
from limen.pharmacology.regimen import Dose


def device_findings(product: Product, doses: Sequence[Dose]) -> tuple[Finding, ...]:
    """A dose that is no whole number of devices cannot be given."""
    device = product.device
    dose_mg = sum(dose.amount_mg for dose in doses)
    if device is None or (dose_mg / device.dose_mg).is_integer():
        return ()
    because = f"{dose_mg:g} mg is no whole number of devices of {device.dose_mg:g} mg"
    limit, action, asked = f"multiples of {device.dose_mg:g} mg", "Ask for whole devices", {"dose_mg": dose_mg}
    return (finding_of("DOSE-DEVICES", "block", "Whole devices", because, asked, limit, action, "none", device),)


def preparation_findings(protocol: Protocol, product: Product, syringe: Syringe) -> tuple[Finding, ...]:
    """A vial that must be diluted and is not; a dose pumped undiluted."""
    if syringe.vial is None:
        return ()
    vial = product.vial(syringe.vial.value)
    asked = {"concentration_mg_per_mL": syringe.vial.value}
    if vial.dilute_before_iv and protocol.route == "iv" and product.dilution is not None:
        strongest_mg_per_mL = vial.concentration_mg_per_mL / (1 + product.dilution.diluent_parts)
        if syringe.filled.value > strongest_mg_per_mL:
            because = f"A {syringe.vial} vial would go into a vein at {syringe.filled}"
            action = f"Dilute to {strongest_mg_per_mL:g} mg/mL or weaker. {product.dilution.use}"
            limit = f"{strongest_mg_per_mL:g} mg/mL"
            title = f"Undiluted {syringe.vial} into a vein"
            return (finding_of("DOSE-CONC", "block", title, because, asked, limit, action, "none", product.dilution),)
    weakest = protocol.weakest
    if weakest is not None and syringe.filled.value < weakest.concentration_mg_per_mL:
        because = f"{syringe.filled} is weaker than {weakest.concentration_mg_per_mL:g} mg/mL. {weakest.why}"
        limit, action = f"{weakest.concentration_mg_per_mL:g} mg/mL", "Take a stronger vial"
        return (
            finding_of(
                "DOSE-WEAK", "block", "Too weak to give this way", because, asked, limit, action, "none", weakest
            ),
        )
    usual = protocol.preparation
    if usual is not None and syringe.diluent is None and syringe.rate is not None:
        because = f"{syringe.volume} at {syringe.rate}, the vial as it is"
        limit = f"usual {usual.concentration_mg_per_mL:g} mg/mL in {usual.diluent}"
        action = "Say that it is diluted, or check that the pump is made for so slow a rate"
        return (finding_of(protocol.id, "info", "Given undiluted", because, asked, limit, action, None, usual),)
    return ()


def equipment_findings(syringe: Syringe, doses: Sequence[Dose], equipment: Equipment) -> tuple[Finding, ...]:
    """What the site's own syringe and pump cannot give; what it has not declared is not judged."""
    found = []
    if equipment.syringe_mL is not None and syringe.fill.value > equipment.syringe_mL:
        because = f"{syringe.fill} at {syringe.filled} does not fit the site's syringe of {equipment.syringe_mL:g} mL"
        action = "Choose a stronger dilution, or another protocol"
        asked, limit = {"volume_mL": syringe.fill.value}, f"{equipment.syringe_mL:g} mL"
        found.append(own_finding("DOSE-SYRINGE", "block", "Does not fit", because, asked, limit, action, "none"))
    rates = [
        dose.amount_mg / syringe.filled.value * 60.0 / dose.duration_min for dose in doses if dose.duration_min > 0
    ]
    least, most = equipment.pump_least_mL_per_h, equipment.pump_most_mL_per_h
    for rate_mL_per_h in rates:
        asked = {"rate_mL_per_h": rate_mL_per_h}
        if least is not None and rate_mL_per_h < least:
            because = f"{rate_mL_per_h:g} mL/h at {syringe.filled} is under the {least:g} mL/h of the site's pump"
            action, limit = "Choose a weaker dilution", f"{least:g} mL/h or more"
            found.append(
                own_finding("DOSE-PUMP", "block", "Too slow for the pump", because, asked, limit, action, "none")
            )
        if most is not None and rate_mL_per_h > most:
            because = f"{rate_mL_per_h:g} mL/h at {syringe.filled} is over the {most:g} mL/h of the site's pump"
            action, limit = "Choose a stronger dilution, or a longer time", f"{most:g} mL/h or less"
            found.append(
                own_finding("DOSE-PUMP", "block", "Too fast for the pump", because, asked, limit, action, "none")
            )
    return tuple(found)
