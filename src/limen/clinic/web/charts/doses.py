"""Pictures of amounts: the track behind a number field, the vial, the gauge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The inside of the drawn vial, in the units of its view box.
VIAL_BOTTOM_PX = 105.0
VIAL_INSIDE_PX = 60.0

# Where the first row of names under a track stands, and how far down the next.
NAME_Y_PX = 38
NAME_PX = 15


@dataclass(frozen=True)
class TrackWall:
    """A limit on the track, with its name under it."""

    name: str
    x_pct: float
    hard: bool
    name_y_px: int
    anchor: str


@dataclass(frozen=True)
class Track:
    """A number line from 0: where the value used stands, where the one asked stood, and the walls."""

    used_pct: float | None
    asked_pct: float | None
    walls: tuple[TrackWall, ...]
    height_px: int
    sentence: str


@dataclass(frozen=True)
class Vial:
    """A vial with the part that leaves it drawn to scale, taken from the top of the liquid."""

    rest_y_px: float
    rest_height_px: float
    drawn_y_px: float
    drawn_height_px: float
    sentence: str


def track(
    *,
    used: Any,
    asked: Any = None,
    walls: Sequence[Mapping[str, Any]] = (),
    unit: str = "mg",
) -> Track:
    """Lay out a track that ends a sixth beyond its largest value.

    ``walls``: ``{"name", "value", "hard"}``, in the same ``unit``.

    Examples
    --------
    >>> picture = track(used=52.0, asked=78.0, walls=[{"name": "hard", "value": 104.0, "hard": True}])
    >>> picture.walls[0].x_pct, picture.used_pct
    (85.71, 42.86)
    """
    known = [(str(wall["name"]), float(wall["value"]), bool(wall.get("hard"))) for wall in walls if _has(wall, "value")]
    amounts = [float(amount) for amount in (used, asked) if amount is not None] + [value for _, value, _ in known]
    end = (max(amounts) if amounts else 1.0) * 7 / 6 or 1.0

    def place(amount: Any) -> float | None:
        return None if amount is None else round(float(amount) / end * 100, 2)

    placed: list[TrackWall] = []
    taken: list[tuple[int, float, float]] = []
    for name, value, hard in sorted(known, key=lambda wall: wall[1]):
        x_pct = round(value / end * 100, 2)
        anchor = "start" if x_pct < 20 else "end" if x_pct > 70 else "middle"
        left, right = _extent_pct(name, x_pct, anchor)
        row = next(
            row
            for row in range(len(known))
            if all(row != r or left > over or right < under for r, under, over in taken)
        )
        taken.append((row, left, right))
        placed.append(TrackWall(name, x_pct, hard, NAME_Y_PX + NAME_PX * row, anchor))
    said = [f"used {_amount(used)} {unit}"] if used is not None else ["nothing used"]
    if asked is not None and asked != used:
        said.append(f"asked {_amount(asked)} {unit}")
    said += [f"{'hard' if wall[2] else 'soft'} limit {wall[0]} at {_amount(wall[1])} {unit}" for wall in known]
    rows = 1 + max((row for row, _, _ in taken), default=0)
    return Track(
        used_pct=place(used),
        asked_pct=place(asked),
        walls=tuple(placed),
        height_px=NAME_Y_PX + NAME_PX * rows - 8,
        sentence=", ".join(said) + ".",
    )


def vial(*, drawn_mg: float, total_mg: float) -> Vial | None:
    """The drawn part of a vial to scale; None when it does not fit, because then no picture would be true.

    Examples
    --------
    >>> picture = vial(drawn_mg=50, total_mg=200)
    >>> picture.drawn_height_px, picture.rest_height_px
    (15.0, 45.0)
    """
    if total_mg <= 0 or not 0 <= drawn_mg <= total_mg:
        return None
    drawn_px = round(VIAL_INSIDE_PX * drawn_mg / total_mg, 2)
    rest_px = round(VIAL_INSIDE_PX - drawn_px, 2)
    return Vial(
        rest_y_px=round(VIAL_BOTTOM_PX - rest_px, 2),
        rest_height_px=rest_px,
        drawn_y_px=round(VIAL_BOTTOM_PX - VIAL_INSIDE_PX, 2),
        drawn_height_px=drawn_px,
        sentence=f"To scale: {_amount(drawn_mg)} of {_amount(total_mg)} mg leaves the vial",
    )


def _extent_pct(name: str, x_pct: float, anchor: str) -> tuple[float, float]:
    """How far a name reaches on the narrowest track, where a letter takes about 2.4 % of the width."""
    wide_pct = 2.4 * len(name) + 2
    left_pct = {"start": x_pct, "middle": x_pct - wide_pct / 2, "end": x_pct - wide_pct}[anchor]
    return left_pct, left_pct + wide_pct


def _amount(amount: Any) -> str:
    return f"{float(amount):.1f}"


def _has(wall: Mapping[str, Any], key: str) -> bool:
    return wall.get(key) is not None
