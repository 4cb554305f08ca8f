"""Template tags: the parts of our pages. Each prints a partial, so everything that comes in is escaped by Django."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone

from limen.clinic.accounts.roles import ROLES
from limen.clinic.patients import cssrs
from limen.clinic.patients.fact_groups import C_SSRS, fact_groups
from limen.clinic.web import decisions, words
from limen.clinic.web.assumptions import Assumption
from limen.clinic.web.assumptions import assumptions as read_assumptions
from limen.clinic.web.assumptions import model_title as title_of_model
from limen.clinic.web.charts import doses
from limen.clinic.web.charts.figure import lay_out
from limen.clinic.web.charts.trajectory import trajectory as lay_out_trajectory
from limen.clinic.web.leaving import leaving_said
from limen.pharmacology.exposure import unit_of
from limen.reports.figures import Figure, Wall, forecast_figure
from limen.reports.figures import said as figure_said

register = template.Library()

# ---- words and numbers


@register.filter
def mg(value: Any) -> str:
    """``35.0 mg``; never rounded to another amount; missing is said."""
    return words.with_unit(value, "mg")


@register.filter
def num(value: Any, digits: int = 1) -> str:
    """A number with a fixed count of decimals."""
    return words.amount(value, int(digits))


@register.filter
def bare(value: Any) -> str:
    """Any value of a fact, as it came."""
    return words.bare(value)


@register.filter
def input_name(name: Any) -> str:
    """A fact's key in words."""
    return words.label(str(name))


@register.filter
def input_unit(name: Any) -> str:
    """A fact's unit."""
    return words.unit_of(str(name))


@register.filter
def fact_group(name: Any) -> str:
    """The group of the entry page where a fact is recorded, or nothing."""
    wanted = str(name)
    if wanted in ("conditions", "medications"):
        return "history"
    found = (group.id for group in fact_groups() for key in group.keys if wanted in (key, key.partition(".")[2]))
    return next(found, "")


@register.filter
def age(at: datetime | date | str | None) -> str:
    """How old a recorded value is, in words."""
    return words.age(_moment(at), timezone.localtime())


@register.filter
def when(at: datetime | date | str | None) -> str:
    """When a recorded value was true: the clock today, else the day and how long ago."""
    return words.when(_moment(at), timezone.localtime())


@register.filter
def moment(at: datetime | date | str | None) -> datetime | date | None:
    """An ISO text as a time, for Django's ``date`` filter."""
    return _moment(at)


