"""Dosing records in and out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from limen.cli import regimen as topic
from limen.errors import InputError
from limen.pharmacology.nonmem import COLUMNS, Observation, Subject, read_records, write_records
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.simulate import simulate

ROUTES = {1: "iv", 2: "in", 3: "po"}
CMTS = {route: cmt for cmt, route in ROUTES.items()}


def table(*rows: str, header: str = "ID,TIME,AMT,RATE,II,ADDL,SS,EVID,CMT,DV") -> str:
    return "\n".join([header, *rows, ""])


doses = st.builds(
    Dose,
    amount_mg=st.floats(0.01, 5000),
    route=st.sampled_from(["iv", "in", "po"]),
    start_min=st.floats(0, 500_000),
    duration_min=st.one_of(st.just(0.0), st.floats(0.1, 6000)),
)
seen = st.builds(Observation, at_min=st.floats(0, 500_000), value_ng_per_mL=st.floats(0, 1e4), cmt=st.integers(1, 9))
subjects = st.builds(
    Subject,
    id=st.text("abcXYZ0189-_", min_size=1, max_size=8),
    doses=st.lists(doses, max_size=6).map(lambda items: tuple(sorted(items, key=lambda dose: dose.start_min))),
    observations=st.lists(seen, max_size=4).map(lambda items: tuple(sorted(items, key=lambda one: one.at_min))),
).filter(lambda subject: bool(subject.doses or subject.observations))


@given(st.lists(subjects, min_size=1, max_size=3, unique_by=lambda subject: subject.id))
def test_what_is_written_is_read_again(given_subjects: list[Subject]) -> None:
    again = read_records(write_records(given_subjects, CMTS), ROUTES)
    assert [subject.id for subject in again] == [subject.id for subject in given_subjects]
    for before, after in zip(given_subjects, again, strict=True):
        assert len(before.doses) == len(after.doses)
        for one, other in zip(before.doses, after.doses, strict=True):
            assert other.route == one.route
            assert other.amount_mg == one.amount_mg
            assert other.start_min == pytest.approx(one.start_min, rel=1e-12, abs=1e-12)
            assert other.duration_min == pytest.approx(one.duration_min, rel=1e-12)
        for first, second in zip(before.observations, after.observations, strict=True):
            assert (second.value_ng_per_mL, second.cmt) == (first.value_ng_per_mL, first.cmt)
            assert second.at_min == pytest.approx(first.at_min, rel=1e-12, abs=1e-12)


def test_additional_doses_are_written_out() -> None:
    (subject,) = read_records(table("7,1,10,20,8,2,0,1,1,."), ROUTES)
    assert subject.doses == tuple(Dose(10, "iv", 60 + 480 * place, 30) for place in range(3))


def test_an_infusion_of_3000_at_30_per_hour_runs_100_hours() -> None:
    (subject,) = read_records(table("1,0,3000,30,.,.,.,1,1,."), ROUTES)
    assert subject.doses[0].duration_min == 6000
    assert Schedule.of(subject.doses).given_mg(600) == pytest.approx(300)


def test_that_infusion_peaks_when_it_ends() -> None:
    (subject,) = read_records(table("1,0,3000,30,.,.,.,1,1,."), ROUTES)
    result = simulate("clements-250", subject.doses, PatientProfile(weight_kg=70), until_min=9000, every_min=10)
    assert result.summary["ketamine_plasma_ng_per_mL"].typical.tmax_h[0] == pytest.approx(100.0)


def test_additional_doses_forecast_as_the_same_doses_written_out() -> None:
    (subject,) = read_records(table("1,0,35,52.5,24,2,0,1,1,."), ROUTES)
    by_hand = [Dose(35, "iv", 1440.0 * day, 40) for day in range(3)]
    settings = {"until_min": 4000.0, "every_min": 10.0}
    one, other = (
        simulate("clements-250", doses, PatientProfile(weight_kg=70), **settings)  # type: ignore[arg-type]
        for doses in (subject.doses, by_hand)
    )
    name = "ketamine_plasma_ng_per_mL"
    np.testing.assert_allclose(one.outputs[name].typical, other.outputs[name].typical, rtol=1e-12, atol=1e-12)


def test_measurements_stand_beside_doses() -> None:
    text = table("1,0,28,0,0,0,0,1,2,.", "1,0.5,.,.,.,.,.,0,1,43.8", "1,1,.,.,.,.,.,0,1,.", "1,2,.,.,.,.,.,2,1,9")
    (subject,) = read_records(text, ROUTES)
    assert subject.doses == (Dose(28, "in"),)
    assert subject.observations == (Observation(30.0, 43.8, 1),)


def test_the_least_table_and_its_one_route() -> None:
    (subject,) = read_records("id, time, amt, wt\n1,0,35,70\n1,2,0,70\n", {1: "im"})
    assert subject.doses == (Dose(35, "im"),)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("", "no column ID, TIME, AMT", 1),
        ("ID,TIME,DOSE\n1,0,35\n", "no column AMT", 1),
        ("ID,TIME,AMT,AMT\n1,0,35,35\n", "stands twice", 1),
        ("ID,TIME,AMT\n1,0,35\n", "no column CMT", 1),
        (table(), "no record", None),
        (table("1,0,35,0,0,0,1,1,1,."), "SS 1 with II 0", 2),
        (table("1,0,35,0,24,0,3,1,1,."), "SS 3", 2),
        (table("1,0,35,0,24,0,1.5,1,1,."), "SS 1.5", 2),
        (table("1,0,100,0.01,1,0,1,1,1,."), "600000 min every 60 min", 2),
        (table("1,0,35,-2,0,0,0,1,1,."), "RATE -2: its duration is a parameter", 2),
        (table("1,0,35,-1,0,0,0,1,1,."), "RATE -1: its rate is a parameter", 2),
        (table("1,0,35,-5,0,0,0,1,1,."), "RATE -5: it is negative", 2),
        (table("1,0,35,0,0,3,0,1,1,."), "ADDL 3 with II 0", 2),
        (table("1,0,35,0,24,-1,0,1,1,."), "ADDL -1", 2),
        (table("1,0,35,0,24,1.5,0,1,1,."), "ADDL 1.5", 2),
        (table("1,0,35,0,1,999999999,0,1,1,."), "ADDL 999999999", 2),
        (table("1,0,-35,0,0,0,0,1,1,."), "AMT '-35'", 2),
        (table("1,0,nan,0,0,0,0,1,1,."), "AMT 'nan'", 2),
        (table("1,0,1e999,0,0,0,0,1,1,."), "AMT '1e999'", 2),
        (table("1,0,9e9,0,0,0,0,1,1,."), "amount_mg 9e+09", 2),
        (table("1,-1,35,0,0,0,0,1,1,."), "TIME '-1'", 2),
        (table("1,12:30,35,0,0,0,0,1,1,."), "TIME '12:30'", 2),
        (table("1,0,0,0,0,0,0,4,1,."), "EVID 4 is a dose without AMT", 2),
        (table("1,0,35,0,0,0,0,3,1,."), "EVID 3 has AMT and is no dose", 2),
        (table("1,0,35,0,0,0,0,9,1,."), "EVID 9", 2),
        (table("1,0,0,0,0,0,0,1,1,."), "a dose without AMT", 2),
        (table("1,0,35,0,0,0,0,0,1,."), "has AMT and is no dose", 2),
        (table("1,0,35,0,0,0,0,1,8,."), "a dose into CMT 8", 2),
        (table("1,0,35,0,0,0,0,1,.,."), "a dose into CMT .", 2),
        (table(".,0,35,0,0,0,0,1,1,."), "no ID", 2),
        (table("1,0,35"), "3 cells", 2),
        (table("1,2,35,0,0,0,0,1,1,.", "1,1,35,0,0,0,0,1,1,."), "TIME 1 goes back", 3),
        (table("1,0,35,0,0,0,0,1,1,.", "2,0,35,0,0,0,0,1,1,.", "1,1,35,0,0,0,0,1,1,."), "comes back", 4),
        (table("1,0,.,.,.,.,.,0,1,-3"), "DV '-3'", 2),
    ],
)
def test_what_a_list_of_doses_cannot_hold_is_refused_with_its_line(text: str, says: str, line: int | None) -> None:
    with pytest.raises(InputError) as problem:
        read_records(text, ROUTES, where="a.csv")
    assert says in problem.value.what
    assert problem.value.where == ("a.csv" if line is None else f"a.csv:{line}")
    assert problem.value.allowed


@given(st.text(alphabet="IDTMEARVCS,.0123456789-\n", max_size=120))
def test_never_fails_otherwise(text: str) -> None:
    try:
        found = read_records(text, ROUTES)
    except InputError:
        return
    assert all(subject.id for subject in found)


def test_a_route_without_a_compartment_is_refused() -> None:
    with pytest.raises(InputError, match="no CMT for the route 'po'"):
        write_records([Subject("1", (Dose(35, "po"),))], {"iv": 1})
    with pytest.raises(InputError, match="CMT 1 is 'nose'"):
        read_records(table(), {1: "nose"})
    with pytest.raises(InputError, match="ID"):
        write_records([Subject("1,2", (Dose(35, "iv"),))], {"iv": 1})


class Run:
    """The command line with only this topic."""

    def __init__(self) -> None:
        self.app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
        topic.register(self.app)

        @self.app.command()
        def other() -> None:
            """So that the group keeps its name."""

    def __call__(self, *arguments: str, given: str = "") -> Result:
        return CliRunner().invoke(self.app, ["regimen", *arguments], input=given)


def test_the_command_line_writes_what_it_reads() -> None:
    run = Run()
    cmts = ("--cmt", "1=iv", "--cmt", "2=in")
    doses = ("--dose", "0.5 mg/kg iv over 40 min", "--dose", "28 mg in at 2 h", "--weight-kg", "70")
    out = run("export", *doses, *cmts)
    assert out.exit_code == 0
    assert out.output.splitlines()[0] == ",".join(COLUMNS)
    (subject,) = json.loads(run("import", "-", *cmts, "--json", given=out.output).output)
    assert [(dose["amount_mg"], dose["route"], dose["start_min"]) for dose in subject["doses"]] == [
        (35.0, "iv", 0.0),
        (28.0, "in", 120.0),
    ]
    assert "2 doses, 0 measurements" in run("import", "-", *cmts, given=out.output).output
    assert json.loads(run("export", *doses, *cmts, "--json").output)[0]["RATE"] == "52.5"


def test_steps_are_shown_in_milligrams() -> None:
    steps = "20 mg/h iv over 30 min then pause 10 min then 40 mg/h over 30 min"
    assert "30 mg in all" in Run()("show", "--dose", steps).output
    assert json.loads(Run()("show", "--dose", steps, "--json").output)["total_mg"] == pytest.approx(30)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "-", "--cmt", "iv"], "cannot read 'iv'"),
        (["import", "-", "--cmt", "1=iv", "--cmt", "1=po"], "stands twice"),
        (["import", "nowhere.csv", "--cmt", "1=iv"], "cannot read the file"),
        (["show", "--dose", "1 mg iv", "--weight-kg", "nan"], "weight_kg"),
        (["show", "--dose", "60 mg iv over 1 h", "--dose", "10 mg iv over 1 h at 30 min"], "on the same line"),
    ],
)
def test_the_command_line_refuses_in_words(arguments: list[str], says: str) -> None:
    result = Run()(*arguments)
    assert isinstance(result.exception, InputError)
    assert says in str(result.exception)
