"""The note names the words a consent was signed against, and none where a value was only entered by hand."""

from __future__ import annotations

import pytest

from limen.clinic.notes.content import _consent_version


@pytest.mark.parametrize(
    ("fact", "version"),
    [
        ({"value": True, "source": "consent 1-2026-11-22-ec3b9fc7"}, "1-2026-11-22-ec3b9fc7"),
        ({"value": True, "source": "nurse"}, None),
        ({"value": False, "source": "consent withdrawn"}, None),
        ({}, None),
    ],
)
def test_the_version_in_the_note(fact: dict[str, object], version: str | None) -> None:
    assert _consent_version(fact) == version
