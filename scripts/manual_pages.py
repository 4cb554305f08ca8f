"""The reference manual: every chapter of ``tests/spec`` as a page, its tables of cases readable by a clinician.

A chapter is a folder. Its YAML tables are read as they stand, whatever their keys: a list of cases becomes a table,
cases that name a rule, protocol or instrument are gathered under it with what it does. Tables that stand in the tests
themselves (``parametrize`` with plain values) are read from the source without running it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from limen.care.wording import threshold_text
from limen.knowledge.discharge import discharge
from limen.knowledge.instruments import instruments
from limen.knowledge.monitoring import monitoring
from limen.knowledge.protocols import protocols
from limen.knowledge.rules import rules

SPEC = Path(__file__).parents[1] / "tests" / "spec"
Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]
# Keys whose value names what a case is about.
SUBJECTS = ("rule", "of")
# Keys that say the case in words, shown first, and what must come of it, shown last.
WORDS = ("says", "why", "case", "title")
# How a case lies to its limit, where its outcome is one word.
SIDE = {"passed": "outside", "missing": "input missing", "incomplete": "input missing"}
LEVELS = ("block", "hold", "warn", "info")


def pages(note: str, table: Table) -> dict[str, str]:
    """Every page of the manual by its file name, and the list of them."""
    chapters = sorted(path for path in SPEC.iterdir() if path.is_dir() and not path.name.startswith("__"))
    made = {f"manual/{path.name.replace('_', '-')}.md": _chapter(path, note, table) for path in chapters}
    listed = "".join(
        f"- [{_title(path.name)}]({path.name.replace('_', '-')}.md): {_first_sentence(path)}\n" for path in chapters
    )
    intro = (
        "What the product decides, as the cases it is tested with. Each chapter is made from its folder in\n"
        "`tests/spec`, and a build in which one of these cases comes out otherwise does not pass.\n"
    )
    return made | {"manual/README.md": f"# Reference manual\n\n{note}\n{intro}\n{listed}"}


def _chapter(folder: Path, note: str, table: Table) -> str:
    parts = [f"# {_title(folder.name)}\n\n{note}"]
    for path in sorted(folder.glob("*.yaml")):
        parts += _of_yaml(path, table)
    for path in sorted(folder.glob("test_*.py")):
        parts += _of_source(path, table)
    return "\n".join(part.rstrip() + "\n" for part in parts if part.strip())


def _of_yaml(path: Path, table: Table) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if path.stem != "table":
        yield f"## {_title(path.stem)}\n"
    comment = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    if comment:
        yield " ".join(comment) + "\n"
    yield from _of_tree(YAML(typ="safe").load(text), table, 3)


def _of_tree(tree: Any, table: Table, depth: int) -> Iterator[str]:
    """Lists of cases as tables; mappings as headings over what they hold."""
    if isinstance(tree, list) and tree and all(isinstance(row, dict) for row in tree):
        yield from _cases(tree, table, depth)
    elif isinstance(tree, dict):
        plain = {key: value for key, value in tree.items() if not isinstance(value, dict) and not _holds_cases(value)}
        if plain:
            yield table(("", "value"), [(key, words(value)) for key, value in plain.items()])
        for key, value in tree.items():
            if key in plain:
                continue
            heading = f"{'#' * min(depth, 5)} {key}\n"
            yield heading
            yield from _what_it_does(str(key))
            if isinstance(value, dict) and not _holds_cases(value):
                yield table(("", "value"), [(name, words(item)) for name, item in value.items()])
            else:
                yield from _of_tree(value, table, depth + 1)
    elif isinstance(tree, list):
        yield table(("case",), [(words(row),) for row in tree])


def _holds_cases(value: Any) -> bool:
    """Whether a list of cases stands in it, at any depth."""
    if isinstance(value, dict):
        return any(_holds_cases(item) for item in value.values())
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _cases(rows: list[dict[str, Any]], table: Table, depth: int) -> Iterator[str]:
    subject = next((key for key in SUBJECTS if all(isinstance(row.get(key), str) for row in rows)), None)
    if subject is None:
        yield _rows(rows, table)
        return
    for name in dict.fromkeys(row[subject] for row in rows):
        yield f"{'#' * min(depth, 5)} {name}\n"
        yield from _what_it_does(name)
        yield _rows(
            [{key: value for key, value in row.items() if key != subject} for row in rows if row[subject] == name],
            table,
        )


def _rows(rows: list[dict[str, Any]], table: Table) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    first = [key for key in WORDS if key in keys]
    columns = [*first, *(key for key in keys if key not in first)]
    sided = "is" in columns and any(row.get("is") in (*LEVELS, *SIDE) for row in rows) and not _says_its_side(rows)
    head = ["lies", *columns] if sided else columns
    return table(
        [str(key).replace("_", " ") for key in head],
        [
            [*([_side(row.get("is"))] if sided else []), *(words(row[key]) if key in row else "" for key in columns)]
            for row in rows
        ],
    )


def _says_its_side(rows: list[dict[str, Any]]) -> bool:
    return any(row.get("is") in ("inside", "outside") for row in rows)


def _side(outcome: Any) -> str:
    return "inside" if outcome in LEVELS else SIDE.get(outcome, "")


def words(value: Any) -> str:
    """A value of a case as a reader takes it: nothing is `not known`, true is `yes`.

    Examples
    --------
    >>> words({"facts.escort": None, "vitals.sbp_mmHg": 141})
    'facts.escort not known; vitals.sbp_mmHg 141'
    """
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key} {words(item)}" for key, item in value.items()) or "nothing changed"
    if isinstance(value, list | tuple):
        if any(isinstance(item, dict | list | tuple) for item in value):
            return " / ".join(words(item) for item in value)
        return ", ".join(words(item) for item in value) or "none"
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(words(part) for part in value))  # a set has no order of its own
    return f"{value:g}" if isinstance(value, float) else str(value)


def _what_it_does(name: str) -> Iterator[str]:
    """The rule behind a case in words, with its marks; nothing where the name is of no rule."""
    if name in rules():
        rule = rules()[name]
        lines = [
            f"- **{tier.level}** [{tier.verification.value}]: {threshold_text(tier.when)}. {tier.action}."
            for tier in rule.tiers
        ]
        yield f"{rule.title}.\n\n" + "\n".join(line.replace("..", ".") for line in lines) + "\n"
    elif name in protocols():
        protocol = protocols()[name]
        walls = [
            f"{wall.name} ({wall.kind}): {wall.bound} {wall.limit:g} {wall.unit} [{wall.verification.value}]"
            for wall in protocol.walls
        ]
        yield f"{protocol.title}; {protocol.product} by {protocol.route}, {protocol.status}. {'; '.join(walls)}\n"
    elif name in instruments():
        one = instruments()[name]
        yield f"{one.title}. Rule {one.rule}, {one.better} is better.\n"
    elif any(limit.rule == name for limit in monitoring().limits):
        lines = [
            f"- **{limit.tier}** [{limit.verification.value}]: {limit.signal} {limit.when.replace('-', ' ')} "
            f"{limit.limit:g}. {limit.do}"
            for limit in monitoring().limits
            if limit.rule == name
        ]
        yield "\n".join(lines) + "\n"
    else:
        criterion = next((item for item in discharge().criteria if item.id == name), None)
        if criterion is not None:
            yield f"{criterion.title} [{criterion.verification.value}].\n"


def _of_source(path: Path, table: Table) -> Iterator[str]:
    """What a test module says of itself, its tables of plain values, and its other tests as sentences."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    yield f"## {_title(path.stem.removeprefix('test_'))}\n"
    yield (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ") + "\n"
    alone = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        sentence = _sentence(node.name)
        tables = [found for mark in node.decorator_list if (found := _parametrized(mark, constants))]
        if not tables:
            alone.append(sentence)
            continue
        for names, rows in tables:
            yield f"### {sentence}\n"
            yield table([name.replace("_", " ") for name in names], [[words(cell) for cell in row] for row in rows])
    if alone:
        yield "Also held:\n\n" + "\n".join(f"- {sentence}" for sentence in alone) + "\n"


def _parametrized(mark: ast.expr, constants: dict[str, ast.expr]) -> tuple[list[str], list[tuple[Any, ...]]] | None:
    """Names and rows of ``@pytest.mark.parametrize`` with plain values; ``None`` for anything else."""
    if not (isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "parametrize"):
        return None
    names = _plain(mark.args[0], constants)
    rows = _plain(mark.args[1], constants)
    if not isinstance(rows, list | tuple) or not rows or names is None:
        return None
    listed = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    cells = [row if isinstance(row, tuple) else (row,) for row in rows]
    return (listed, cells) if all(len(row) == len(listed) for row in cells) else None


def _plain(node: ast.expr, constants: dict[str, ast.expr]) -> Any:
    """A value written out, with the module's own constants put in; ``None`` where it is computed."""
    if isinstance(node, ast.Name) and node.id in constants:
        return _plain(constants[node.id], constants)
    if isinstance(node, ast.List | ast.Tuple):
        found = []
        for item in node.elts:
            value = _plain(item, constants)
            if value is None and not (isinstance(item, ast.Constant) and item.value is None):
                value = ast.unparse(item)
            found.append(value)
        return found if isinstance(node, ast.List) else tuple(found)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _sentence(name: str) -> str:
    plain = name.removeprefix("test_").replace("_", " ")
    return plain[:1].upper() + plain[1:]


def _title(name: str) -> str:
    return _sentence(name)


def _first_sentence(folder: Path) -> str:
    for path in sorted(folder.glob("test_*.py")):
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if told:
            return told.split("\n\n")[0].replace("\n", " ")
    return ""
