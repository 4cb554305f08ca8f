"""A patient who may be treated, and what changes when one thing about them does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limen.care.case_json import case_from_json
from limen.care.screening import Screening, screen

CLEAN = Path(__file__).parent / "clean_trd.json"


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The CASE with values set by ``group.name`` and entries added by ``conditions+`` and ``medications+``."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        if path.endswith("+"):
            key = path.removesuffix("+")
            document[key] = [*(document[key] or []), *value]
            continue
        group, _, name = path.partition(".")
        if name:
            document.setdefault(group, {})[name] = value
        else:
            document[group] = value
    return document


@pytest.fixture(scope="session")
def clean() -> dict[str, Any]:
    """The CASE of a patient with treatment-resistant depression who passes every rule."""
    return json.loads(CLEAN.read_text(encoding="utf-8"))


@pytest.fixture
def screened(clean: dict[str, Any]) -> Callable[[dict[str, Any]], Screening]:
    """Screen the clean patient with some things changed."""

    def run(changes: dict[str, Any]) -> Screening:
        return screen(case_from_json(changed(clean, changes)))

    return run
