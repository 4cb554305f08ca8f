"""``limen models`` and ``limen simulate`` as a person or a program calls them."""

from __future__ import annotations

import csv
import importlib
import json
import sys
from pathlib import Path

import pytest

from limen.cli import main as door

P = {"age_years": 42, "sex": "female", "weight_kg": 70, "height_cm": 168}
DOSE = ["--dose", "0.5 mg/kg iv over 40 min", "--until", "4 h"]


class Run:
    """One run of the command line."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        import typer

        fresh = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
        self.monkeypatch.setattr(door, "app", fresh)
        self.monkeypatch.setattr(door, "TOPICS", ("pharmacology", "scoring"))
        self.monkeypatch.setattr(sys, "argv", ["limen", *arguments])
        with pytest.raises(SystemExit) as stop:
            door.main()
        captured = self.capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


@pytest.fixture
def patient(tmp_path: Path) -> str:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(P), encoding="utf-8")
    return str(path)


def test_models_list(run: Run) -> None:
    code, out, _ = run("models", "list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {"id", "title", "product", "routes", "matrix", "population", "variability", "sources"} <= set(rows[0])
    matrix = {row["id"]: row["matrix"] for row in rows}
    assert matrix["fanta-otto-2021"] == "venous"
    assert matrix["kamp-2020"] == "arterial"
    assert matrix["domino"] == "plasma"


def test_models_show_gives_each_number_with_its_mark_and_source(run: Run) -> None:
    code, out, _ = run("models", "show", "clements-250", "--json")
    entry = json.loads(out)
    v1 = entry["arms"][0]["parameters"]["V1"]
    assert code == 0
    assert (v1["value"], v1["unit"], v1["verification"], v1["source"]) == (1.7522, "L/kg", "V2", "pk-clements-1981")
    assert entry["citations"][0]["doi"] == "10.1093/bja/53.1.27"
    assert "read second-hand" in run("models", "show", "fanta-otto-2021")[1]


def test_simulate_prints_the_contract_and_nothing_else(run: Run, patient: str) -> None:
    code, out, err = run("simulate", "--model", "clements-250", "--patient", patient, *DOSE, "--json")
    entry = json.loads(out)
    assert (code, err) == (0, "")
    assert entry["time_h"][-1] == 4
    assert entry["outputs"]["ketamine_plasma_ng_per_mL"]["typical"][40] == pytest.approx(177, rel=0.01)


def test_simulate_reads_standard_input_and_names_what_it_did_not_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(P | {"hat": "blue"})))
    code, out, _ = run("simulate", "--model", "domino", "--patient", "-", *DOSE, "--json")
    assert code == 0
    assert json.loads(out)["unknown_inputs"] == ["hat"]


def test_the_same_seed_gives_the_same_text(run: Run, patient: str) -> None:
    call = ("simulate", "--model", "ensemble", "--patient", patient, *DOSE, "--every", "5 min", "--population", "40")
    first = run(*call, "--seed", "3", "--json")
    assert first == run(*call, "--seed", "3", "--json")
    assert first != run(*call, "--seed", "4", "--json")
    entry = json.loads(first[1])
    assert {"fanta-otto-2021", "clements-250", "domino", "kamp-2020"} <= {member["id"] for member in entry["members"]}


def test_several_doses_and_a_readable_rendering(run: Run, patient: str) -> None:
    code, out, _ = run(
        "simulate", "--model", "fanta-otto-2021", "--patient", patient, *DOSE, "--dose", "10 mg iv at 60 min"
    )
    assert code == 0
    assert "S-ketamine in venous plasma, ng/mL: peak" in out
    assert "assumed-effect-model" in out


def test_tables_and_pictures(run: Run, patient: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    base = ("simulate", "--model", "ensemble", "--patient", patient, *DOSE, "--every", "10 min", "--population", "20")
    table, columns, picture = tmp_path / "o.csv", tmp_path / "o.parquet", tmp_path / "o.svg"
    assert run(*base, "--out", str(table), "--plot", str(picture))[0] == 0
    assert run(*base, "--out", str(columns))[0] == 0
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 25
    assert float(rows[4]["ketamine_plasma_ng_per_mL.typical"]) == pytest.approx((160 + 177 + 240 + 253) / 4, rel=0.01)
    assert pq.read_table(columns).column_names == list(rows[0])
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "o.parquet", "o.svg", "p.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "nobody-1999", *DOSE], "unknown model 'nobody-1999'"),
        (["--model", "domino", "--dose", "-5 mg iv", "--until", "1 h"], "negative"),
        (["--model", "domino", "--dose", "5 bananas iv", "--until", "1 h"], "unknown unit"),
        (["--model", "fanta-otto-2021", "--dose", "5 mg im", "--until", "1 h"], "does not cover the route"),
        (["--model", "domino", "--dose", "5 mg iv", "--until", "soon"], "cannot read the duration"),
        (["--model", "domino", "--dose", "5 mg iv", "--until", "0 h"], "until is 0 min"),
        (["--model", "domino", *DOSE, "--every", "0 min"], "every is 0 min"),
        (["--model", "domino", *DOSE, "--product", "s-ketamine"], "does not cover 's-ketamine'"),
        (
            ["--model", "ensemble", *DOSE, "--product", "esketamine-nasal"],
            "does not cover the route 'iv' for esketamine-nasal",
        ),
        (["--model", "domino", *DOSE, "--population", "-1"], "a population of -1"),
        (["--model", "domino", *DOSE, "--population", "5", "--seed", "-1"], "seed -1"),
        (["--model", "domino", *DOSE, "--with", "aspirin"], "no effect size on file"),
        (["--model", "domino", *DOSE, "--plot", "x.pdf"], "ending in .svg"),
        (["--model", "domino", *DOSE, "--out", "x.xls"], "ending in .csv or .parquet"),
        (["--model", "domino", *DOSE, "--out", "/nowhere/at/all.csv"], "cannot write"),
    ],
)
def test_a_bad_call_is_one_line_and_exit_2(run: Run, patient: str, arguments: list[str], says: str) -> None:
    code, out, err = run("simulate", "--patient", patient, "--json", *arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
    assert err.startswith("limen: ")


def test_a_bad_patient_is_one_line_and_exit_2(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    for text, says in [
        ('{"weight_kg": 700}', "weight_kg 700"),
        ('{"weight_kg": "seventy"}', "not a number"),
        ("{", "not JSON"),
        ("{}", "needs a weight"),
    ]:
        path.write_text(text, encoding="utf-8")
        code, out, err = run("simulate", "--model", "domino", "--patient", str(path), *DOSE)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert says in err


def test_the_package_is_quick_to_import() -> None:
    """The surface loads nothing heavy until it is used."""
    import subprocess

    code = "import sys, limen.pharmacology; print('numpy' in sys.modules, 'scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]
    assert set(importlib.import_module("limen.pharmacology").__all__) >= {"Dose", "PatientProfile", "parse_dose"}
