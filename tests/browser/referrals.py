"""The referral and the recorded monitor that the journey runs on: real ones where they lie beside the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from browser.person import ROOT

SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Input:
    """The referral, and the recorded monitor with the minute at which to begin."""

    bundle: Path
    name: str
    numerics: Path
    start_min: int


OWN = Input(
    ROOT / "docs" / "tutorial" / "referral.json",
    "Halloran, Ines",
    ROOT / "src" / "limen" / "clinic" / "demo" / "data" / "numerics.csv",
    70,
)
REAL = Input(SHARED / "synthea" / "liz-conn.json", "Conn, Liz", SHARED / "icu-numerics-s00001.csv", 279)
