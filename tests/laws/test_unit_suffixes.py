"""Every float in a public signature or a model field ends in its unit, or stands beside the unit it is in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from limen.units import UNIT_SUFFIXES

SOURCE = Path(__file__).parents[2] / "src" / "limen"

# A bare number is right where its unit is a sibling (a quantity record), or where it has none by nature.
BESIDE_ITS_UNIT = {"value", "low", "high", "threshold", "limit", "lower", "typical", "upper", "se"}
# Two plans and what lies between them in one unit; what a target's regimen reaches, and the walls it touches.
BESIDE_ITS_UNIT |= {"a", "b", "difference", "achieved", "touched"}
# A limit before anything was given and what was; the steps of a titration, and the last dose in their unit.
BESIDE_ITS_UNIT |= {"whole", "given", "start", "rungs", "last_value"}
# A figure: a place with a name, the middle of an interval; the highest that one dose brings.
BESIDE_ITS_UNIT |= {"at", "middle", "highest"}
UNIT_SIBLINGS = {"unit", "signal", "input", "kind", "to", "target"}
DIMENSIONLESS = {"probability", "level", "ratios", "correlation", "logit_sd"}
# A chart axis draws, and a device sends, whatever unit belongs to the signal beside it; ``before`` is keyed by names
# that end in their unit; edges are limits of the value beside them; ceilings are heights of the answers beside them.
ANY_UNIT = {"amounts", "values", "sd", "before", "ceilings", "edges"}


def floats(annotation: ast.expr | None) -> bool:
    """Whether a value of this annotation is, or holds, a float; a callable that returns one is not."""
    if annotation is None or any(isinstance(node, ast.Name) and node.id == "Callable" for node in ast.walk(annotation)):
        return False
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))


def unnamed(tree: ast.Module) -> list[str]:
    """Names of float parameters and fields that do not say their unit."""
    found: list[str] = []

    def judge(owner: str, line: int, name: str, siblings: set[str]) -> None:
        if name.endswith(UNIT_SUFFIXES) or name in DIMENSIONLESS | ANY_UNIT or name.startswith("_"):
            return
        if f"_{name}" in UNIT_SUFFIXES:
            return
        if name in BESIDE_ITS_UNIT and siblings & UNIT_SIBLINGS:
            return
        found.append(f"{line}: {owner}.{name}")

    def visit(node: ast.AST, owner: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                if child.name.startswith("_") and child.name != "__init__":
                    continue
                arguments = [*child.args.posonlyargs, *child.args.args, *child.args.kwonlyargs]
                names = {argument.arg for argument in arguments}
                for argument in arguments:
                    if floats(argument.annotation) and not argument.arg.startswith("_"):
                        judge(f"{owner}{child.name}", child.lineno, argument.arg, names)
            elif isinstance(child, ast.ClassDef):
                if child.name.startswith("_"):
                    continue
                fields = [item for item in child.body if isinstance(item, ast.AnnAssign)]
                names = {item.target.id for item in fields if isinstance(item.target, ast.Name)}
                properties = {item.name for item in child.body if isinstance(item, ast.FunctionDef)}
                for item in fields:
                    if isinstance(item.target, ast.Name) and floats(item.annotation):
                        judge(child.name, item.lineno, item.target.id, names | properties)
                visit(child, f"{child.name}.")

    visit(tree, "")
    return found


MODULES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_floats_say_their_unit(path: Path) -> None:
    assert unnamed(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_law_sees_a_bare_float() -> None:
    tree = ast.parse("class Vial:\n    strength: float\n    dose_mg: float\ndef f(rate: float | None): ...\n")
    assert unnamed(tree) == ["2: Vial.strength", "4: f.rate"]
