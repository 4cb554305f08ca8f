"""The reference page of routes: assumed absorption, other drugs, organ function, genotype, and what the model makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from limen.pharmacology.absorption.assumed import Stated, assumptions
from limen.pharmacology.absorption.disagreement import disagreements
from limen.pharmacology.covariates.genotype import genotypes
from limen.pharmacology.covariates.interaction_check import report
from limen.pharmacology.covariates.interactions import perpetrators
from limen.pharmacology.covariates.organ_function import organ_effects

Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]


def sections(table: Table) -> Iterator[str]:
    """Every section of the page; ``table`` writes a Markdown table."""
    yield from (
        _absorption(table),
        _disagreement(table),
        _sought(),
        _drugs(table),
        _check(table),
        _organs(table),
        _genes(table),
    )


def _stated(item: Stated | None) -> str:
    if item is None:
        return ""
    unit = "" if item.unit == "fraction" else f" {item.unit}"
    span = "" if item.low is None else f" ({item.low:g} to {item.high:g})"
    return f"{item.typical:g}{span}{unit} [{item.verification}]"


def _absorption(table: Table) -> str:
    rows = [
        (
            item.route,
            item.product,
            item.age,
            _stated(item.fraction),
            _stated(item.peak_min),
            _stated(item.zero_order_min),
            _stated(item.rate_per_h),
            item.disputed,
            "; ".join(" ".join((stated.note or "").split()) for stated in (item.fraction, item.speed)),
            ", ".join(item.sources),
        )
        for item in assumptions()
    ]
    head = ("route", "product", "age", "share", "peak", "even release", "rate", "disputed", "from", "sources")
    return (
        "## Absorption that no model has\n\n"
        "A range holds 90 of 100 virtual patients. A time of the peak is made into a rate in the body it is used"
        " with.\n\n" + table(head, rows)
    )


def _disagreement(table: Table) -> str:
    rows = []
    for item in disagreements(assumptions()):
        told = item.to_json()
        spans = [
            f"{told[name]['low']:.2g} to {told[name]['high']:.2g}"
            for name in ("stated", "between_studies", "between_patients")
        ]
        found = "; ".join(
            f"{study['value']:g} [{study['verification']}] {study['source']}" for study in told["studies"]
        )
        rows.append((told["route"], told["product"], found, *spans))
    head = ("route", "product", "studies", "stated", "between studies", "between people of one study")
    return (
        "## Where studies of the share absorbed disagree\n\n"
        "The stated range is the band of a forecast. The part between studies is one draw for everybody, wide enough"
        " that 90 of 100 of the studies' medians reach the study that is furthest out; the rest is each person's own. A"
        " range narrower than a study that was read is refused [P].\n\n" + table(head, rows)
    )


def _sought() -> str:
    return (
        "## Adult muscle and skin: what was sought and not found\n\n"
        "One model of adults by muscle and by skin is known (Abuhelwa 2022, Clin Pharmacol Ther, doi 10.1002/cpt.2640):"
        " its structure was read, two compartments with first-order absorption, and every copy of its abstract that was"
        " found ends before the bioavailability; its open text could not be reached. The primary papers on the muscle"
        " (Clements 1982; Grant 1981) were not found in any copy, and no pharmacokinetics of the subcutaneous doses of"
        " KADS were. Searched again in November 2026 by title, DOI, PMC number and the abstract's own words, in stored"
        " pages, documentation, issue threads and code. Until one is read the two routes stay the ranges above, with"
        " their flag.\n"
    )


def _drugs(table: Table) -> str:
    rows = [
        (
            other.drug,
            f"{other.mechanism.acts} {', '.join(other.mechanism.enzymes)}",
            effect.route,
            effect.product or "s-ketamine, racemic",
            effect.study_dose,
            ", ".join(f"{name.removesuffix('_ratio')} x{value:g}" for name, value in effect.measured.items()),
            "yes" if effect.verified else "only when asked",
            str(effect.verification),
            effect.source,
        )
        for other in perpetrators()
        for effect in other.effects
    ]
    head = ("drug", "mechanism", "route", "product", "dose", "measured", "applied", "mark", "source")
    return "## Other drugs\n\n" + table(head, rows)


def _check(table: Table) -> str:
    rows = [
        (
            row.drug,
            row.route,
            row.quantity.removesuffix("_ratio"),
            f"{row.measured_ratio:g}",
            "" if row.model_ratio is None else f"{row.model_ratio:.2f}",
            "given to the model" if row.set_by else "",
        )
        for row in report()
    ]
    head = ("drug", "route", "ratio of", "measured", "perez-ruixo-2021", "note")
    return (
        "## What the model makes of them\n\n"
        "Only the area is given to the model, divided between gut and liver. The rest shows how far its mechanism"
        " agrees with what was seen; nothing is tuned to it.\n\n" + table(head, rows)
    )


def _organs(table: Table) -> str:
    rows = [
        (
            effect.title,
            effect.route,
            effect.product,
            effect.sizes,
            "yes" if effect.apply else "told",
            " ".join((effect.note or "").split()),
            str(effect.verification),
            effect.source,
        )
        for effect in organ_effects()
    ]
    head = ("who", "route", "product", "against normal", "applied", "note", "mark", "source")
    return "## Organ function, age and weight\n\n" + table(head, rows)


def _genes(table: Table) -> str:
    rows = [
        (name, f"{entry.clearance.value:g} L/h", str(entry.clearance.verification), entry.clearance.source)
        for name, entry in genotypes().items()
    ]
    return (
        "## CYP2B6\n\n"
        "Clearance under subcutaneous infusion in patients; one oral dose in volunteers showed no difference"
        " (pk-rao-2016). Off unless a genotype is given; then both readings are shown.\n\n"
        + table(("genotype", "clearance", "mark", "source"), rows)
    )
