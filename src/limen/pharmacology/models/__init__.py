"""Published models as data: one paper a file in ``data/``."""

from __future__ import annotations

import functools
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.pharmacology.models.schema import Model

__all__ = ["Model", "get", "list_models", "load"]

ENSEMBLE = "ensemble"


def _files() -> dict[str, Traversable]:
    folder = resources.files("limen.pharmacology.models") / "data"
    return {item.name.removesuffix(".yaml"): item for item in folder.iterdir() if item.name.endswith(".yaml")}


def load(path: Path | Traversable) -> Model:
    """Read one model file, yours or the product's.

    Parameters
    ----------
    path : Path
        A YAML file; its name is the model's id.

    Raises
    ------
    KnowledgeError
        If the file is not a model: unknown key, wrong unit, unknown source, a structure that is none. Names the line.
    """
    model = read_yaml(path, Model)
    if path.name.removesuffix(".yaml") != model.id:
        raise KnowledgeError(f"the file holds the model {model.id!r}", where=path.name, allowed=f"{model.id}.yaml")
    return model


@functools.cache
def get(model_id: str) -> Model:
    """The model with this id.

    Raises
    ------
    InputError
        If no model has the id; lists those there are.

    Examples
    --------
    >>> get("domino").matrix
    'plasma'
    """
    files = _files()
    if model_id not in files:
        raise InputError(f"unknown model {model_id!r}", where="model", allowed=", ".join([*sorted(files), ENSEMBLE]))
    return load(files[model_id])


def list_models() -> tuple[Model, ...]:
    """Every model of the product, by id.

    Examples
    --------
    >>> "fanta-otto-2021" in [model.id for model in list_models()]
    True
    """
    return tuple(get(model_id) for model_id in sorted(_files()))
