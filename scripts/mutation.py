"""Change the decisions on purpose and see whether the clinical tables notice: mutation testing by mutmut.

    .venv/bin/python scripts/mutation.py [--sample 40] [--seed 1] [--write] [SUBJECT...]

A subject is a few modules and the chapters of ``tests/spec`` that must hold them. Every change of one place (a mutant)
is run against the tests that reach that place. Changes of words alone are left out: no table reads a sentence.
``--sample 0`` runs every mutant. ``--write`` puts the result into docs/validation/mutation.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "validation" / "mutation.md"
# So many mutants are handed over at a time; each hand-over lists the tests anew.
PART = 10
# What mutmut notes for a mutant that every test let pass, and for one that no test reaches.
SURVIVED, UNREACHED = {0}, {5, 33}


@dataclass(frozen=True)
class Subject:
    """Modules of ``limen.care`` and the chapters of ``tests/spec`` that hold them."""

    modules: tuple[str, ...]
    chapters: tuple[str, ...]


# Property tests draw other cases each time and take minutes: what is measured is whether the written cases notice.
TABLES_ALONE = """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if not getattr(item.function, "is_hypothesis_test", False)]
"""
SUBJECTS = {
    "scoring": Subject(("answers", "totals", "scoring", "score_change"), ("scales", "scoring")),
    "screening": Subject(("screening", "judging"), ("screening", "selection", "interactions")),
    "planning": Subject(("planning", "plan_limits", "plan_checks"), ("planning", "protocols")),
}


@dataclass
class Result:
    """What came of one subject."""

    subject: str
    mutants: int
    words_only: int
    tried: int
    survivors: dict[str, str] = field(default_factory=dict)
    unreached: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0

    @property
    def killed(self) -> int:
        return self.tried - len(self.survivors) - len(self.unreached)

    @property
    def score_pct(self) -> float:
        return 100 * self.killed / self.tried if self.tried else 0.0


def workspace(folder: Path, subject: Subject) -> None:
    """A copy to be mutated: the package without the clinic, the chapters, and a configuration of its own."""
    skip = shutil.ignore_patterns("__pycache__", "clinic", "*.meta")
    shutil.copytree(ROOT / "src" / "limen", folder / "src" / "limen", ignore=skip)
    shutil.copytree(ROOT / "tests" / "contracts", folder / "tests" / "contracts", ignore=skip)
    for chapter in sorted({path.name for path in (ROOT / "tests" / "spec").iterdir() if path.is_dir()}):
        shutil.copytree(ROOT / "tests" / "spec" / chapter, folder / "tests" / "spec" / chapter, ignore=skip)
    (folder / "tests" / "conftest.py").write_text(TABLES_ALONE, encoding="utf-8")
    chosen = [f"tests/spec/{name}" for name in subject.chapters if (folder / "tests" / "spec" / name).exists()]
    mutated = [f"src/limen/care/{name}.py" for name in subject.modules]
    (folder / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        'source_paths = ["src/limen"]\n'
        f"only_mutate = {json.dumps(mutated)}\n"
        f"pytest_add_cli_args_test_selection = {json.dumps(chosen)}\n"
        'pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:django", "-m", "not slow and not soak"]\n'
        "track_dependencies = false\n"
        "use_git_change_detection = false\n"
        "timeout_multiplier = 3.0\n"
        "timeout_constant = 5.0\n"
        "[tool.pytest.ini_options]\n"
        'pythonpath = ["tests"]\n'
        'addopts = ["--import-mode=importlib"]\n'
        'markers = ["slow: ", "soak: "]\n',
        encoding="utf-8",
    )


def mutmut(folder: Path, names: Iterable[str], children: int) -> str:
    """Run mutmut for the mutants named; its words."""
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(children), *names]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "DJANGO"))}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return done.stdout + done.stderr


def notes(folder: Path) -> dict[str, int | None]:
    """Every mutant with what came of it, ``None`` where it was not run."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants").rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def changes(folder: Path, name: str) -> str:
    """The lines taken out and put in by one mutant."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    here = Path.cwd()
    os.chdir(folder)
    try:
        diff = get_diff_for_mutant(name, path=f"src/{name.split('.x', 1)[0].replace('.', '/')}.py")
    finally:
        os.chdir(here)
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return "\n".join(re.sub(r"_mutmut_(orig|\d+)", "", line) for line in lines)


def of_words(change: str) -> bool:
    """Whether only the letters of a text differ."""
    lines = change.splitlines()
    plain = [re.sub(r"XX(.*?)XX", r"\1", line[1:].strip()).casefold() for line in lines]
    return len(plain) == 2 and plain[0] == plain[1]


def measure(name: str, sample: int, seed: int, children: int, budget_s: float) -> Result:
    """Mutate one subject, draw a sample, and run it in parts until the time is used up."""
    start = time.monotonic()
    subject = SUBJECTS[name]
    with tempfile.TemporaryDirectory(prefix="limen-mutation-") as held:
        folder = Path(held)
        workspace(folder, subject)
        # It makes every mutant and learns which test reaches which function; then it finds no mutant of this name.
        told = mutmut(folder, ["none"], children)
        every = sorted(notes(folder))
        if not every or not (folder / "mutants" / "mutmut-stats.json").exists():
            raise SystemExit(f"{name}: no mutant was made, or the tests fail without one\n{told[-3000:]}")
        told_of = {mutant: changes(folder, mutant) for mutant in every}
        real = [mutant for mutant in every if not of_words(told_of[mutant])]
        drawn = random.Random(seed).sample(real, len(real))  # noqa: S311 - a sample that can be drawn again
        wanted = drawn[: sample or len(drawn)]
        chosen: list[str] = []
        while wanted and (not chosen or time.monotonic() - start < budget_s):
            part, wanted = wanted[:PART], wanted[PART:]
            told = mutmut(folder, part, children)
            chosen += part
        outcome = notes(folder)
        if any(outcome[mutant] is None for mutant in chosen):
            raise SystemExit(f"{name}: mutants were left untried\n{told[-3000:]}")
        return Result(
            subject=name,
            mutants=len(every),
            words_only=len(every) - len(real),
            tried=len(chosen),
            survivors={mutant: told_of[mutant] for mutant in chosen if outcome[mutant] in SURVIVED},
            unreached={mutant: told_of[mutant] for mutant in chosen if outcome[mutant] in UNREACHED},
            took_s=time.monotonic() - start,
        )


def page(results: list[Result], seed: int) -> str:
    """The page of the docs."""
    whole = all(item.tried == item.mutants - item.words_only for item in results)
    how = "every mutant" if whole else f"a random sample of each subject (seed {seed})"
    head = "| subject | modules | chapters of tests/spec | mutants | of words alone | tried | noticed | score |\n"
    rows = [
        f"| {item.subject} | {', '.join(SUBJECTS[item.subject].modules)} | "
        f"{', '.join(SUBJECTS[item.subject].chapters)} | {item.mutants} | {item.words_only} | {item.tried} | "
        f"{item.killed} | {item.score_pct:.0f} % |\n"
        for item in results
    ]
    parts = [
        "# Mutation testing: do the clinical tables notice a changed decision?\n\n"
        "Made by `scripts/mutation.py --write`. Do not edit. `make soak` runs a smaller sample and fails under its\n"
        "floor.\n\n"
        + textwrap.fill(
            "Each mutant changes one place of a decision: a comparison and its edge, `and` for `or`, a number by one, "
            "an argument or a value gone. It is run against the cases of the chapters of `tests/spec` that reach the "
            "place, and no other test; property tests, which draw other cases each time, are left out. A mutant that "
            "every case lets pass is a survivor: the tables miss a case, or the change makes no difference. Changes of "
            "wording alone are not counted, because no table reads a sentence. The mutants are made and run by mutmut; "
            f"this run took {how}, {sum(item.took_s for item in results) / 60:.0f} min in all.",
            118,
        )
        + "\n\n",
        head,
        "|---|---|---|---|---|---|---|---|\n",
        *rows,
        "\n## Survivors of this run\n\n",
    ]
    for item in results:
        for title, group in (("survived", item.survivors), ("reached by no test of the chapters", item.unreached)):
            for mutant, change in group.items():
                place = re.sub(r"__mutmut_\d+$", "", mutant).replace("limen.care.", "").replace(".x_", ".")
                place = re.sub(r"\.xǁ(\w+)ǁ", r".\1.", place)
                parts.append(f"`{place}`, {title}:\n\n```diff\n{change}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


def main() -> int:
    """Measure and print, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--sample", type=int, default=40, help="mutants of each subject; 0 for all of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget-s", type=float, default=float("inf"), help="begin no further part after this long")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 2, help="processes at a time")
    parser.add_argument("--write", action="store_true", help="write docs/validation/mutation.md")
    asked = parser.parse_args()
    unknown = set(asked.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"no subject {sorted(unknown)[0]!r}; there are {', '.join(SUBJECTS)}")
    results = []
    for name in asked.subjects or SUBJECTS:
        item = measure(name, asked.sample, asked.seed, asked.children, asked.budget_s)
        results.append(item)
        print(  # noqa: T201
            f"{item.subject}: {item.killed} of {item.tried} noticed, {item.score_pct:.0f} %; "
            f"{len(item.survivors)} survived, {len(item.unreached)} unreached; {item.took_s:.0f} s"
        )
        for mutant, change in (*item.survivors.items(), *item.unreached.items()):
            print(f"  {mutant}\n    " + change.replace("\n", "\n    "))  # noqa: T201
    if asked.write:
        PAGE.write_text(page(results, asked.seed), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
