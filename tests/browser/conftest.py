"""The demonstration clinic as its user starts it, and pictures of each step in ``test-output``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.demo_house import DemoHouse, demo_house
from browser.person import ROOT


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    with demo_house(tmp_path_factory.mktemp("demonstration") / "home") as house:
        yield house


@pytest.fixture
def pictures() -> Path:
    """Where the pictures of this run are kept, as output of the build."""
    folder = ROOT / "test-output" / "one-treatment"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