@register.filter
def years(born: date | None) -> str:
    """Whole years from a date of birth to today."""
    if born is None:
        return words.UNKNOWN
    today = timezone.localdate()
    return str(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


@register.filter
def said(code: Any) -> str:
    """A code of the contract in words."""
    return words.said(str(code))


@register.filter
def role_title(role: str) -> str:
    """A role's name."""
    return ROLES[role].title if role in ROLES else str(role)


@register.filter
def verdict_title(verdict: str) -> str:
    """The verdict as a heading."""
    return words.VERDICTS.get(verdict, verdict)


@register.filter
def verdict_said(result: Mapping[str, Any]) -> str:
    """What was found, counted."""
    return words.verdict_said(result)


@register.filter
def limit_walls(limits: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The limits of a plan on its dose, as walls of a track."""
    return decisions.dose_walls(limits)


@register.filter
def gaps(missing: Sequence[Mapping[str, Any]] | None) -> list[decisions.Gap]:
    """What is missing, one line an input."""
    return decisions.gaps(missing or ())


@register.filter
def not_read(result: Mapping[str, Any] | None) -> list[tuple[str, list[str]]]:
    """What came in and was not understood, by kind."""
    return decisions.not_read(result or {})


@register.filter
def histories(missing: Sequence[Mapping[str, Any]] | None) -> list[decisions.History]:
    """The histories not taken, each with what waits for it."""
    return decisions.histories(missing or ())


@register.filter
def seen(finding: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """What a finding looked at."""
    return decisions.seen(finding)


@register.filter
def input_value(value: Any, name: str) -> str:
    """One input of a rule in words; ``none`` where the rule looked and found none."""
    return "none" if value is None else decisions.said_value(name, value)


@register.filter
def citation(key: Any) -> str:
    """The source behind a key."""
    return decisions.citation(key)


@register.filter
def level_word(level: str) -> str:
    """BLOCK, HOLD, WARN, INFO."""
    return words.LEVELS.get(level, str(level).upper())


@register.filter
def at_level(findings: Sequence[Mapping[str, Any]] | None, level: str) -> list[Mapping[str, Any]]:
    """The findings of one level."""
    return [finding for finding in findings or () if finding.get("level") == level]


@register.filter
def get(mapping: Mapping[str, Any] | None, key: Any) -> Any:
    """A value by a key that is not an identifier."""
    return (mapping or {}).get(key)


@register.filter
def assumptions(forecast: Mapping[str, Any] | None) -> list[Assumption]:
    """What a forecast assumes, the clinic's own rules first."""
    return read_assumptions(forecast or {})


@register.filter
def interactions_assumed(forecast: Mapping[str, Any] | None) -> list[Assumption]:
    """What a forecast makes of the other drugs taken, or why it leaves one out."""
    return [item for item in read_assumptions(forecast or {}) if "interaction" in item.code]


@register.filter
def model_title(model_id: str) -> str:
    """The title of a published model."""
    return title_of_model(str(model_id))


# ---- parts


@register.inclusion_tag("partials/mark.html")
def mark(code: Any) -> dict[str, Any]:
    """How far a number may be trusted: shape and words."""
    kind, said = words.mark(code)
    return {"kind": kind, "words": said}


@register.inclusion_tag("partials/door.html")
def door(verdict: str, small: bool = False) -> dict[str, Any]:
    """The door of a verdict: open, shut, barred, bricked up, not yet drawn."""
    known = verdict if verdict in words.VERDICTS else "needs-data"
    return {"verdict": known, "small": small}


@register.inclusion_tag("partials/verdict_of.html")
def verdict_of(verdict: str, on: date) -> dict[str, Any]:
    """A verdict with its day. It answers for that day: one of another day is drawn quieter."""
    today = timezone.localdate()
    return {"verdict": verdict, "day": words.day(on, today), "past": on != today}


@register.inclusion_tag("partials/level.html")
def level(name: str) -> dict[str, Any]:
    """The shape and word of a finding's level."""
    return {"level": name}


@register.inclusion_tag("partials/finding.html")
def finding(item: Mapping[str, Any], override: Any = None) -> dict[str, Any]:
    """One finding: seen, limit, do, source, mark; and the override that stands beside it, if any."""
    return {"finding": item, "override": override}


@register.inclusion_tag("partials/recorded.html")
def recorded(kind: str, value: Any, unit: str = "", at: datetime | str | None = "") -> dict[str, Any]:
    """The value of a fact as it was recorded, with its day where ``at`` is given; of a C-SSRS its tier and answers."""
    return {
        "value": value,
        "unit": unit,
        "day": "" if at == "" else f", {when(at)}",
        "screener": cssrs.screener(value) if kind == C_SSRS and isinstance(value, Mapping) else None,
        "taken": kind.startswith("history.") and not isinstance(value, str),
    }


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, unit: str = "", hint: str = "") -> dict[str, Any]:
    """One form field with its label, unit, hint and what is wrong with it. Empty unless the person typed it now."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", type(widget).__name__.lower())
    described = " ".join(
        part
        for part in (
            f"{bound.auto_id}-hint" if hint or bound.help_text else "",
            f"{bound.auto_id}-error" if bound.errors else "",
        )
        if part
    )
    attrs: dict[str, Any] = {}
    if described:
        attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return {
        "field": bound,
        "control": functools.partial(bound.as_widget, attrs=attrs),  # drawn where the template names it, else not
        "kind": kind,
        "choices": kind in {"radio", "checkbox"} and getattr(widget, "choices", None) is not None,
        "unit": unit or words.unit_of(bound.name),
        "hint": hint or bound.help_text,
    }


@register.inclusion_tag("partials/asked_used.html")
def asked_used(asked: Any, used: Any, unit: str = "mg", limits: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The value asked, what stands between (a wall, the syringe's mark), the value used."""
    between = {name: (limits or {}).get(name) for name in ("binding", "rounding")}
    return {"asked": _given(asked), "used": _given(used), "unit": unit, **between}


@register.inclusion_tag("partials/track.html")
def track(used: Any, asked: Any, walls: Sequence[Mapping[str, Any]], unit: str = "mg") -> dict[str, Any]:
    """The picture of a number and the limits around it."""
    return {"track": doses.track(used=_given(used), asked=_given(asked), walls=walls or (), unit=unit)}


@register.inclusion_tag("partials/vial.html")
def vial(drawn_mg: Any, total_mg: Any, words: str = "") -> dict[str, Any]:
    """A vial with the drawn part to scale."""
    drawn_mg, total_mg = _given(drawn_mg), _given(total_mg)
    picture = None
    if drawn_mg is not None and total_mg is not None:
        picture = doses.vial(drawn_mg=float(drawn_mg), total_mg=float(total_mg))
    return {"vial": picture, "drawn_mg": drawn_mg, "total_mg": total_mg, "words": words}


@register.inclusion_tag("partials/figure.html")
def forecast_chart(
    forecast: Mapping[str, Any] | None,
    ends_at_min: Any = None,
    until_min: Any = None,
    walls: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The figure of a forecast: bands, typical, walls, a sentence and the table behind it."""
    return figure(
        forecast_figure(
            forecast or {},
            ends_at_h=_hours(ends_at_min),
            until_h=_hours(until_min),
            walls=limits_by_output(walls or ()),
        )
    )


@register.inclusion_tag("partials/figure.html")
def figure(found: Figure | None, captioned: bool = False) -> dict[str, Any]:
    """Any figure, with its sentences and tables; ``captioned`` prints what stands below it on paper as well."""
    return {"figure": lay_out(found), "captioned": captioned}


def limits_by_output(walls: Sequence[Mapping[str, Any]]) -> dict[str, list[Wall]]:
    """Limits as figures hold them, by the output they bound."""
    found: dict[str, list[Wall]] = {}
    for wall in walls:
        name = str(wall["output"])
        found.setdefault(name, []).append(
            Wall(str(wall["name"]), float(wall["value"]), unit_of(name), bool(wall.get("hard", True)))
        )
    return found


@register.inclusion_tag("partials/leaving.html")
def leaving(forecast: Mapping[str, Any] | None) -> dict[str, Any]:
    """When patients are forecast to be ready to leave, and not before."""
    return {"leaving": leaving_said(forecast)}


@register.filter
def forecast_said(forecast: Mapping[str, Any] | None, before: Mapping[str, float] | None = None) -> list[str]:
    """The forecast in a line for each lane shown; ``before`` is what a change starts from."""
    return figure_said(forecast_figure(forecast or {}), before)


@register.inclusion_tag("partials/trajectory.html")
def trajectory(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """A score over time, with sessions marked and missing answers as hatched bounds."""
    if not data:
        return {"chart": None}
    local = {
        key: [{**item, "at": _moment(item.get("at")) or item.get("at")} for item in data.get(key) or ()]
        for key in ("points", "sessions")
    }
    return {"chart": lay_out_trajectory({**data, **local})}


def _given(value: Any) -> Any:
    """A template prints a name it does not know as an empty text; here that is a missing value."""
    return None if value == "" else value


def _hours(span_min: Any) -> float | None:
    return None if _given(span_min) is None else float(span_min) / 60


def _moment(at: datetime | date | str | None) -> datetime | date | None:
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return None
    if isinstance(at, datetime):
        at = timezone.make_aware(at) if timezone.is_naive(at) else at
        return timezone.localtime(at)
    return at
