"""The reference page of effects: parameters, spread, sources, and what each effect is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from limen.pharmacology.courses.antidepressant_trials import antidepressant
from limen.pharmacology.courses.pain_relief import pain_relief
from limen.pharmacology.courses.relapse import relapse
from limen.pharmacology.effects import effects
from limen.pharmacology.effects.schema import Estimate, Fixed, Normal

Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]


def sections(table: Table) -> Iterator[str]:
    """Every section of the page; ``table`` writes a Markdown table."""
    yield from (_acute(table), _delays(table), _pain_scale(), _antidepressant(table), _relapse(table), _relief(table))


def _spread(item: Estimate) -> str:
    interval = f" ({item.low:g} to {item.high:g}, {item.spread})" if item.low < item.high else ""
    return f"{item.typical:g} {item.unit}{interval}"


def _level(item: Normal) -> str:
    return f"{item.typical:g} +- {item.sd:g} {item.unit} [{item.verification}]"


def _acute(table: Table) -> str:
    found = effects()
    awake, shift, nmda = found.responsiveness, found.ventilation, found.occupancy
    numbers: list[tuple[str, str, str]] = []
    models = [*found.indices, *found.lines, awake, shift, nmda]
    for index in found.indices:
        words = f"C50 {_spread(index.c50)} [{index.c50.verification}]; exponent {index.gamma.value:g}"
        numbers.append((index.output, f"{words} [{index.gamma.verification}]", index.c50.source))
    for line in found.lines:
        numbers.append((line.output, f"{_spread(line.slope)} [{line.slope.verification}]", line.slope.source))
    levels = f"lost at {_level(awake.loss)}; back at {_level(awake.recovery)}"
    numbers.append(
        (
            f"{awake.output}, {awake.output_by_plasma}",
            f"{levels}, or in plasma at {_level(awake.recovery_in_plasma)}",
            f"{awake.loss.source}, {awake.recovery_in_plasma.source}",
        )
    )
    doubled = f"doubled by {_spread(shift.doubling)} [{shift.doubling.verification}]"
    numbers.append((shift.output, doubled, shift.doubling.source))
    affinities = (
        f"Ki S {nmda.ki_S_ketamine.value:g}, R {nmda.ki_R_ketamine.value:g}; racemate {nmda.ki_racemate.value:g}"
    )
    numbers.append(
        (
            f"{nmda.outputs.enantiomers}, {nmda.outputs.racemate}",
            f"{affinities} micromol/L [{nmda.ki_racemate.verification}]",
            f"{nmda.ki_S_ketamine.source}, {nmda.ki_racemate.source}",
        )
    )
    rows = [
        (
            output,
            model.title,
            words,
            f"{model.site}, {model.matrix}",
            f"{model.supported_to.value:g} {model.supported_to.unit} [{model.supported_to.verification}]",
            _past(model),
            source,
            model.is_not,
        )
        for model, (output, words, source) in zip(models, numbers, strict=True)
    ]
    head = ("output", "effect", "parameters", "site, blood", "supported to", "withheld past", "source")
    head += ("what it is not",)
    return f"## Over hours\n\n{table(head, rows)}"


def _past(model: object) -> str:
    """Where a line is withheld; an effect with a ceiling of its own is only flagged."""
    past: Fixed | None = getattr(model, "withheld_past", None)
    return "" if past is None else f"{past.value:g} {past.unit} [{past.verification}] {past.note}"


def _delays(table: Table) -> str:
    rows = [
        (name, _spread(link.half_life), str(link.half_life.verification), link.half_life.source, link.note)
        for name, link in effects().sites.items()
    ]
    return f"## Delays\n\n{table(('site', 'half-life', 'mark', 'source', 'note'), rows)}"


def _pain_scale() -> str:
    pain = effects().pain_vas
    slopes = (
        f"S-ketamine {pain.s_ketamine.value:g} and S-norketamine {pain.s_norketamine.value:+g} {pain.s_ketamine.unit}"
    )
    mark = f"[{pain.s_ketamine.verification}], {pain.s_ketamine.source}"
    return f"## Pain on a 10-cm scale\n\n{slopes} {mark}. {pain.is_not}.\n"


def _antidepressant(table: Table) -> str:
    model = antidepressant()
    groups = []
    for name, group in model.groups.items():
        row = group.difference_24h
        groups.append((name, group.title, f"{row.value:g}", row.se, str(row.verification), row.source))
    trials = [
        (
            row.trial,
            f"{row.at_days:.3g}",
            f"{row.difference_score:g}",
            row.se_score,
            row.what,
            str(row.verification),
            row.source,
        )
        for row in model.trials
    ]
    first = table(("group", "treatment", "difference", "standard error", "mark", "source"), groups)
    second = table(("trial", "day", "difference", "standard error", "what", "mark", "source"), trials)
    return (
        "## Antidepressant course\n\nMADRS difference from placebo at 24 h by dose group, in points; standard deviation"
        f" between trials {model.between_trial_sd_score:.1f}.\n\n{first}\nPublished differences, shown beside the"
        f" course.\n\n{second}"
    )


def _relapse(table: Table) -> str:
    model = relapse()
    rows = []
    for name, stage in model.stages.items():
        point, link = stage.relapsed_by, stage.hazard_of
        seen = f"{point.relapsed_pct:g} % by day {point.at_days:g}" if point else ""
        if link:
            seen = f"hazard {link.hazard_ratio:g} ({link.low:g} to {link.high:g}) times that of {link.stage}"
        rows.append((name, stage.title, seen, stage.counts, stage.missing, str(stage.verification), stage.source))
    head = ("stage", "who", "relapsed", "counts", "missing", "mark", "source")
    tail = f"Exponent of the tail {model.shape:.2f}, from {model.tail.of}. {model.tail.note}."
    return f"## Relapse\n\n{tail}\n\n{table(head, rows)}"


def _relief(table: Table) -> str:
    model = pain_relief()
    rows = [
        (name, f"{share.share_pct:g} +- {share.se_pct:g} %", str(share.verification), share.source)
        for name, share in (("ketamine", model.responders.ketamine), ("placebo", model.responders.placebo))
    ]
    estimates = f"C50 {_spread(model.c50)}, half-life {_spread(model.half_life)}, {model.c50.source}"
    words = f"{estimates}. {model.equation.note} [{model.equation.verification}]."
    return f"## Pain relief over weeks (CRPS-1)\n\n{words}\n\n{table(('arm', 'responders', 'mark', 'source'), rows)}"
