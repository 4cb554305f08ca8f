"""The reference page of models: every number with its mark, and what the model says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from limen.pharmacology.models import list_models
from limen.pharmacology.models.listing import (
    covariate_in_words,
    parameters_in_order,
    residual_in_words,
    route_in_words,
    spread_in_words,
)
from limen.pharmacology.models.schema import Model

Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]


def sections(table: Table) -> list[str]:
    """The overview, then one section a model."""
    rows = [
        (
            f"[{model.id}](#{model.id})",
            model.title,
            ", ".join(model.products),
            ", ".join(model.routes),
            model.matrix,
            model.population,
            ", ".join(model.sources),
        )
        for model in list_models()
    ]
    head = ("model", "title", "products", "routes", "matrix", "population", "sources")
    return [table(head, rows), *(_section(model, table) for model in list_models())]


def _section(model: Model, table: Table) -> str:
    numbers = [
        (
            owner,
            name,
            f"{item.value:g}",
            item.unit,
            "" if item.weight_exponent is None else f"{item.weight_exponent:g}",
            str(item.verification),
            item.source,
            item.note,
        )
        for owner, name, item in parameters_in_order(model)
    ]
    parts = [
        f"## {model.id}\n\n{model.title}. {model.population}.\n",
        table(("of", "name", "value", "unit", "weight exponent", "mark", "source", "note"), numbers),
    ]
    told = [
        *((f"Route {route_in_words(route)}", "") for route in model.pathways),
        *((covariate_in_words(item), str(item.verification)) for item in model.covariates),
        *((f"Between patients, {spread_in_words(block)}", str(block.verification)) for block in model.variability),
        *(
            (f"Between occasions, {spread_in_words(block)}", str(block.verification))
            for block in model.between_occasions
        ),
        *((f"Of a measurement, {residual_in_words(item)}", str(item.verification)) for item in model.residual),
    ]
    if told:
        parts.append(table(("ways in, covariates, spread", "mark"), told))
    if model.caveats:
        rows = [(item.code, item.message, str(item.verification)) for item in model.caveats]
        parts.append(table(("caveat", "what is told", "mark"), rows))
    return "\n".join(parts)
